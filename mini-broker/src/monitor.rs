//! What a lag checker knows: how far groups have read, how far logs go, and what to make of it. It is behind
//! `mini-broker lag`.
//!
//! Brokers do not compute lag. As Burrow does, the monitor reads the records of `__consumer_offsets` like any consumer,
//! and asks every now and then where logs end. So it works beside any Kafka broker, and not only inside ours. What
//! to make of the numbers says the organ of lab 5.
//!
//! Here is what it knows, without a clock and without a socket; `watch` brings it what it learns.

pub mod view; // what it says of a group
pub mod watch; // how it learns

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use wire::consumer_protocol::ConsumerProtocolAssignment;
use wire::offsets_topic::{GroupMetadataValue, GroupRecord, OffsetCommitValue};

use crate::client::TopicPartition;
use crate::labs::fenced;
use crate::labs::lag::{Commit, Owner, Samples, Window, rate};

/// How much is remembered, with Burrow's defaults.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How many commits of a partition, and how many ends of its log.
    pub intervals: usize,
    /// A commit that comes sooner after the one before takes its place.
    pub min_distance_ms: u64,
    /// A group that has not committed for so long is forgotten.
    pub expire_group_ms: u64,
    /// For how many looks the lag is remembered, for a curve.
    pub curve: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            intervals: 10,
            min_distance_ms: 0,
            expire_group_ms: 7 * 24 * 3_600_000,
            curve: 10,
        }
    }
}

#[derive(Debug, Default)]
pub struct Monitor {
    settings: Settings,
    logs: BTreeMap<TopicPartition, Log>,
    groups: BTreeMap<String, Group>,
}

#[derive(Debug)]
struct Log {
    start: u64,
    /// As seen at the last looks.
    ends: Samples,
}

#[derive(Debug, Default)]
struct Group {
    readings: BTreeMap<TopicPartition, Reading>,
    owners: BTreeMap<TopicPartition, Owner>,
    members: usize,
    last_commit_ms: u64,
}

/// How far a group has read one partition.
#[derive(Debug)]
struct Reading {
    window: Window,
    /// What was committed, as seen at the last looks.
    looks: Samples,
    /// How many records were left at the last looks.
    curve: VecDeque<u64>,
    /// The oldest unread record: its offset, and its timestamp once that is known.
    oldest: Option<(u64, Option<i64>)>,
}

impl Monitor {
    pub fn new(settings: Settings) -> Self {
        Monitor { settings, ..Default::default() }
    }

    /// A record of `__consumer_offsets`, in the order of the log.
    pub fn record(&mut self, now_ms: u64, record: GroupRecord) {
        match record {
            GroupRecord::OffsetCommit { key, value: Some(value) } => {
                self.committed(now_ms, &key.group, (key.topic, key.partition), &value);
            }
            GroupRecord::OffsetCommit { key, value: None } => {
                if let Some(group) = self.groups.get_mut(&key.group) {
                    group.readings.remove(&(key.topic, key.partition));
                }
            }
            GroupRecord::GroupMetadata { key, value: Some(value) } => {
                let group = self.groups.entry(key.group).or_default();
                group.members = value.members.len();
                group.owners = owners(&value);
            }
            GroupRecord::GroupMetadata { key, value: None } => drop(self.groups.remove(&key.group)),
        }
    }

    fn committed(
        &mut self,
        now_ms: u64,
        group: &str,
        partition: TopicPartition,
        value: &OffsetCommitValue,
    ) {
        let (Ok(offset), Ok(at_ms)) =
            (u64::try_from(value.offset), u64::try_from(value.commit_timestamp))
        else {
            return;
        };
        if now_ms.saturating_sub(at_ms) > self.settings.expire_group_ms {
            return;
        }
        let Settings { intervals, min_distance_ms, .. } = self.settings;
        let end = self.logs.get(&partition).and_then(Log::end);
        let group = self.groups.entry(group.to_owned()).or_default();
        group.last_commit_ms = group.last_commit_ms.max(at_ms);
        let reading = group.readings.entry(partition).or_insert_with(|| Reading {
            window: Window::new(intervals, min_distance_ms),
            looks: Samples::new(intervals),
            curve: VecDeque::new(),
            oldest: None,
        });
        reading.window.committed(at_ms, offset, end);
    }

    /// Where logs start and end, as seen at one look. `None`: it is there, and nobody could say. Logs that are not named
    /// are not there any more.
    pub fn looked(&mut self, now_ms: u64, seen: &BTreeMap<TopicPartition, Option<(u64, u64)>>) {
        self.logs.retain(|partition, _| seen.contains_key(partition));
        for (partition, bounds) in seen {
            let &Some((start, end)) = bounds else { continue };
            let intervals = self.settings.intervals;
            let log = self
                .logs
                .entry(partition.clone())
                .or_insert_with(|| Log { start, ends: Samples::new(intervals) });
            log.start = start;
            log.ends.seen(now_ms, end);
        }
        self.compared(now_ms);
    }

