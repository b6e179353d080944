//! What the monitor says of a group. Numbers and verdicts are the organ's of lab 5, each behind the fence: a step
//! that is not written yet leaves its own cell open, and no other.

use serde::Serialize;

use super::{Log, Monitor, Reading};
use crate::client::TopicPartition;
use crate::labs::lag::{
    GroupStatus, Owner, PartitionStatus, Place, Status, behind_ms, drain_ms, lag, place, rate,
    roll_up,
};
use crate::labs::{Broken, fenced};

/// What the organ says, or the step that it lacks.
pub type Said<T> = Result<T, Broken>;

#[derive(Debug)]
pub struct GroupView {
    pub name: String,
    pub members: usize,
    /// In the order of topics and numbers.
    pub partitions: Vec<PartitionView>,
    pub status: Said<GroupStatus>,
    /// How old the oldest unread record is.
    pub behind_ms: Said<Option<u64>>,
}

#[derive(Debug)]
pub struct PartitionView {
    pub topic: String,
    pub partition: i32,
    /// `None`: the log is not there, or has no leader.
    pub log: Option<(u64, u64)>,
    pub committed: Option<u64>,
    pub lag: Said<Option<i64>>,
    pub place: Said<Place>,
    pub status: Said<Status>,
    /// How full the window of commits is.
    pub complete: f32,
    pub behind_ms: Said<Option<u64>>,
    /// Records a second that come, and that are read.
    pub rates: Said<(Option<f64>, Option<f64>)>,
    pub drain: Said<Drain>,
    pub owner: Option<Owner>,
    /// The lag at the last looks, the oldest first.
    pub curve: Vec<u64>,
}

/// When all will be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Drain {
    In {
        ms: u64,
    },
    Never,
    /// Not seen for long enough.
    Unknown,
}

impl Monitor {
    /// `None`: no such group has committed anything, or it is long ago.
    pub fn group(&self, now_ms: u64, name: &str) -> Option<GroupView> {
        let group = self.groups.get(name)?;
        let mut keys: Vec<&TopicPartition> =
            group.readings.keys().chain(group.owners.keys()).collect();
        keys.sort();
        keys.dedup();
        let view = |key: &&TopicPartition| {
            let (reading, owner) = (group.readings.get(*key), group.owners.get(*key));
            partition(now_ms, key, self.logs.get(*key), reading, owner)
        };
        let partitions: Vec<PartitionView> = keys.iter().map(view).collect();
        let oldest = group.readings.values().filter_map(|reading| reading.oldest);
        let times: Vec<i64> = oldest.map(|(_, time_ms)| time_ms.unwrap_or(-1)).collect();
        Some(GroupView {
            name: name.to_owned(),
            members: group.members,
            status: summed_up(&partitions),
            behind_ms: fenced(|| behind_ms(now_ms, &times)),
            partitions,
        })
    }
}

fn partition(
    now_ms: u64,
    (topic, number): &TopicPartition,
    log: Option<&Log>,
    reading: Option<&Reading>,
    owner: Option<&Owner>,
) -> PartitionView {
    let ends = log.map(|log| log.ends.offsets()).unwrap_or_default();
    let bounds = log.and_then(|log| Some((log.start, log.end()?)));
    let committed = reading.map(|reading| reading.window.last().offset);
    let (start, end) = bounds.unwrap_or_default();
    let oldest = reading.and_then(|reading| reading.oldest);
    let times: Vec<i64> = oldest.iter().map(|(_, time_ms)| time_ms.unwrap_or(-1)).collect();
    let looks = reading.map_or(&[][..], |reading| reading.looks.all());
    let rates = fenced(|| (log.and_then(|log| rate(log.ends.all())), rate(looks)));
    let drain = rates.clone().and_then(|rates| match (bounds, committed, rates) {
        (Some((_, end)), Some(committed), (Some(come), Some(go))) => {
            let left = end.saturating_sub(committed);
            let ms = fenced(|| drain_ms(left, come, go))?;
            Ok(ms.map_or(Drain::Never, |ms| Drain::In { ms }))
        }
        _ => Ok(Drain::Unknown),
    });
    PartitionView {
        topic: topic.clone(),
        partition: *number,
        log: bounds,
        committed,
        lag: fenced(|| bounds.and_then(|(_, end)| lag(end, committed))),
        place: fenced(|| place(start, end, committed.filter(|_| bounds.is_some()))),
        status: match reading {
            Some(reading) => fenced(|| reading.window.status(now_ms, &ends)),
            None => Ok(Status::Ok),
        },
        complete: reading.map_or(0.0, |reading| reading.window.complete()),
        behind_ms: match committed {
            Some(_) => fenced(|| behind_ms(now_ms, &times)),
            None => Ok(None),
        },
        rates,
        drain,
        owner: owner.cloned(),
        curve: reading.map_or(Vec::new(), |reading| reading.curve.iter().copied().collect()),
    }
}

fn summed_up(partitions: &[PartitionView]) -> Said<GroupStatus> {
    let mut statuses = Vec::new();
    for view in partitions {
        let lag = match (view.log, view.committed) {
            (Some((_, end)), Some(committed)) => end.saturating_sub(committed),
            _ => 0,
        };
        statuses.push(PartitionStatus {
            status: view.status.clone()?,
            lag,
            complete: view.complete,
        });
    }
    fenced(|| roll_up(&statuses))
}
