//! What a log's batches say beside their records: which leader wrote what, and how far each idempotent
//! producer has come. Both are kept in memory and in small files beside the log, under Kafka's names; what
//! came after those files were written is read from the batches when the log is opened.
//! (`LeaderEpochFileCache`, `ProducerStateManager`.)

use std::fmt::Write;
use std::io;

use wire::ErrorCode;

use super::producer_snapshot;
use super::{Partition, Turn};
use crate::broker::start::LEADER_EPOCHS;
use crate::broker::{Located, Refused};
use crate::labs::acks::{Epochs, Producers, Sequence};
use crate::labs::offset_log::Dir;
use crate::records::{Header, batches};

/// How much of a log is read at a time, to see what its batches say.
const CHUNK: u32 = 1 << 20;

/// While a text is written it has another name.
const NEW_EPOCHS: &str = "leader-epoch-checkpoint.tmp";

const SNAPSHOT: &str = ".snapshot";

pub struct History {
    pub epochs: Epochs,
    pub producers: Producers,
    /// Up to where the newest snapshot of the producers goes, if there is one.
    snapshot: Option<u64>,
    /// The file of the epochs lacks one. Until it is written, the next start has to read the batches.
    unwritten: bool,
    /// The newest snapshot could not be written.
    unsaved: bool,
}

impl History {
    pub fn new(expiration_ms: u64) -> Self {
        let (epochs, producers) = (Epochs::new(), Producers::new(expiration_ms));
        Self { epochs, producers, snapshot: None, unwritten: false, unsaved: false }
    }

    /// Whether the small files say what the batches say that are on the disk.
    pub fn is_written(&self) -> bool {
        !self.unwritten && !self.unsaved
    }

    /// A batch was appended.
    fn saw(&mut self, header: &Header) {
        self.epochs.started(header.leader_epoch, header.base_offset as u64);
        self.saw_producer(header);
    }

    fn saw_producer(&mut self, header: &Header) {
        if header.producer_id >= 0 && header.count > 0 && !header.is_control() {
            self.producers.appended(
                header.producer_id,
                header.producer_epoch,
                header.base_sequence,
                header.count as u32,
                header.base_offset as u64,
                header.max_timestamp,
            );
        }
    }
}

impl Partition {
    /// What a producer's count says of its batch: the next one, or one that is in the log already.
    pub(super) fn check_sequence(&self, header: &Header) -> Result<Sequence, Refused> {
        if header.producer_id < 0 {
            return Ok(Sequence::Next);
        }
        let Header { producer_id, producer_epoch, base_sequence, count, .. } = *header;
        if base_sequence < 0 || producer_epoch < 0 {
            let why = format!(
                "producer {producer_id} with epoch {producer_epoch} and sequence {base_sequence}"
            );
            return Err(Refused::new(ErrorCode::INVALID_RECORD, why));
        }
        let producers = &self.history.producers;
        let count = count.max(0) as u32;
        Ok(producers.check(producer_id, producer_epoch, base_sequence, count)?)
    }

    /// Notes what appended batches say. They are in the log: that a small file beside it cannot be written
    /// now does not undo that.
    pub(super) fn note(&mut self, turn: &mut Turn, headers: &[Header]) {
        let before = self.history.epochs.latest();
        headers.iter().for_each(|header| self.history.saw(header));
        if self.history.epochs.latest() != before {
            self.history.unwritten = true;
            self.write_epochs_again(turn);
        }
    }

    /// This broker begins to lead. The epoch is written down before its first batch, or, on a full disk, before
    /// the sync that makes the batch safe.
    pub(super) fn epoch_begins(&mut self, turn: &mut Turn, epoch: i32, at: u64) {
        if self.history.epochs.latest() == Some(epoch) {
            return;
        }
        self.history.epochs.started(epoch, at);
        if self.on_disk {
            self.history.unwritten = true;
            self.write_epochs_again(turn);
        }
    }

    /// Writes which epoch starts where, if that could not be done before.
    pub(super) fn write_epochs_again(&mut self, turn: &mut Turn) {
        if !self.history.unwritten {
            return;
        }
        match self.write_epochs(turn) {
            Ok(()) => self.history.unwritten = false,
            Err(error) => drop(self.storage(turn, error.into())),
        }
    }

    /// Writes which epoch starts where. A kill leaves the old text or the new one; the log's next sync
    /// brings it to the disk.
    pub(super) fn write_epochs(&self, turn: &mut Turn) -> io::Result<()> {
        let mut dir = turn.files.dir(&self.dir)?;
        dir.truncate(NEW_EPOCHS, 0)?;
        dir.append(NEW_EPOCHS, self.epochs_text().as_bytes())?;
        turn.files.rename(&self.dir, NEW_EPOCHS, LEADER_EPOCHS)
    }

    /// A format version, a count, and a line for each epoch.
    pub(super) fn epochs_text(&self) -> String {
        let entries = self.history.epochs.entries();
        let mut text = format!("0\n{}\n", entries.len());
        for (epoch, start) in entries {
            let _ = writeln!(text, "{epoch} {start}");
        }
        text
    }

    /// Reads what the small files say, and what the batches behind the recovery point say.
    pub(super) fn read_history(&mut self, turn: &mut Turn, log_end: u64) -> Result<(), Refused> {
        let expiration_ms = self.settings.producer_expiration_ms;
        let mut history = History::new(expiration_ms);
        let text = turn.files.text(&format!("{}/{LEADER_EPOCHS}", self.dir))?.unwrap_or_default();
        history.epochs = Epochs::from_entries(text.lines().skip(2).filter_map(|line| {
            let (epoch, start) = line.split_once(' ')?;
            Some((epoch.parse().ok()?, start.parse().ok()?))
        }));
        history.epochs.truncated(log_end);
        // A snapshot is written before the sync that makes its batches safe. What its name says of producers
        // need not be so for the epochs: their file may be older.
        let from = self.recovery_point.min(log_end);
        self.history = history;
        let snapshot = self.restore_producers(turn, log_end)?;
        self.read_batches(turn, from, snapshot.unwrap_or(from), log_end)
    }

