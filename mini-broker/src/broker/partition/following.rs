//! A follower's log: it grows by what the leader gives, and is cut where it parts from the leader's.
//! (`ReplicaFetcherThread`, KIP-101, KIP-279, KIP-595.)

use wire::ErrorCode;

use super::{Partition, Turn};
use crate::broker::{Event, Output, Refused};
use crate::records::{Batch, Header};

/// Where a follower stands, as its next fetch says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// As the next start would find it.
    pub log_start: u64,
    pub log_end: u64,
    /// The epoch of its last record; −1: there is none.
    pub last_epoch: i32,
}

/// What appending gave.
#[derive(Debug, Default)]
pub struct Followed {
    /// A sync is due: it makes the log safe below this offset.
    pub sync: Option<u64>,
    /// The log starts later than before, and its files do not say so.
    pub start_moved: bool,
}

impl Partition {
    pub fn position(&mut self, turn: &mut Turn) -> Result<Position, Refused> {
        let (log_start, log_end) = self.log_bounds(turn)?;
        let last_epoch = self.history.epochs.latest().unwrap_or(-1);
        // What was deleted might come back with the next start, so nobody is told of it yet.
        let for_sure = self.deleted_before <= self.deleted_on_disk;
        let log_start = if for_sure { log_start } else { log_start.min(self.deleted_on_disk) };
        Ok(Position { log_start, log_end, last_epoch })
    }

    /// Appends what the leader gave, whole batches as they are. `high_watermark` and `log_start` are the
    /// leader's.
    pub fn follow(
        &mut self,
        turn: &mut Turn,
        batches: &[u8],
        high_watermark: u64,
        log_start: u64,
    ) -> Result<Followed, Refused> {
        let mut followed = Followed::default();
        let headers = whole(batches)?;
        if !headers.is_empty() {
            let bytes: usize = headers.iter().map(Header::size).sum();
            self.make_directory(turn)?;
            let (own_start, log_end) = self.log_bounds(turn)?;
            let first = headers[0].base_offset as u64;
            if own_start == log_end && first < log_end {
                self.begin_earlier(turn, first)?;
            }
            let now_ms = turn.now.wall_ms;
            let appended = self.call(turn, |log| log.append_fetched(now_ms, &batches[..bytes]))?;
            let appended = appended.map_err(|error| self.storage(turn, error.into()))?;
            // Before the sync: its snapshot has to know these batches.
            self.note(turn, &headers);
            followed.sync = self.written(turn, bytes as u64, &appended);
        }
        let (own_start, log_end) = self.log_bounds(turn)?;
        self.high_watermark = high_watermark.min(log_end);
        if log_start > own_start && log_start <= log_end && self.on_disk {
            let deleted = self.call(turn, |log| log.delete_before(log_start))?;
            deleted.map_err(|error| self.storage(turn, error.into()))?;
            self.deleted_before = log_start;
            followed.start_moved = true;
            self.history.epochs.start_moved(log_start);
        }
        Ok(followed)
    }

    /// The leader's log has another end of an epoch: what the two do not share goes.
    pub fn part(&mut self, turn: &mut Turn, (epoch, end): (i32, u64)) -> Result<(), Refused> {
        let log_end = self.log_bounds(turn)?.1;
        let keep = self.history.epochs.truncate_to((epoch, end), log_end);
        self.cut(turn, keep)
    }

    /// Cuts off everything from an offset on.
    fn cut(&mut self, turn: &mut Turn, end: u64) -> Result<(), Refused> {
        let (log_start, from) = self.log_bounds(turn)?;
        let end = end.max(log_start);
        if end >= from {
            return self.forget_empty_epochs(turn, end);
        }
        let cut = self.call(turn, |log| log.truncate(end).map(|()| log.log_end()))?;
        let to = cut.map_err(|error| self.storage(turn, error.into()))?;
        self.recovery_point = self.recovery_point.min(to);
        self.high_watermark = self.high_watermark.min(to);
        self.dirty_since.get_or_insert(turn.now.mono_ms);
        let partition = self.dir.to_string();
        turn.out.push(Output::Tell(Event::Truncated { partition, from, to }));
        self.history_cut(turn, to).map_err(|refused| self.storage(turn, refused))
    }

