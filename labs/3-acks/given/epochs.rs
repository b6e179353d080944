//! Which leader wrote which part of a log. It is how a follower finds where its log and the
//! leader's part.
//!
//! A follower that returns may hold records that were never committed, and lack others. Its high
//! watermark does not say which: it hears of it one fetch late. Kafka cut by it until KIP-101, and
//! lost records. The epoch in each batch does say it: one epoch has one leader, so two logs that
//! have the same epoch at the same offset are the same up to there.

use std::collections::BTreeMap;

/// For each leader epoch in a log, the offset of its first record. Kafka keeps it in a file beside
/// the log, `leader-epoch-checkpoint`. (Kafka: `LeaderEpochFileCache`.)
///
/// Invariant: a later epoch starts at a later offset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Epochs {
    starts: BTreeMap<i32, u64>,
}

impl Epochs {
    pub fn new() -> Self {
        Self::default()
    }

    /// From the lines of a checkpoint, in their order.
    pub fn from_entries(entries: impl IntoIterator<Item = (i32, u64)>) -> Self {
        let mut epochs = Self::new();
        entries.into_iter().for_each(|(epoch, start)| epochs.started(epoch, start));
        epochs
    }

    /// Each epoch and its first offset, the oldest first.
    pub fn entries(&self) -> Vec<(i32, u64)> {
        self.starts.iter().map(|(epoch, start)| (*epoch, *start)).collect()
    }

    /// An epoch starts at this offset: a leader was elected, or a follower has got the first batch
    /// of a new epoch. If it is the latest one already, nothing changes. What is there and cannot
    /// be true beside it goes: later epochs, and those that start at this offset or after it.
    pub fn started(&mut self, epoch: i32, at_offset: u64) {
        if self.starts.last_key_value().is_some_and(|(last, at)| *last == epoch && *at <= at_offset)
        {
            return;
        }
        self.starts.retain(|other, start| *other < epoch && *start < at_offset);
        self.starts.insert(epoch, at_offset);
    }

    /// The epoch of the last record, which a follower sends with each fetch.
    pub fn latest(&self) -> Option<i32> {
        self.starts.last_key_value().map(|(epoch, _)| *epoch)
    }

    /// The epoch of the record at an offset.
    pub fn at(&self, offset: u64) -> Option<i32> {
        self.starts.iter().rev().find(|(_, start)| **start <= offset).map(|(epoch, _)| *epoch)
    }

    /// The largest epoch here that is not past the one asked for, and where it ends: where the next
    /// one starts, or at the log end. (KIP-101; that it also says *which* epoch is KIP-279.)
    ///
    /// An epoch before all that are kept ends where the log begins. Of one that is past all there
    /// is nothing known: `None`, on the wire −1 and −1.
    pub fn end_of(&self, epoch: i32, log_end: u64) -> Option<(i32, u64)> {
        if self.latest() == Some(epoch) {
            return Some((epoch, log_end));
        }
        let next = self.starts.range(epoch.saturating_add(1)..).next();
        let (_, end) = next?;
        let floor = self.starts.range(..=epoch).next_back();
        Some((floor.map_or(epoch, |(floor, _)| *floor), *end))
    }

    /// The leader's side: a follower fetches from `fetch_offset`, and its last record has
    /// `last_fetched_epoch`. If its log is not a part of this one, the answer has no records, but
    /// where the two part, as far as the leader can tell. (KIP-595, Fetch from version 12 on.)
    pub fn diverging(
        &self,
        last_fetched_epoch: i32,
        fetch_offset: u64,
        log_end: u64,
    ) -> Option<(i32, u64)> {
        // A newer epoch than all here was never this log's. (Kafka answers OFFSET_OUT_OF_RANGE. It
        // cannot be while leader epochs only grow.)
        let newest = || self.latest().map(|epoch| (epoch, log_end));
        let (epoch, end) = self.end_of(last_fetched_epoch, log_end).or_else(newest)?;
        (epoch < last_fetched_epoch || end < fetch_offset).then_some((epoch, end))
    }

    /// The follower's side: the leader says that its epoch `epoch` ends at `end`. How much of this
    /// log, which ends at `log_end`, may stay?
    ///
    /// If this log has that epoch too, both agree up to where the shorter one ends. If not,
    /// everything after the last older epoch goes, and the next fetch asks again. So they step
    /// back, epoch by epoch, until they meet. (Kafka:
    /// `AbstractFetcherThread.getOffsetTruncationState`.)
    pub fn truncate_to(&self, (epoch, end): (i32, u64), log_end: u64) -> u64 {
        match self.end_of(epoch, log_end) {
            Some((mine, my_end)) if mine == epoch => my_end.min(end).min(log_end),
            Some((_, my_end)) => my_end.min(log_end),
            None => end.min(log_end),
        }
    }

    /// The log was cut, and ends here now.
    pub fn truncated(&mut self, end: u64) {
        self.starts.retain(|_, start| *start < end);
    }

    /// The oldest records went. The epoch of the first that is left starts there now.
    pub fn start_moved(&mut self, log_start: u64) {
        let Some(first) = self.at(log_start) else { return };
        self.starts.retain(|epoch, _| *epoch >= first);
        self.starts.insert(first, log_start);
    }
}
