//! Reads a topic as a member of a group: which partitions is the group's business, where to begin is
//! what the group has committed.
//!
//! It gives up everything it has whenever members come or go, joins again, and goes on from the
//! commits (the eager protocol). A record counts as read once its reader says so; what was fetched,
//! but not read, is fetched again by whoever gets the partition.

use std::collections::BTreeMap;
use std::future::pending;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout};
use wire::ErrorCode;
use wire::list_offsets::{EARLIEST, LATEST};

use super::connection::REQUEST_TIMEOUT;
use super::consumer::{self, Consumer, Fetched};
use super::group_admin::Committed;
use super::member::{self, Member, Rejoin, is_lost};
use super::{BACKOFF, Client, Error, Led, TopicPartition};
use crate::labs::{consumer_groups, fenced, told};

/// Where to begin without a commit, or when the log has nothing at it any more: Kafka's
/// `auto.offset.reset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    Earliest,
    Latest,
    /// It is an error.
    None,
}

#[derive(Debug, Clone)]
pub struct Settings {
    pub member: member::Settings,
    pub reset: Reset,
    /// `None`: commits are not made here.
    pub auto_commit_interval: Option<Duration>,
    /// So often the leader looks whether the topic has grown: Kafka's `metadata.max.age.ms`.
    pub metadata_max_age: Duration,
}

impl Settings {
    /// Kafka's defaults.
    pub fn of_group(group: &str) -> Self {
        Settings {
            member: member::Settings::of_group(group),
            reset: Reset::Latest,
            auto_commit_interval: Some(Duration::from_secs(5)),
            metadata_max_age: Duration::from_secs(300),
        }
    }
}

#[derive(Debug)]
pub enum Event {
    /// A new generation has begun, with these partitions.
    Assigned {
        generation: i32,
        partitions: Vec<i32>,
    },
    Fetched(Vec<Fetched>),
}

pub struct GroupConsumer {
    member: Member,
    /// For everything but the group.
    client: Client,
    topic: String,
    settings: Settings,
    /// `None` while it has to join.
    reader: Option<Consumer>,
    /// How far each assigned partition was read.
    positions: BTreeMap<i32, Committed>,
    next_commit: Instant,
    /// When the leader looks again whether the topic has grown.
    next_look: Instant,
}

impl GroupConsumer {
    pub fn new(client: Client, topic: &str, settings: Settings) -> Self {
        let member =
            Member::new(client.clone().apart(), vec![topic.to_owned()], settings.member.clone());
        GroupConsumer {
            member,
            client,
            topic: topic.to_owned(),
            settings,
            reader: None,
            positions: BTreeMap::new(),
            next_commit: Instant::now(),
            next_look: Instant::now(),
        }
    }

    /// Waits for what is next. If it is dropped while it waits, `close` must follow.
    pub async fn poll(&mut self) -> Result<Event, Error> {
        loop {
            let Some(reader) = &mut self.reader else { return self.join().await };
            let idle = self.positions.is_empty();
            let commits = self.settings.auto_commit_interval.is_some();
            let leads = self.member.planned(&self.topic).is_some();
            let fetch = async {
                match idle {
                    false => reader.poll().await,
                    true => pending().await,
                }
            };
            tokio::select! {
                rejoin = self.member.must_rejoin() => self.revoke(rejoin?).await?,
                () = sleep_until(self.next_commit), if commits => self.commit_now_and_then().await?,
                () = sleep_until(self.next_look), if leads => self.look().await,
                fetched = fetch => match fetched {
                    Ok(fetched) => return Ok(Event::Fetched(fetched)),
                    Err(Error::Refused { code: ErrorCode::OFFSET_OUT_OF_RANGE, .. }) => {
                        let positions = std::mem::take(&mut self.positions);
                        self.read_from(positions.keys().copied().collect(), positions).await?;
                    }
                    Err(error) => return Err(error),
                },
            }
        }
    }

    async fn join(&mut self) -> Result<Event, Error> {
        let assigned = self.member.join().await?;
        let of_topic = assigned.into_iter().filter(|(topic, _)| *topic == self.topic);
        let partitions: Vec<i32> = of_topic.map(|(_, partition)| partition).collect();
        let named: Vec<_> = partitions.iter().map(|p| self.named(*p)).collect();
        let committed = match named.is_empty() {
            true => BTreeMap::new(),
            false => self.member.committed(&named).await?,
        };
        let committed = committed.into_iter().map(|((_, partition), at)| (partition, at));
        self.read_from(partitions.clone(), committed.collect()).await?;
        let now = Instant::now();
        self.next_commit = now + self.settings.auto_commit_interval.unwrap_or_default();
        self.next_look = now + self.settings.metadata_max_age;
        Ok(Event::Assigned { generation: self.member.generation(), partitions })
    }

