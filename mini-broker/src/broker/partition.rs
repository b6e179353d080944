//! A partition: its log behind the fence, what is known of the disk below it, and who waits for it.
//!
//! Log, leader epoch and (from lab 3 on) replicas and producers meet here and nowhere else.

mod check; // what a batch must be
mod open; // its log, when first needed
mod shorten; // its oldest records, when they go

mod clean;

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use uuid::Uuid;
use wire::ErrorCode;

use super::produce::ACKS_ALL;
use super::{Event, Files, Located, Now, Output, Refused, Ticket};
use crate::configs::TopicSettings;
use crate::coordinator::{Assignment, NO_LEADER};
use crate::labs::Organ;
use crate::labs::offset_log::{OffsetLog, Slice};
pub use clean::Chore;
use clean::Cleaning;

/// Bytes written since the last sync from which on the next one is due.
const FLUSH_BYTES: u64 = 64 << 20;

/// No segment is larger, so no fetch is.
const MOST_FETCHED: u32 = i32::MAX as u32;

/// What a call into a partition may need beside the partition.
pub struct Turn<'a> {
    pub now: Now,
    pub files: &'a mut dyn Files,
    pub out: &'a mut Vec<Output>,
}

pub struct Partition {
    pub topic: Arc<str>,
    pub index: i32,
    pub topic_id: Uuid,
    /// Who keeps it, and who leads it.
    pub assignment: Assignment,
    /// Its directory, such as `orders-0`.
    pub dir: Arc<str>,
    /// Parked fetches that want to know when the high watermark moves.
    pub waiting: BTreeSet<Ticket>,
    /// The timer that is set for this partition, in `mono_ms`.
    pub timer: Option<u64>,
    settings: TopicSettings,
    log: Log,
    /// Whether there is something in the directory.
    on_disk: bool,
    /// Whether the directory may be there. Before there is something in it, a full disk may have
    /// stopped the first attempt.
    has_directory: bool,
    /// The log is on the disk for sure below this offset: the next start scans from here.
    recovery_point: u64,
    /// Below this offset somebody has deleted the records. The log's files know only where their
    /// oldest segment begins; 0 if that says enough.
    deleted_before: u64,
    unsynced_bytes: u64,
    /// When the oldest unsynced bytes were written, in `mono_ms`.
    dirty_since: Option<u64>,
    sync_running: bool,
    /// When retention last looked at it, in `mono_ms`: at the earliest a check interval later it
    /// looks again.
    retention_at: u64,
    /// The last call met a failing disk: the next such failure is no news.
    disk_failed: bool,
    /// A log that was closed to be opened again at once starts and ends here.
    reopens_as: Option<Bounds>,
    pub cleaning: Cleaning,
}

enum Log {
    /// Nothing was asked of it since the start. Ten thousand of these cost next to nothing.
    Closed,
    Open(Organ<OffsetLog>),
    /// An fsync failed, or its organ panicked while opening. Only a restart brings it back.
    Offline(Refused),
}

/// What an append gave.
pub struct Appended {
    pub first: u64,
    /// The time that was written into the batch, if the topic wants the broker's.
    pub log_append_time_ms: Option<u64>,
    /// A sync is due: it makes the log safe below this offset.
    pub sync: Option<u64>,
    /// Whether the partition's next deadline may be another than before.
    pub rearm: bool,
}

/// What a tick has found to do.
#[derive(Debug, Default)]
pub struct Ticked {
    /// A sync is due: it makes the log safe below this offset.
    pub sync: Option<u64>,
    /// The log starts later than before: whoever waits below that waits for nothing.
    pub start_moved: bool,
}

/// Where a log starts, and below which offset it may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    pub log_start: u64,
    /// One replica: what is written is everywhere it has to be, so this is the log's end.
    pub high_watermark: u64,
}

impl Partition {
    pub fn new(
        topic: Arc<str>,
        index: i32,
        topic_id: Uuid,
        assignment: &Assignment,
        settings: TopicSettings,
    ) -> Self {
        let dir = format!("{topic}-{index}").into();
        Self {
            topic,
            index,
            topic_id,
            assignment: assignment.clone(),
            dir,
            waiting: BTreeSet::new(),
            timer: None,
            settings,
            log: Log::Closed,
            on_disk: false,
            has_directory: false,
            recovery_point: 0,
            deleted_before: 0,
            unsynced_bytes: 0,
            dirty_since: None,
            sync_running: false,
            retention_at: 0,
            disk_failed: false,
            reopens_as: None,
            cleaning: Cleaning::default(),
        }
    }

    /// Its directory was found at the start, safe below `recovery_point`, its records deleted before
    /// `deleted_before`, compacted below `cleaned_to`. Retention and compaction look at it `later_ms`
    /// later than they would.
    pub fn found(
        &mut self,
        recovery_point: u64,
        deleted_before: u64,
        cleaned_to: u64,
        later_ms: u64,
    ) {
        (self.on_disk, self.has_directory) = (true, true);
        (self.recovery_point, self.deleted_before) = (recovery_point, deleted_before);
        self.retention_at = later_ms;
        self.was_cleaned_to(cleaned_to);
        self.look_later(later_ms);
    }

