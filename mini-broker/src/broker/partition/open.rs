//! Opening a partition's log: at the first call that needs it, behind the fence.

use std::io;

use wire::ErrorCode;

use super::{Log, Partition, Turn};
use crate::broker::compact::swap;
use crate::broker::start::{LEADER_EPOCHS, PARTITION_METADATA, parse_topic_id, topic_id_text};
use crate::broker::{Event, Output, Refused};
use crate::labs::offset_log::{self, OffsetLog};
use crate::labs::{Broken, Organ, fenced};
use crate::node::files::STRAY;

/// Whose organ the log is.
pub(super) const LAB: &str = "offset-log";

impl Partition {
    /// An error of the disk leaves the log closed: the next call tries again.
    pub(super) fn open(&mut self, turn: &mut Turn) -> Result<Log, Refused> {
        let (config, start) = (self.settings.of_log(), self.deleted_before);
        let own = self.own_files(turn).and_then(|()| swap::settle(turn.files, &self.dir));
        let litter = own.map_err(|error| self.storage(turn, error.into()))?;
        let dir = turn.files.dir(&self.dir).map_err(|error| self.storage(turn, error.into()))?;
        // What this broker has written itself, it need not read.
        let trusted_to = self.reopens_as.map_or(self.recovery_point, |was| was.log_end);
        let whole = !self.assignment.isr.contains(&self.me);
        let mut organ = match open_fenced(dir, config, trusted_to, start, whole) {
            Ok(Ok((organ, cut_bytes))) => {
                if cut_bytes > 0 {
                    let partition = self.dir.to_string();
                    turn.out.push(Output::Tell(Event::Cut { partition, bytes: cut_bytes }));
                }
                organ
            }
            Ok(Err(error)) => return Err(self.storage(turn, error.into())),
            Err(broken) => {
                self.tell_broken(turn, LAB, &broken);
                return Ok(Log::Offline(broken.into()));
            }
        };
        if let Ok(end) = organ.call(|log| log.log_end()) {
            // What recovery accepted behind the recovery point may still be in the page cache only.
            if end > trusted_to {
                self.dirty_since.get_or_insert(turn.now.mono_ms);
            }
            // And what will be written where something was lost is not on the disk either.
            self.recovery_point = self.recovery_point.min(end);
            self.opened_for_cleaning(end, litter);
        }
        if let Some(was) = self.reopens_as.take() {
            // The files remember only where segments begin.
            let again = organ.call(|log| log.delete_before(was.log_start));
            if let Ok(Err(error)) = again {
                self.reopens_as = Some(was);
                return Err(self.storage(turn, error.into()));
            }
        }
        Ok(Log::Open(organ))
    }

    fn own_files(&mut self, turn: &mut Turn) -> io::Result<()> {
        if self.own_directory(turn)? {
            self.write_own_files(turn)?;
        }
        Ok(())
    }

    /// Sets aside a directory of this name that is not this partition's, and says whether the small files
    /// that tell whose it is have to be written. A kill may have come between a new topic's creation and
    /// the renaming of the old one's directories; a directory may have come back while the broker was
    /// away.
    ///
    /// Without an id the directory is not known to be this partition's either: power was lost before
    /// that small file had reached the disk, and it goes there with the first records. So no record
    /// that was synced is lost. (Kafka: `LogManager.isStrayReplica`.) Where no records are left it is
    /// taken, and gets the id: or the next start would set aside what will be written there.
    pub(super) fn own_directory(&mut self, turn: &mut Turn) -> io::Result<bool> {
        let written = turn.files.text(&format!("{}/{PARTITION_METADATA}", self.dir))?;
        let id = written.as_deref().and_then(parse_topic_id);
        let own = match id {
            Some(id) => id == self.topic_id,
            None => {
                let files = turn.files.dir(&self.dir)?.list()?;
                !files.iter().any(|(name, len)| name.ends_with(".log") && *len > 0)
            }
        };
        if !own {
            let dir = turn.files.set_aside(&self.dir, STRAY)?;
            turn.out.push(Output::Tell(Event::Stray { dir }));
        }
        Ok(!own || id.is_none())
    }

    pub(super) fn write_own_files(&mut self, turn: &mut Turn) -> io::Result<()> {
        let mut dir = turn.files.dir(&self.dir)?;
        let files = [
            (PARTITION_METADATA, topic_id_text(self.topic_id)),
            (LEADER_EPOCHS, self.epochs_text()),
        ];
        for (name, text) in files {
            // What a full disk has left of an earlier attempt goes first. The log's first sync
            // brings these files to the disk as well.
            dir.truncate(name, 0)?;
            dir.append(name, text.as_bytes())?;
        }
        Ok(())
    }

    pub(super) fn tell_broken(&self, turn: &mut Turn, lab: &'static str, broken: &Broken) {
        let (what, broken) = (self.dir.to_string(), broken.clone());
        let so = "answers UNKNOWN_SERVER_ERROR";
        turn.out.push(Output::Tell(Event::OrganBroke { lab, what, so, broken }));
    }

    /// Tells of a disk that failed, once, and hands the refusal on.
    pub(super) fn storage(&mut self, turn: &mut Turn, refused: Refused) -> Refused {
        if refused.code == ErrorCode::KAFKA_STORAGE_ERROR && !self.disk_failed {
            self.disk_failed = true;
            let (partition, why) = (self.dir.to_string(), refused.why.clone());
            turn.out.push(Output::Tell(Event::Storage { partition, why, offline: false }));
        }
        refused
    }
}

type Opened = Result<Result<(Organ<OffsetLog>, u64), offset_log::Error>, Broken>;

/// Opens the organ behind the fence: recovery is the learner's as well. `whole`: it may not go on behind a
/// hole.
fn open_fenced(
    dir: Box<dyn offset_log::Dir>,
    config: offset_log::Config,
    trusted_to: u64,
    start: u64,
    whole: bool,
) -> Opened {
    fenced(|| {
        let (mut log, recovery) = OffsetLog::open(dir, config, trusted_to)?;
        if start > log.log_start() {
            log.begin_at(start)?;
        }
        let cut_bytes = if whole { cut_at_hole(&mut log, trusted_to)? } else { 0 };
        Ok((Organ::new(log), recovery.cut_bytes + cut_bytes))
    })
}

/// A power loss may take the end of an older segment and leave a younger one. If it takes whole batches, what
/// is left looks whole, and nobody would ever fill the hole. A replica that is not in sync ends its log there
/// and gets the rest again from its leader. (Compaction leaves holes, too: then it gets again what it had.) One
/// that is in sync after a power loss is the last of all, and keeps what it has, as Kafka's do.
fn cut_at_hole(log: &mut OffsetLog, trusted_to: u64) -> Result<u64, offset_log::Error> {
    let known = trusted_to.max(log.log_start());
    let bases = log.segments().iter().map(|segment| segment.base).filter(|base| *base > known);
    for base in bases.collect::<Vec<_>>() {
        if log.read(base - 1, base, 1)?.len == 0 {
            let before = log.size();
            log.truncate(base - 1)?;
            return Ok(before - log.size());
        }
    }
    Ok(0)
}
