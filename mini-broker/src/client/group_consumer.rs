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

/// So often is looked whether a partition has a leader again.
const LEADERLESS_RETRY: Duration = Duration::from_secs(1);

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
    /// Of one partition in one answer: Kafka's `max.partition.fetch.bytes`.
    pub partition_max_bytes: i32,
}

impl Settings {
    /// Kafka's defaults.
    pub fn of_group(group: &str) -> Self {
        Settings {
            member: member::Settings::of_group(group),
            reset: Reset::Latest,
            auto_commit_interval: Some(Duration::from_secs(5)),
            metadata_max_age: Duration::from_secs(300),
            partition_max_bytes: consumer::Settings::default().partition_max_bytes,
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
    /// It has worked on the last records for longer than this, and so has left the group. What was read
    /// since the last commit is read again by somebody. It joins anew.
    Late(Duration),
}

pub struct GroupConsumer {
    member: Member,
    /// For everything but the group.
    client: Client,
    topic: String,
    settings: Settings,
    assigned: Vec<i32>,
    /// Where each assigned partition is read next, as far as that is known.
    positions: BTreeMap<i32, Committed>,
    /// The last record that was read in each, since it was assigned.
    last_read: BTreeMap<i32, Committed>,
    /// `None` while it has to join.
    reader: Option<Consumer>,
    /// How many partitions are read. The others have no leader at the moment.
    reading: usize,
    next_try: Instant,
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
            assigned: Vec::new(),
            positions: BTreeMap::new(),
            last_read: BTreeMap::new(),
            reader: None,
            reading: 0,
            next_try: Instant::now(),
            next_commit: Instant::now(),
            next_look: Instant::now(),
        }
    }

    /// Waits for what is next. If it is dropped while it waits, `close` must follow.
    pub async fn poll(&mut self) -> Result<Event, Error> {
        self.member.works(false);
        let event = self.next().await;
        self.member.works(true);
        event
    }

    async fn next(&mut self) -> Result<Event, Error> {
        loop {
            let Some(reader) = &mut self.reader else { return self.join().await };
            let (idle, waits) = (self.reading == 0, self.reading < self.assigned.len());
            let commits = self.settings.auto_commit_interval.is_some();
            let leads = self.member.planned(&self.topic).is_some();
            let fetch = async {
                match idle {
                    false => reader.poll().await,
                    true => pending().await,
                }
            };
            tokio::select! {
                // The group comes first: records that wait already would hold up a round.
                biased;
                rejoin = self.member.must_rejoin() => {
                    let why = rejoin?;
                    self.revoke(why).await?;
                    if why == Rejoin::Late {
                        return Ok(Event::Late(self.settings.member.rebalance_timeout));
                    }
                }
                () = sleep_until(self.next_commit), if commits => self.commit_now_and_then().await?,
                () = sleep_until(self.next_look), if leads => self.look().await,
                () = sleep_until(self.next_try), if waits => self.look_for_leaders().await?,
                fetched = fetch => match fetched {
                    Ok(fetched) => return Ok(Event::Fetched(fetched)),
                    Err(error) if error.is_retriable() || is_out_of_range(&error) => {
                        self.begin().await?;
                    }
                    Err(error) => return Err(error),
                },
            }
        }
    }

    async fn join(&mut self) -> Result<Event, Error> {
        let assigned = self.member.join().await?;
        let of_topic = assigned.into_iter().filter(|(topic, _)| *topic == self.topic);
        self.assigned = of_topic.map(|(_, partition)| partition).collect();
        let named: Vec<_> = self.assigned.iter().map(|p| self.named(*p)).collect();
        let committed = match named.is_empty() {
            true => BTreeMap::new(),
            false => self.member.committed(&named).await?,
        };
        let committed = committed.into_iter().map(|((_, partition), at)| (partition, at));
        self.positions = committed.collect();
        self.begin().await?;
        let now = Instant::now();
        self.next_commit = now + self.settings.auto_commit_interval.unwrap_or_default();
        self.next_look = now + self.settings.metadata_max_age;
        let (generation, partitions) = (self.member.generation(), self.assigned.clone());
        Ok(Event::Assigned { generation, partitions })
    }