    /// Goes by other settings from now on. Whether they are others, and the next deadline with them.
    pub fn configure(&mut self, turn: &mut Turn, settings: TopicSettings) -> bool {
        if settings == self.settings {
            return false;
        }
        self.settings = settings;
        if let Log::Open(_) = self.log {
            // An organ that panics is told of; from then on it answers no more anyway.
            let _ = self.call(turn, |log| log.configure(settings.of_log()));
        }
        true
    }

    pub fn settings(&self) -> &TopicSettings {
        &self.settings
    }

    pub fn has_directory(&self) -> bool {
        self.has_directory
    }

    /// Below which offset the next start may trust the log; `None` if there are no files.
    pub fn recovery_point(&self) -> Option<u64> {
        self.on_disk.then_some(self.recovery_point)
    }

    /// Below which offset the records were deleted, if the files alone would not say so.
    pub fn deleted_before(&self) -> Option<u64> {
        (self.on_disk && self.deleted_before > 0).then_some(self.deleted_before)
    }

    /// Appends one batch. Its offset and leader epoch are written into it, and the time if the topic
    /// wants the broker's.
    pub fn append(&mut self, turn: &mut Turn, batch: &mut [u8]) -> Result<Appended, Refused> {
        let log_append_time_ms = self.check_batch(turn.now, batch)?;
        if !self.on_disk {
            self.has_directory = true;
            let made = self.own_directory(turn).and_then(|_| self.write_own_files(turn));
            made.map_err(|error| self.storage(turn, error.into()))?;
            self.on_disk = true;
        }
        let (now_ms, epoch) = (turn.now.wall_ms, self.assignment.epoch);
        let appended = self.call(turn, |log| log.append(now_ms, epoch, batch))?;
        let appended = appended.map_err(|error| self.storage(turn, error.into()))?;
        self.disk_failed = false;
        let since = *self.dirty_since.get_or_insert(turn.now.mono_ms);
        let flush_at = since.saturating_add(self.settings.flush_ms);
        // What recovery found made the log dirty when it was opened, and no timer was set for that.
        let rearm = appended.sealed.is_some() || self.timer.is_none_or(|at| at > flush_at);
        self.unsynced_bytes += batch.len() as u64;
        let due = appended.sealed.is_some() || self.unsynced_bytes >= FLUSH_BYTES;
        let sync = if due { self.begin_sync(appended.last.saturating_add(1)) } else { None };
        Ok(Appended { first: appended.first, log_append_time_ms, sync, rearm })
    }

    /// Takes what the cluster has agreed on. Whether somebody who waits has something to learn.
    pub fn assign(&mut self, assignment: Assignment) -> bool {
        let before = std::mem::replace(&mut self.assignment, assignment);
        before.epoch != self.assignment.epoch
    }

    /// Whether this broker leads it. (Clients look for the leader elsewhere then.)
    pub fn check_leads(&self, me: i32) -> Result<(), Refused> {
        match self.assignment.leader {
            leader if leader == me => Ok(()),
            leader => {
                let (topic, index) = (&self.topic, self.index);
                let who = match leader {
                    NO_LEADER => "nobody leads it now".into(),
                    leader => format!("broker {leader} leads it"),
                };
                let why = format!("{topic}-{index}: {who}");
                Err(Refused::new(ErrorCode::NOT_LEADER_OR_FOLLOWER, why))
            }
        }
    }

    /// acks=all wants `min.insync.replicas`; there is this one.
    pub fn check_replicas(&self, acks: i16) -> Result<(), Refused> {
        let least = self.settings.min_insync_replicas;
        if acks == ACKS_ALL && least > 1 {
            let why = format!("1 replica is in sync, min.insync.replicas is {least}");
            return Err(Refused::new(ErrorCode::NOT_ENOUGH_REPLICAS, why));
        }
        Ok(())
    }

    /// A client may say which leader epoch it believes in; −1: it does not (KIP-320).
    pub fn check_epoch(&self, believed: i32) -> Result<(), Refused> {
        let (code, word) = match believed {
            -1 => return Ok(()),
            epoch if epoch < self.assignment.epoch => (ErrorCode::FENCED_LEADER_EPOCH, "older"),
            epoch if epoch > self.assignment.epoch => (ErrorCode::UNKNOWN_LEADER_EPOCH, "newer"),
            _ => return Ok(()),
        };
        let ours = self.assignment.epoch;
        Err(Refused::new(code, format!("leader epoch {believed} is {word} than ours, {ours}")))
    }

    /// Where the batches from `offset` on stand, or `None` at the log's end.
    pub fn read(
        &mut self,
        turn: &mut Turn,
        offset: u64,
        below: u64,
        max_bytes: u32,
    ) -> Result<Option<Slice>, Refused> {
        let slice = self.call(turn, |log| log.read(offset, below, max_bytes))?;
        let slice = slice.map_err(|error| self.storage(turn, error.into()))?;
        if slice.len > MOST_FETCHED {
            let why = format!("the log gave {} bytes for {max_bytes}", slice.len);
            return Err(Refused::new(ErrorCode::UNKNOWN_SERVER_ERROR, why));
        }
        Ok((slice.len > 0).then_some(slice))
    }