    /// Begins to read at `positions`, or where the reset policy says.
    async fn read_from(
        &mut self,
        partitions: Vec<i32>,
        positions: BTreeMap<i32, Committed>,
    ) -> Result<(), Error> {
        let give_up = Instant::now() + REQUEST_TIMEOUT;
        let from = loop {
            match self.in_range(&partitions, &positions).await {
                Err(error) if error.is_retriable() && Instant::now() < give_up => {
                    sleep(BACKOFF).await;
                }
                from => break from?,
            }
        };
        self.positions = from.iter().map(|(led, at)| (led.partition, *at)).collect();
        let from: Vec<_> = from.into_iter().map(|(led, at)| (led, at.offset)).collect();
        // With the last reader go its connections, and fetches that still wait for records there.
        let client = self.client.clone().apart();
        let settings = consumer::Settings::default();
        self.reader = Some(Consumer::new(client, &self.topic, &from, settings));
        Ok(())
    }

    /// Where to begin in each of `partitions`.
    async fn in_range(
        &mut self,
        partitions: &[i32],
        positions: &BTreeMap<i32, Committed>,
    ) -> Result<Vec<(Led, Committed)>, Error> {
        let mut led = self.client.partitions(&self.topic, false).await?;
        led.retain(|led| partitions.contains(&led.partition));
        let ends = |end| led.iter().map(|led| (*led, end)).collect::<Vec<_>>();
        let first = self.client.list_offsets(&self.topic, &ends(EARLIEST)).await?;
        let last = self.client.list_offsets(&self.topic, &ends(LATEST)).await?;
        let mut from = Vec::new();
        for ((led, first), last) in led.iter().zip(first).zip(last) {
            let log = first.offset..=last.offset;
            let position = positions.get(&led.partition).copied();
            let position = match (position, self.settings.reset) {
                (Some(position), _) if log.contains(&position.offset) => position,
                (_, Reset::Earliest) => Committed { offset: first.offset, leader_epoch: -1 },
                (_, Reset::Latest) => Committed { offset: last.offset, leader_epoch: -1 },
                (position, Reset::None) => {
                    return Err(self.nowhere(led.partition, position, first.offset, last.offset));
                }
            };
            from.push((*led, position));
        }
        Ok(from)
    }

    fn nowhere(&self, partition: i32, position: Option<Committed>, first: i64, end: i64) -> Error {
        let (group, topic) = (&self.settings.member.group, &self.topic);
        let has = match position {
            None => "no committed offset".to_owned(),
            Some(at) => {
                format!(
                    "offset {}, while its log begins at {first} and ends before {end}",
                    at.offset
                )
            }
        };
        Error::Nowhere(format!(
            "group `{group}` has for {topic}-{partition} {has}, and auto.offset.reset=none"
        ))
    }

    /// A record was dealt with, and all before it in its partition.
    pub fn read(&mut self, partition: i32, offset: i64, leader_epoch: i32) -> Result<(), Error> {
        if let Some(position) = self.positions.get_mut(&partition) {
            let next = fenced(|| consumer_groups::next_offset(offset.max(0) as u64));
            let next = next.map_err(|broken| Error::Organ(told("consumer-groups", &broken)))?;
            *position = Committed { offset: next as i64, leader_epoch };
        }
        Ok(())
    }

    async fn revoke(&mut self, why: Rejoin) -> Result<(), Error> {
        if why == Rejoin::Round && self.settings.auto_commit_interval.is_some() {
            self.commit_now_and_then().await?;
        }
        self.reader = None;
        self.positions.clear();
        Ok(())
    }

    /// What cannot be committed now is committed next time, by whoever has the partition then.
    async fn commit_now_and_then(&mut self) -> Result<(), Error> {
        match self.commit().await {
            Err(error) if is_lost(&error) || error.is_retriable() => Ok(()),
            Err(Error::Refused { code: ErrorCode::REBALANCE_IN_PROGRESS, .. }) => Ok(()),
            result => result,
        }
    }

    async fn commit(&mut self) -> Result<(), Error> {
        if let Some(interval) = self.settings.auto_commit_interval {
            self.next_commit = Instant::now() + interval;
        }
        if self.positions.is_empty() {
            return Ok(());
        }
        let offsets = self.positions.iter().map(|(partition, at)| (self.named(*partition), *at));
        let offsets = offsets.collect();
        self.member.commit(&offsets).await
    }

    /// The leader looks whether the topic has grown. If so, all join again.
    async fn look(&mut self) {
        self.next_look = Instant::now() + self.settings.metadata_max_age;
        // A cluster that is away has not grown.
        if let Ok(now) = self.client.partitions(&self.topic, false).await
            && self.member.planned(&self.topic) != Some(now.len() as u32)
        {
            let _ = self.revoke(Rejoin::Round).await;
        }
    }

    /// Commits what was read, and leaves; within `limit`, whatever the broker does.
    pub async fn close(mut self, limit: Duration) -> Result<(), Error> {
        let commits = self.settings.auto_commit_interval.is_some();
        let committed = match commits && self.reader.is_some() {
            true => timeout(limit, self.commit()).await,
            false => Ok(Ok(())),
        };
        let group = self.settings.member.group.clone();
        let left = timeout(limit, self.member.leave()).await;
        let late = |api| {
            let address = format!("the coordinator of group `{group}`");
            Err(Error::Timeout { address, api, after: limit })
        };
        let committed = committed.unwrap_or_else(|_| late("OffsetCommit"));
        committed.and(left.unwrap_or_else(|_| late("LeaveGroup")))
    }

    fn named(&self, partition: i32) -> TopicPartition {
        (self.topic.clone(), partition)
    }
}