    /// Begins to read what has a leader: at its position, or where the reset policy says.
    async fn begin(&mut self) -> Result<(), Error> {
        let give_up = Instant::now() + REQUEST_TIMEOUT;
        let from = loop {
            match self.in_range().await {
                Err(error) if error.is_retriable() && Instant::now() < give_up => {
                    sleep(BACKOFF).await;
                }
                from => break from?,
            }
        };
        self.reading = from.len();
        self.next_try = Instant::now() + LEADERLESS_RETRY;
        for (led, at) in &from {
            if self.positions.insert(led.partition, *at) != Some(*at) {
                self.last_read.remove(&led.partition);
            }
        }
        let from: Vec<_> = from.into_iter().map(|(led, at)| (led, at.offset)).collect();
        // With the last reader go its connections, and fetches that still wait for records there.
        let client = self.client.clone().apart();
        // What has lost its leader should not keep the others for long.
        let settings = consumer::Settings {
            patience: LEADERLESS_RETRY,
            partition_max_bytes: self.settings.partition_max_bytes,
            ..consumer::Settings::default()
        };
        self.reader = Some(Consumer::new(client, &self.topic, &from, settings));
        Ok(())
    }

    /// Once more partitions have one, reading begins anew.
    async fn look_for_leaders(&mut self) -> Result<(), Error> {
        self.next_try = Instant::now() + LEADERLESS_RETRY;
        // A cluster that is away has none.
        let led = self.client.leaders(&self.topic).await.unwrap_or_default();
        match self.led_to_me(led).len() > self.reading {
            true => self.begin().await,
            false => Ok(()),
        }
    }

    fn led_to_me(&self, mut led: Vec<Led>) -> Vec<Led> {
        led.retain(|led| led.leader >= 0 && self.assigned.contains(&led.partition));
        led
    }

    /// Where to begin in each assigned partition that has a leader.
    async fn in_range(&mut self) -> Result<Vec<(Led, Committed)>, Error> {
        let led = self.client.leaders(&self.topic).await?;
        let led = self.led_to_me(led);
        let ends = |end| led.iter().map(|led| (*led, end)).collect::<Vec<_>>();
        let first = self.client.list_offsets(&self.topic, &ends(EARLIEST)).await?;
        let last = self.client.list_offsets(&self.topic, &ends(LATEST)).await?;
        let mut from = Vec::new();
        for ((led, first), last) in led.iter().zip(first).zip(last) {
            let log = first.offset..=last.offset;
            let position = self.positions.get(&led.partition).copied();
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
    pub fn read(&mut self, partition: i32, offset: i64, leader_epoch: i32) {
        if let Some(position) = self.positions.get_mut(&partition) {
            *position = Committed { offset: offset + 1, leader_epoch };
            self.last_read.insert(partition, Committed { offset, leader_epoch });
        }
    }

    /// Commits if it is time to, for a reader that works on one record for long. Otherwise `poll` does.
    pub async fn commit_if_due(&mut self) -> Result<(), Error> {
        let due =
            self.settings.auto_commit_interval.is_some() && self.next_commit <= Instant::now();
        match due && self.reader.is_some() {
            true => self.commit_now_and_then().await,
            false => Ok(()),
        }
    }

    async fn revoke(&mut self, why: Rejoin) -> Result<(), Error> {
        if why == Rejoin::Round && self.settings.auto_commit_interval.is_some() {
            self.commit_now_and_then().await?;
        }
        self.reader = None;
        self.assigned.clear();
        self.positions.clear();
        self.last_read.clear();
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
        let mut offsets = BTreeMap::new();
        for (partition, at) in &self.positions {
            let next = match self.last_read.get(partition) {
                Some(last) => Committed { offset: next_offset(last.offset)?, ..*last },
                None => *at,
            };
            offsets.insert(self.named(*partition), next);
        }
        self.member.commit(&offsets).await
    }

    /// The leader looks whether the topic has grown. If so, all join again.
    async fn look(&mut self) {
        self.next_look = Instant::now() + self.settings.metadata_max_age;
        // A cluster that is away has not grown.
        if let Ok(now) = self.client.leaders(&self.topic).await
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

/// What lab 4 says is to be committed after a record.
fn next_offset(last: i64) -> Result<i64, Error> {
    let next = fenced(|| consumer_groups::next_offset(last.max(0) as u64));
    let next = next.map_err(|broken| Error::Organ(told("consumer-groups", &broken)))?;
    Ok(next as i64)
}

fn is_out_of_range(error: &Error) -> bool {
    matches!(error, Error::Refused { code: ErrorCode::OFFSET_OUT_OF_RANGE, .. })
}