    /// Takes the newest snapshot of the producers that does not go past `end`, and gives where it goes to.
    fn restore_producers(&mut self, turn: &mut Turn, end: u64) -> io::Result<Option<u64>> {
        let expiration_ms = self.settings.producer_expiration_ms;
        let dir = turn.files.dir(&self.dir)?;
        let mut usable = snapshots(dir.as_ref())?;
        usable.retain(|offset| *offset <= end);
        (self.history.producers, self.history.snapshot) = (Producers::new(expiration_ms), None);
        while let Some(offset) = usable.pop() {
            if let Some(producers) = producer_snapshot::read(dir.as_ref(), &snapshot_name(offset))?
            {
                self.history.producers = Producers::restore(expiration_ms, producers);
                self.history.snapshot = Some(offset);
                break;
            }
        }
        Ok(self.history.snapshot)
    }

    fn read_batches(
        &mut self,
        turn: &mut Turn,
        from: u64,
        producers_from: u64,
        log_end: u64,
    ) -> Result<(), Refused> {
        let mut offset = from.min(producers_from);
        while offset < log_end {
            let slice =
                self.call(turn, |log| log.read(offset.max(log.log_start()), log_end, CHUNK));
            let slice = slice?.map_err(|error| self.storage(turn, error.into()))?;
            if slice.len == 0 {
                break;
            }
            let bytes = self.bytes_of(turn, &self.located(&slice))?;
            let mut next = offset;
            for batch in batches(&bytes) {
                let header = batch.map_err(io::Error::from)?.header;
                next = header.last_offset() as u64 + 1;
                let base = header.base_offset as u64;
                let epoch = self.history.epochs.at(base);
                if base >= from && epoch != Some(header.leader_epoch) {
                    // Power was lost before the file had it.
                    self.history.epochs.started(header.leader_epoch, base);
                    self.history.unwritten = true;
                }
                if base >= producers_from {
                    self.history.saw_producer(&header);
                }
            }
            if next <= offset {
                break; // nothing whole is left
            }
            offset = next;
        }
        Ok(())
    }

    fn bytes_of(&self, turn: &mut Turn, located: &Located) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; located.len as usize];
        let read = turn.files.read_at(located, &mut bytes)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    /// Writes what is known of the producers, before a sync. If that cannot be done, the next start has to
    /// read the batches: without them a retry would be appended a second time.
    pub(super) fn save_producers(&mut self, turn: &mut Turn, to: u64) {
        let saved = self.snapshot_producers(turn, to);
        self.history.unsaved = saved.is_err();
        if let Err(error) = saved {
            let _ = self.storage(turn, error.into());
        }
    }

    /// The log will be safe below `to`, its end: what its producers have done by then is written
    /// beside it, so that nobody has to read what came before. The older snapshot is not needed any more.
    pub(super) fn snapshot_producers(&mut self, turn: &mut Turn, to: u64) -> io::Result<()> {
        let history = &mut self.history;
        history.producers.expire(turn.now.wall_ms);
        let nothing = history.producers.entries().next().is_none();
        if (nothing && history.snapshot.is_none()) || history.snapshot == Some(to) {
            return Ok(());
        }
        let mut dir = turn.files.dir(&self.dir)?;
        let file = snapshot_name(to);
        dir.truncate(&file, 0)?;
        dir.append(&file, &producer_snapshot::bytes(history.producers.entries()))?;
        let older = snapshots(dir.as_ref())?.into_iter().filter(|offset| *offset != to);
        // The one before stays, in case this one does not reach the disk.
        let before = history.snapshot.replace(to);
        for offset in older.filter(|offset| Some(*offset) != before) {
            dir.remove(&snapshot_name(offset))?;
        }
        Ok(())
    }

    /// The log was cut and ends here now.
    pub(super) fn history_cut(&mut self, turn: &mut Turn, end: u64) -> Result<(), Refused> {
        self.history.epochs.truncated(end);
        self.write_epochs(turn)?;
        if self.history.producers.entries().next().is_none() && self.history.snapshot.is_none() {
            return Ok(());
        }
        let mut dir = turn.files.dir(&self.dir)?;
        for offset in snapshots(dir.as_ref())?.into_iter().filter(|offset| *offset > end) {
            dir.remove(&snapshot_name(offset))?;
        }
        drop(dir);
        // Of each producer only the last batches are remembered, and they may be just those that were cut:
        // what came before them stands in the log. (`ProducerStateManager.truncateAndReload`.)
        let snapshot = self.restore_producers(turn, end)?;
        self.read_batches(turn, end, snapshot.unwrap_or(0), end)?;
        self.snapshot_producers(turn, end)?;
        Ok(())
    }

    /// The log was emptied, and begins at this offset.
    pub(super) fn history_begins(&mut self, turn: &mut Turn) -> Result<(), Refused> {
        self.history.epochs = Epochs::new();
        self.history_cut(turn, 0)
    }
}

fn snapshot_name(offset: u64) -> String {
    format!("{offset:020}{SNAPSHOT}")
}

/// The offsets of the snapshots that are there, in order.
fn snapshots(dir: &dyn Dir) -> io::Result<Vec<u64>> {
    let names = dir.list()?.into_iter();
    let offsets = names.filter_map(|(name, _)| name.strip_suffix(SNAPSHOT)?.parse().ok());
    Ok(offsets.collect())
}
