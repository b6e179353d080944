//! A partition: its log behind the fence, what is known of the disk below it, and who waits for it.
//!
//! Log, leader epoch, replicas and producers meet here and nowhere else.

mod check; // what a batch must be
mod open; // its log, when first needed
mod shorten; // its oldest records, when they go

mod clean;

mod writing; // appending, and what is on the disk for sure

mod leading; // what this broker is to it: lab 3's organ

mod awaited; // who waits for more than the leader

mod following; // what a leader gives

mod history; // what its batches say beside their records

mod producer_snapshot;

use std::collections::BTreeSet;
use std::sync::Arc;

use uuid::Uuid;
use wire::ErrorCode;

use super::traffic::Traffic;
use super::{Files, Located, Now, Output, Refused, Ticket};
use crate::configs::TopicSettings;
use crate::coordinator::Assignment;
use crate::labs::Organ;
use crate::labs::offset_log::{OffsetLog, Slice};
pub use awaited::{Awaited, Part, Until, Waiter};
pub use clean::Chore;
use clean::Cleaning;
use history::History;
pub use leading::{Fetched, InSyncAnswer, Role, WantedInSync};
pub use writing::Appended;

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
    /// Parked fetches of followers, which want to know when the log grows.
    pub followers_waiting: BTreeSet<Ticket>,
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
    /// The same, as the next start would find it.
    deleted_on_disk: u64,
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
    /// This broker's node id.
    me: i32,
    pub role: Role,
    /// Everything below is on every replica in sync, as far as this broker knows.
    high_watermark: u64,
    /// The high watermark is another one than when somebody last looked.
    watermark_moved: bool,
    /// A follower's log starts elsewhere than when somebody last looked.
    starts_moved: bool,
    /// Who waits for it, and for other things that replicas have to do.
    pub awaited: Vec<Awaited>,
    history: History,
    pub traffic: Traffic,
    /// How often a replica fell out of the in-sync set that this broker leads, and came back, since that was last taken.
    isr_moves: (u64, u64),
}

/// What an open log says of itself.
pub struct Seen {
    pub start: u64,
    pub end: u64,
    /// In bytes.
    pub size: u64,
    pub segments: usize,
}

enum Log {
    /// Nothing was asked of it since the start. Ten thousand of these cost next to nothing.
    Closed,
    Open(Organ<OffsetLog>),
    /// An fsync failed, or its organ panicked while opening. Only a restart brings it back.
    Offline(Refused),
}

/// What the checkpoint files say of a partition; 0 where they say nothing.
pub struct Found {
    /// The log is safe below.
    pub recovery_point: u64,
    /// Its records are deleted below.
    pub deleted_before: u64,
    /// It is compacted below.
    pub cleaned_to: u64,
    /// It was known to be on every replica in sync below.
    pub high_watermark: u64,
}

/// What a tick has found to do.
#[derive(Debug, Default)]
pub struct Ticked {
    /// A sync is due: it makes the log safe below this offset.
    pub sync: Option<u64>,
    /// The log starts later than before: whoever waits below that waits for nothing.
    pub start_moved: bool,
}

/// Where a log starts, below which offset clients may read it, and where it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    pub log_start: u64,
    pub high_watermark: u64,
    pub log_end: u64,
}