    /// There is nothing to cut, but this broker may have led at the log's end without writing anything. The
    /// leader does not have that epoch, and would name the same parting again and again.
    /// (`UnifiedLog.truncateTo` cuts the epochs in any case, too.)
    fn forget_empty_epochs(&mut self, turn: &mut Turn, end: u64) -> Result<(), Refused> {
        let before = self.history.epochs.latest();
        self.history.epochs.truncated(end);
        if self.on_disk && self.history.epochs.latest() != before {
            self.write_epochs(turn).map_err(|error| self.storage(turn, error.into()))?;
        }
        Ok(())
    }

    /// The leader has nothing at this follower's end. If its log starts later, this one begins anew
    /// there; if it ends earlier, this one is cut. (`AbstractFetcherThread.fetchOffsetAndTruncate`.)
    pub fn out_of_range(
        &mut self,
        turn: &mut Turn,
        leader_start: u64,
        leader_end: u64,
    ) -> Result<(), Refused> {
        let log_end = self.log_bounds(turn)?.1;
        if leader_start <= log_end {
            self.cut(turn, leader_end)?;
            return self.begin_where_the_leader_does(turn, leader_start).map(|_| ());
        }
        self.make_directory(turn)?;
        let begun = self.call(turn, |log| log.begin_at(leader_start))?;
        begun.map_err(|error| self.storage(turn, error.into()))?;
        self.deleted_before = leader_start;
        self.begun_anew(turn, leader_start)
    }
}

impl Partition {
    /// A log that is empty, and starts later than its leader's, begins anew where that starts; whether it
    /// did. What stood below was deleted when another led, and after an unclean election there may be other
    /// records in its place.
    pub fn begin_where_the_leader_does(
        &mut self,
        turn: &mut Turn,
        leader_start: u64,
    ) -> Result<bool, Refused> {
        let (log_start, log_end) = self.log_bounds(turn)?;
        if log_start < log_end || leader_start >= log_start || !self.on_disk {
            return Ok(false);
        }
        self.begin_earlier(turn, leader_start)?;
        self.begun_anew(turn, leader_start)?;
        Ok(true)
    }

    /// The log is empty and begins here now, and nothing is known of what was before.
    fn begun_anew(&mut self, turn: &mut Turn, at: u64) -> Result<(), Refused> {
        self.high_watermark = at;
        let partition = self.dir.to_string();
        turn.out.push(Output::Tell(Event::BegunAnew { partition, at }));
        self.history_begins(turn).map_err(|refused| self.storage(turn, refused))
    }

    /// An empty log begins in the middle of the leader's first batch: records were deleted up to there, and
    /// then power was lost before the batch was on the disk. It begins where the batch does.
    /// (`Partition.appendRecordsToFollowerOrFutureReplica`.)
    fn begin_earlier(&mut self, turn: &mut Turn, at: u64) -> Result<(), Refused> {
        self.close();
        (self.deleted_before, self.recovery_point) = (at, 0);
        let emptied = turn.files.dir(&self.dir).and_then(|mut dir| {
            let files = dir.list()?.into_iter().map(|(name, _)| name);
            let segments = files.filter(|name| {
                [".log", ".index", ".timeindex"].iter().any(|ending| name.ends_with(ending))
            });
            segments.into_iter().try_for_each(|name| dir.remove(&name))
        });
        emptied.map_err(|error| self.storage(turn, error.into()))
    }
}

/// The headers of the whole batches, each as it was when it was written.
fn whole(mut bytes: &[u8]) -> Result<Vec<Header>, Refused> {
    let mut headers = Vec::new();
    while let Ok(batch) = Batch::read(bytes) {
        if !batch.crc_matches() {
            let why = format!("the batch at offset {} is damaged", batch.header.base_offset);
            return Err(Refused::new(ErrorCode::CORRUPT_MESSAGE, why));
        }
        headers.push(batch.header);
        bytes = &bytes[batch.bytes.len()..];
    }
    Ok(headers)
}
