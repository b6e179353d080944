//! Appending, and what of it is on the disk for sure.

use std::io;

use wire::ErrorCode;

use super::{Log, Partition, Turn};
use crate::broker::{Event, Files, Now, Output, Refused};
use crate::labs::acks::Sequence;
use crate::labs::offset_log;
use crate::records::Header;

/// Bytes written since the last sync from which on the next one is due.
const FLUSH_BYTES: u64 = 64 << 20;

/// What an append gave.
pub struct Appended {
    pub first: u64,
    pub last: u64,
    /// It is in the log already, and was not appended again.
    pub again: bool,
    /// The time that was written into the batch, if the topic wants the broker's.
    pub log_append_time_ms: Option<u64>,
    /// A sync is due: it makes the log safe below this offset.
    pub sync: Option<u64>,
    /// Whether the partition's next deadline may be another than before.
    pub rearm: bool,
}

impl Partition {
    /// Appends one batch. Its offset and leader epoch are written into it, and the time if the topic
    /// wants the broker's. A batch that is in the log already is not appended again.
    pub fn append(&mut self, turn: &mut Turn, batch: &mut [u8]) -> Result<Appended, Refused> {
        let (header, log_append_time_ms) = self.check_batch(turn.now, batch)?;
        self.log_bounds(turn)?; // opened, it knows its producers
        if let Sequence::Again(stored) = self.check_sequence(&header)? {
            return Ok(Appended {
                first: stored.first_offset,
                last: stored.last_offset,
                again: true,
                // Kafka tells this of duplicates whatever the topic's timestamps are.
                log_append_time_ms: u64::try_from(stored.timestamp_ms).ok(),
                sync: None,
                rearm: false,
            });
        }
        self.make_directory(turn)?;
        let (now_ms, epoch) = (turn.now.wall_ms, self.assignment.epoch);
        let appended = self.call(turn, |log| log.append(now_ms, epoch, batch))?;
        let appended = appended.map_err(|error| self.storage(turn, error.into()))?;
        let timer = self.timer;
        let header = Header { base_offset: appended.first as i64, leader_epoch: epoch, ..header };
        // Before the sync: its snapshot has to know this batch.
        self.note(turn, &[header]);
        let sync = self.written(turn, batch.len() as u64, &appended);
        let flush_at = self.dirty_since.map(|since| since.saturating_add(self.settings.flush_ms));
        // What recovery found made the log dirty when it was opened, and no timer was set for that.
        let rearm = appended.sealed.is_some()
            || flush_at.is_some_and(|flush_at| timer.is_none_or(|at| at > flush_at))
            || self.assignment.replicas.len() > 1;
        self.leader(turn, |leader| leader.appended(appended.last + 1))?;
        let (first, last) = (appended.first, appended.last);
        Ok(Appended { first, last, again: false, log_append_time_ms, sync, rearm })
    }

    /// The directory and the small files in it are made with the first batch.
    pub(super) fn make_directory(&mut self, turn: &mut Turn) -> Result<(), Refused> {
        if !self.on_disk {
            self.has_directory = true;
            let made = self.own_directory(turn).and_then(|_| self.write_own_files(turn));
            made.map_err(|error| self.storage(turn, error.into()))?;
            self.on_disk = true;
        }
        Ok(())
    }

    /// Bytes were appended. Gives where the log ends if a sync is due, which then has begun.
    pub(super) fn written(
        &mut self,
        turn: &mut Turn,
        bytes: u64,
        appended: &offset_log::Appended,
    ) -> Option<u64> {
        self.disk_failed = false;
        self.dirty_since.get_or_insert(turn.now.mono_ms);
        self.unsynced_bytes += bytes;
        let due = appended.sealed.is_some() || self.unsynced_bytes >= FLUSH_BYTES;
        if due { self.begin_sync(turn, appended.last.saturating_add(1)) } else { None }
    }

    /// Marks a sync as begun, unless one is running: then its end will begin the next.
    pub(super) fn begin_sync(&mut self, turn: &mut Turn, to: u64) -> Option<u64> {
        if self.sync_running {
            return None;
        }
        self.write_epochs_again(turn);
        self.save_producers(turn, to);
        self.sync_running = true;
        self.unsynced_bytes = 0;
        self.dirty_since = None;
        Some(to)
    }

    /// A sync has ended: what was written before it is on the disk.
    pub fn synced(&mut self, to: u64) {
        self.sync_running = false;
        if self.history.is_written() {
            self.recovery_point = self.recovery_point.max(to);
        }
    }

    /// A sync has failed. The system may have dropped the very pages that could not be written, and
    /// would call the next sync a success: so the partition answers no more until a restart has
    /// read the files again.
    pub fn sync_failed(&mut self, error: &io::Error, out: &mut Vec<Output>) {
        self.sync_running = false;
        let why = format!("fsync failed: {error}");
        self.log = Log::Offline(Refused::new(ErrorCode::KAFKA_STORAGE_ERROR, &why));
        let partition = self.dir.to_string();
        out.push(Output::Tell(Event::Storage { partition, why, offline: true }));
    }

    /// For a clean stop: syncs here and now.
    pub fn sync_now(&mut self, files: &mut dyn Files) -> io::Result<()> {
        if let Log::Open(organ) = &mut self.log
            && let Ok(end) = organ.call(|log| log.log_end())
        {
            // Nobody waits for an answer any more, and no producer is too old for this.
            let (now, out) = (Now { mono_ms: 0, wall_ms: 0 }, &mut Vec::new());
            let mut turn = Turn { now, files: &mut *files, out };
            self.write_epochs_again(&mut turn);
            self.save_producers(&mut turn, end);
            files.sync(&self.dir)?;
            if self.history.is_written() {
                self.recovery_point = end;
            }
        }
        Ok(())
    }
}