impl Partition {
    pub fn new(
        topic: Arc<str>,
        index: i32,
        topic_id: Uuid,
        me: i32,
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
            followers_waiting: BTreeSet::new(),
            timer: None,
            settings,
            log: Log::Closed,
            on_disk: false,
            has_directory: false,
            recovery_point: 0,
            deleted_before: 0,
            deleted_on_disk: 0,
            unsynced_bytes: 0,
            dirty_since: None,
            sync_running: false,
            retention_at: 0,
            disk_failed: false,
            reopens_as: None,
            cleaning: Cleaning::default(),
            me,
            role: leading::role(me, assignment),
            high_watermark: 0,
            watermark_moved: false,
            starts_moved: false,
            awaited: Vec::new(),
            history: History::new(settings.producer_expiration_ms),
            traffic: Traffic::default(),
            isr_moves: (0, 0),
        }
    }

    /// Its directory was found at the start. Retention and compaction look at it `later_ms` later than
    /// they would.
    pub fn found(&mut self, found: Found, later_ms: u64) {
        (self.on_disk, self.has_directory) = (true, true);
        self.recovery_point = found.recovery_point;
        self.deleted_before = found.deleted_before;
        self.deleted_on_disk = found.deleted_before;
        self.high_watermark = found.high_watermark;
        self.retention_at = later_ms;
        self.was_cleaned_to(found.cleaned_to);
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
        self.history.producers.configure(settings.producer_expiration_ms);
        self.configure_leading(turn);
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

    /// The next start finds that the records below an offset were deleted. Whether that is new.
    pub fn deleted_for_sure(&mut self, before: u64) -> bool {
        std::mem::replace(&mut self.deleted_on_disk, before) != before
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

    /// Where the log starts, below which offset it may be read, and where it ends.
    pub fn bounds(&mut self, turn: &mut Turn) -> Result<Bounds, Refused> {
        let (log_start, log_end) = self.log_bounds(turn)?;
        if self.leads() {
            self.leader(turn, |_| ())?; // it knows best
        }
        let high_watermark = self.high_watermark.clamp(log_start, log_end);
        Ok(Bounds { log_start, high_watermark, log_end })
    }

    /// Where the log starts and ends. A partition that was never written to has no files to ask.
    fn log_bounds(&mut self, turn: &mut Turn) -> Result<(u64, u64), Refused> {
        if !self.on_disk {
            return Ok((0, 0));
        }
        self.call(turn, |log| (log.log_start(), log.log_end()))
    }

    /// Whether the high watermark has moved since this was last asked.
    pub fn take_watermark_moved(&mut self) -> bool {
        std::mem::take(&mut self.watermark_moved)
    }

    /// Whether a follower has said since this was last asked that its log starts elsewhere.
    pub fn take_starts_moved(&mut self) -> bool {
        std::mem::take(&mut self.starts_moved)
    }

    /// Up to where this broker knows the partition to be replicated; `None` if that is no question:
    /// there are no files, or no other replica.
    pub fn high_watermark(&self) -> Option<u64> {
        (self.on_disk && self.assignment.replicas.len() > 1).then_some(self.high_watermark)
    }

    /// The high watermark, whatever else is known of the partition.
    pub fn known_high_watermark(&self) -> u64 {
        self.high_watermark
    }

    /// The bytes of its batches. `None` if the log is not open: then its files have to be asked.
    pub fn size(&mut self) -> Option<u64> {
        match &mut self.log {
            Log::Open(organ) => organ.call(|log| log.size()).ok(),
            _ if self.on_disk => None,
            _ => Some(0),
        }
    }

    /// Whether this broker is to have it.
    pub fn is_here(&self) -> bool {
        self.assignment.replicas.contains(&self.me)
    }

    pub fn is_offline(&self) -> bool {
        matches!(self.log, Log::Offline(_))
    }

    /// How many replicas must be in sync for acks=all. (`Partition.effectiveMinIsr`.)
    pub fn min_in_sync(&self) -> usize {
        self.settings.min_insync_replicas.min(self.assignment.replicas.len())
    }

    /// What is known of the log without opening it.
    pub fn seen(&mut self) -> Option<Seen> {
        let Log::Open(organ) = &mut self.log else {
            let nothing = Seen { start: 0, end: 0, size: 0, segments: 0 };
            return (!self.on_disk).then_some(nothing);
        };
        let seen = organ.call(|log| Seen {
            start: log.log_start(),
            end: log.log_end(),
            size: log.size(),
            segments: log.segments().len(),
        });
        seen.ok()
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
        let leading = self.leading_deadline();
        flush.into_iter().chain(retention).chain(self.look_at()).chain(leading).min()
    }

    /// Lets retention delete what is due, and says what has become due.
    pub fn tick(&mut self, turn: &mut Turn) -> Ticked {
        let now = turn.now;
        self.leading_tick(turn);
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
            let high_watermark = self.bounds(turn).map_or(0, |bounds| bounds.high_watermark);
            ticked.start_moved = self.delete_old(turn, high_watermark);
        }
        let flush = self.settings.flush_ms;
        if self.dirty_since.is_some_and(|since| since.saturating_add(flush) <= now.mono_ms) {
            ticked.sync = self.begin_sync(turn, end);
        }
        ticked
    }

    /// The next call opens the log anew.
    fn close(&mut self) {
        self.log = Log::Closed;
        self.reopens_as = None;
    }

    /// The log has just been opened: what its batches say is read. If they cannot be read now, it is as if
    /// it could not be opened.
    fn opened(&mut self, turn: &mut Turn) -> Result<(), Refused> {
        let Log::Open(organ) = &mut self.log else { return Ok(()) };
        let Ok(log_end) = organ.call(|log| log.log_end()) else { return Ok(()) };
        self.read_history(turn, log_end).inspect_err(|_| self.log = Log::Closed)
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
                self.opened(turn)?;
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
            self.tell_broken(turn, open::LAB, broken);
        }
        Ok(result?)
    }
}