    /// Where the log starts and ends. A partition that was never written to has no files to ask.
    pub fn bounds(&mut self, turn: &mut Turn) -> Result<Bounds, Refused> {
        if !self.on_disk {
            return Ok(Bounds { log_start: 0, high_watermark: 0 });
        }
        self.call(turn, |log| Bounds { log_start: log.log_start(), high_watermark: log.log_end() })
    }

    /// The bytes of its batches. `None` if the log is not open: then its files have to be asked.
    pub fn size(&mut self) -> Option<u64> {
        match &mut self.log {
            Log::Open(organ) => organ.call(|log| log.size()).ok(),
            _ if self.on_disk => None,
            _ => Some(0),
        }
    }

    /// The batch that holds the first record at `timestamp_ms` or later.
    pub fn find_time(
        &mut self,
        turn: &mut Turn,
        timestamp_ms: i64,
    ) -> Result<Option<Slice>, Refused> {
        if !self.on_disk {
            return Ok(None);
        }
        let found = self.call(turn, |log| log.find_time(timestamp_ms))?;
        found.map_err(|error| self.storage(turn, error.into()))
    }

    pub fn located(&self, slice: &Slice) -> Located {
        let Slice { segment, position, len, .. } = *slice;
        Located { dir: Arc::clone(&self.dir), segment, position, len }
    }

    /// When `tick` has something to do, in `mono_ms`.
    pub fn deadline(&mut self, now: Now) -> Option<u64> {
        let flush = self.dirty_since.filter(|_| !self.sync_running);
        let flush = flush.map(|since| since.saturating_add(self.settings.flush_ms));
        let next_look = self.retention_at + self.settings.retention_check_ms;
        let of_log = self.settings.of_log();
        let may_delete = self.may_delete();
        let retention = match &mut self.log {
            _ if !may_delete => None,
            Log::Open(organ) => organ.call(|log| log.deadline()).ok().flatten().map(|wall| {
                now.mono_ms.saturating_add(wall.saturating_sub(now.wall_ms)).max(next_look)
            }),
            // Nobody knows yet how old it is: the first look opens it.
            Log::Closed if self.on_disk => {
                let limited = of_log.retention_ms.is_some() || of_log.retention_bytes.is_some();
                limited.then_some(next_look)
            }
            Log::Closed | Log::Offline(_) => None,
        };
        flush.into_iter().chain(retention).chain(self.look_at()).min()
    }

    /// Lets retention delete what is due, and says what has become due.
    pub fn tick(&mut self, turn: &mut Turn) -> Ticked {
        let now = turn.now;
        if !self.on_disk {
            return Ticked::default();
        }
        let look = now.mono_ms >= self.retention_at + self.settings.retention_check_ms;
        let Ok((end, retention)) = self.call(turn, |log| (log.log_end(), log.deadline())) else {
            // A log that cannot be opened now is not looked at again at once.
            self.retention_at = now.mono_ms;
            return Ticked::default();
        };
        let mut ticked = Ticked::default();
        if look && self.may_delete() && retention.is_some_and(|due| due <= now.wall_ms) {
            self.retention_at = now.mono_ms;
            ticked.start_moved = self.delete_old(turn, end);
        }
        let flush = self.settings.flush_ms;
        if self.dirty_since.is_some_and(|since| since.saturating_add(flush) <= now.mono_ms) {
            ticked.sync = self.begin_sync(end);
        }
        ticked
    }

    /// Marks a sync as begun, unless one is running: then its end will begin the next.
    fn begin_sync(&mut self, to: u64) -> Option<u64> {
        if self.sync_running {
            return None;
        }
        self.sync_running = true;
        self.unsynced_bytes = 0;
        self.dirty_since = None;
        Some(to)
    }

    /// A sync has ended: what was written before it is on the disk.
    pub fn synced(&mut self, to: u64) {
        self.sync_running = false;
        self.recovery_point = self.recovery_point.max(to);
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
            files.sync(&self.dir)?;
            self.recovery_point = end;
        }
        Ok(())
    }

    /// Calls the organ behind its fence, opened first if need be. A panic is told as an event; the
    /// caller gets what its client is told.
    fn call<R>(
        &mut self,
        turn: &mut Turn,
        call: impl FnOnce(&mut OffsetLog) -> R,
    ) -> Result<R, Refused> {
        if let Log::Closed = self.log {
            let again = self.reopens_as.is_some();
            self.log = self.open(turn)?;
            if !again {
                self.retention_at = turn.now.mono_ms;
            }
        }
        let organ = match &mut self.log {
            Log::Open(organ) => organ,
            Log::Offline(refused) => return Err(refused.clone()),
            Log::Closed => unreachable!("opened above"),
        };
        let known = organ.broken().is_some();
        let result = organ.call(call);
        if let (Err(broken), false) = (&result, known) {
            self.tell_broken(turn, broken);
        }
        Ok(result?)
    }
}