    /// The groups beside the logs, at one look.
    fn compared(&mut self, now_ms: u64) {
        let oldest_ms = now_ms.saturating_sub(self.settings.expire_group_ms);
        self.groups.retain(|_, group| {
            group.members > 0 || group.readings.is_empty() || group.last_commit_ms >= oldest_ms
        });
        for (partition, reading) in self.groups.values_mut().flat_map(|group| &mut group.readings) {
            let Some(log) = self.logs.get(partition) else { continue };
            let committed = reading.window.last().offset;
            reading.looks.seen(now_ms, committed);
            if let Some(end) = log.end() {
                if reading.curve.len() == self.settings.curve {
                    reading.curve.pop_front();
                }
                reading.curve.push_back(end.saturating_sub(committed));
            }
            let next = committed.max(log.start);
            if log.end().is_none_or(|end| next >= end) {
                reading.oldest = None;
            } else if reading.oldest.is_none_or(|(offset, _)| offset != next) {
                reading.oldest = Some((next, None));
            }
        }
    }

    /// Unread records of a group whose time is not known yet.
    pub fn timeless(&self, group: &str) -> Vec<(TopicPartition, u64)> {
        let readings = self.groups.get(group).into_iter().flat_map(|group| &group.readings);
        let timeless = |(partition, reading): (&TopicPartition, &Reading)| match reading.oldest {
            Some((offset, None)) => Some((partition.clone(), offset)),
            _ => None,
        };
        readings.filter_map(timeless).collect()
    }

    /// The time of an unread record; −1 if it has none.
    pub fn timed(&mut self, group: &str, partition: &TopicPartition, offset: u64, time_ms: i64) {
        let reading = self.groups.get_mut(group).and_then(|it| it.readings.get_mut(partition));
        if let Some(reading) = reading
            && reading.oldest == Some((offset, None))
        {
            reading.oldest = Some((offset, Some(time_ms)));
        }
    }

    /// Where a log starts and ends, as it was seen last.
    pub fn bounds(&self, partition: &TopicPartition) -> Option<(u64, u64)> {
        let log = self.logs.get(partition)?;
        Some((log.start, log.end()?))
    }

    /// The names of the groups, in order.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.groups.keys().map(String::as_str)
    }

    /// Forgets a group, until it commits again.
    pub fn forget(&mut self, group: &str) {
        self.groups.remove(group);
    }

    /// Forgets what a group has read of a topic, until it commits there again.
    pub fn forget_topic(&mut self, group: &str, topic: &str) {
        if let Some(group) = self.groups.get_mut(group) {
            group.readings.retain(|(of, _), _| of != topic);
        }
    }

    /// How many commits of a partition are remembered.
    pub fn intervals(&self) -> usize {
        self.settings.intervals
    }

    /// The last commits of a group in a partition, the oldest first.
    pub fn commits(&self, group: &str, partition: &TopicPartition) -> &[Commit] {
        let reading = self.groups.get(group).and_then(|group| group.readings.get(partition));
        reading.map_or(&[], |reading| reading.window.commits())
    }

    /// The topics of which a group has committed something, in order.
    pub fn topics_of(&self, group: &str) -> BTreeSet<&str> {
        let readings = self.groups.get(group).into_iter().flat_map(|group| group.readings.keys());
        readings.map(|(topic, _)| topic.as_str()).collect()
    }

    /// Records a second that come into a partition, as the organ of lab 5 says; `None` as long as nobody can know.
    pub fn come_per_s(&self, partition: &TopicPartition) -> Option<f64> {
        let log = self.logs.get(partition)?;
        fenced(|| rate(log.ends.all())).ok().flatten()
    }

    /// Where the logs of all partitions start and end, in order.
    pub fn logs(&self) -> impl Iterator<Item = (&TopicPartition, (u64, u64))> {
        self.logs.iter().filter_map(|(key, log)| Some((key, (log.start, log.end()?))))
    }

    /// The topics that groups read or have read; one may come more than once.
    pub fn topics(&self) -> impl Iterator<Item = &str> {
        self.groups.values().flat_map(Group::topics)
    }
}

impl Group {
    fn topics(&self) -> impl Iterator<Item = &str> {
        self.readings.keys().chain(self.owners.keys()).map(|(topic, _)| topic.as_str())
    }
}

impl Log {
    fn end(&self) -> Option<u64> {
        self.ends.all().last().map(|seen| seen.offset)
    }
}

/// Who reads what, as the last generation was saved. What cannot be read is nobody's.
fn owners(value: &GroupMetadataValue) -> BTreeMap<TopicPartition, Owner> {
    let mut owners = BTreeMap::new();
    for member in &value.members {
        let Ok(read) = ConsumerProtocolAssignment::from_bytes(&member.assignment) else { continue };
        let owner = Owner {
            member_id: member.member_id.clone(),
            host: member.client_host.clone(),
            client_id: member.client_id.clone(),
        };
        for of in read.assigned_partitions {
            for partition in of.partitions {
                owners.insert((of.topic.clone(), partition), owner.clone());
            }
        }
    }
    owners
}
