//! How the monitor learns: it reads `__consumer_offsets` as it grows, and looks at the ends of logs when it is told to.

use std::collections::{BTreeMap, BTreeSet};

use wire::metadata::MetadataResponse;
use wire::offsets_topic::GroupRecord;

use super::{Monitor, Settings};
use crate::broker::{OFFSETS_TOPIC, partition_of};
use crate::client::consumer::{Fetched, Settings as Fetching};
use crate::client::offsets::Logs;
use crate::client::{Client, Consumer, Error, Led, TopicPartition};
use crate::records;

/// So many single records are looked up at one look; others wait for the next.
const LOOKUPS: usize = 100;

pub struct Watch {
    client: Client,
    pub monitor: Monitor,
    /// The only group that matters; `None`: all do.
    group: Option<String>,
    /// `None` as long as no group has ever committed.
    records: Option<Consumer>,
    leaders: BTreeMap<TopicPartition, Led>,
    /// Brokers and topics as of the last look.
    pub cluster: MetadataResponse,
}

/// A look that can go on beside everything else: a broker that hangs holds up nothing but this.
pub struct Look {
    client: Client,
    /// `None`: all topics.
    topics: Option<Vec<String>>,
    /// Unread records whose time is to be looked up: the group, the partition, its leader and the offset.
    timeless: Vec<(String, TopicPartition, Led, u64)>,
}

/// What came of it.
pub struct Looked {
    /// It has the connections that the look has made.
    client: Client,
    logs: Logs,
    times: Vec<(String, TopicPartition, u64, i64)>,
}

impl Look {
    pub async fn run(mut self) -> Result<Looked, Error> {
        let topics: Option<Vec<&str>> =
            self.topics.as_ref().map(|topics| topics.iter().map(String::as_str).collect());
        let logs = self.client.log_bounds(topics.as_deref()).await?;
        let mut times = Vec::new();
        for (group, partition, led, offset) in self.timeless {
            match self.client.time_at(&partition.0, led, offset as i64).await {
                Ok(Some(time_ms)) => times.push((group, partition, offset, time_ms)),
                // Retention was faster, or the leader has moved: the next look tells.
                Ok(None) => {}
                Err(error) if error.is_retriable() => {}
                Err(Error::Refused { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Looked { client: self.client, logs, times })
    }
}

impl Watch {
    /// Looks once, and reads all that was committed so far.
    pub async fn begin(
        client: Client,
        group: Option<&str>,
        settings: Settings,
        now_ms: u64,
    ) -> Result<Self, Error> {
        let mut watch = Watch {
            client,
            monitor: Monitor::new(settings),
            group: group.map(str::to_owned),
            records: None,
            leaders: BTreeMap::new(),
            cluster: MetadataResponse::default(),
        };
        // The ends first: what is known of commits made before is how far behind they are now.
        watch.look(now_ms).await?;
        watch.look_up_times().await?;
        Ok(watch)
    }

    /// Waits for the next records. May be dropped while it waits.
    pub async fn wait(&mut self) -> Result<Vec<Fetched>, Error> {
        match &mut self.records {
            Some(records) => records.poll().await,
            None => std::future::pending().await,
        }
    }

    /// Takes them in.
    pub fn take(&mut self, now_ms: u64, fetched: &[Fetched]) {
        for fetched in fetched {
            for batch in records::batches(&fetched.batches).map_while(Result::ok) {
                if batch.header.is_control() {
                    continue;
                }
                let Ok(read) = batch.records() else { continue };
                for record in read.iter().map_while(Result::ok) {
                    let Some(key) = record.key.filter(|_| record.offset >= fetched.from) else {
                        continue;
                    };
                    // What is of another kind, or cannot be read, is not for us.
                    if let Ok(Some(read)) = GroupRecord::decode(key, record.value)
                        && self.group.as_deref().is_none_or(|group| group == group_of(&read))
                    {
                        self.monitor.record(now_ms, read);
                    }
                }
            }
        }
    }

    /// Looks where logs start and end.
    pub async fn look(&mut self, now_ms: u64) -> Result<(), Error> {
        let mut look = self.next_look();
        look.timeless.clear();
        let looked = look.run().await?;
        self.looked(now_ms, looked).await
    }

    /// Looks up how old unread records are, of some that are not known yet.
    pub async fn look_up_times(&mut self) -> Result<(), Error> {
        let mut look = self.next_look();
        if look.timeless.is_empty() {
            return Ok(());
        }
        look.topics = Some(Vec::new());
        let looked = look.run().await?;
        self.client = looked.client;
        for (group, partition, offset, time_ms) in looked.times {
            self.monitor.timed(&group, &partition, offset, time_ms);
        }
        Ok(())
    }

    /// What the next look has to look at.
    pub fn next_look(&self) -> Look {
        // Of other groups' topics nothing is asked, once it is known which are this one's.
        let topics = match (&self.group, &self.records) {
            (Some(_), Some(_)) => {
                let topics: BTreeSet<&str> = self.monitor.topics().collect();
                Some(topics.into_iter().map(str::to_owned).collect::<Vec<_>>())
            }
            _ => None,
        };
        let timeless = self.monitor.groups().flat_map(|group| {
            let timeless = self.monitor.timeless(group).into_iter();
            timeless.filter_map(|(partition, offset)| {
                let led = self.leaders.get(&partition).copied()?;
                Some((group.to_owned(), partition, led, offset))
            })
        });
        Look {
            client: self.client.clone(),
            topics: topics.filter(|topics| !topics.is_empty()),
            timeless: timeless.take(LOOKUPS).collect(),
        }
    }

    /// Takes in what a look has seen.
    pub async fn looked(&mut self, now_ms: u64, looked: Looked) -> Result<(), Error> {
        let Logs { cluster, leaders, bounds } = looked.logs;
        (self.client, self.cluster, self.leaders) = (looked.client, cluster, leaders);
        self.monitor.looked(now_ms, &bounds);
        for (group, partition, offset, time_ms) in looked.times {
            self.monitor.timed(&group, &partition, offset, time_ms);
        }
        if self.records.is_none() {
            self.find_records(now_ms).await?;
        }
        Ok(())
    }

    /// Begins to read `__consumer_offsets`, if it is there, and reads up to where it ends now.
    async fn find_records(&mut self, now_ms: u64) -> Result<(), Error> {
        let all: BTreeMap<i32, Led> = self
            .leaders
            .iter()
            .filter(|((topic, _), led)| topic == OFFSETS_TOPIC && led.leader >= 0)
            .map(|((_, partition), led)| (*partition, *led))
            .collect();
        let count = self.leaders.keys().filter(|(topic, _)| topic == OFFSETS_TOPIC).count();
        let only = self.group.as_deref().and_then(|group| partition_of(group, count));
        let mut from = Vec::new();
        let mut until = BTreeMap::new();
        for (partition, led) in all {
            let Some((start, end)) = self.monitor.bounds(&(OFFSETS_TOPIC.to_owned(), partition))
            else {
                continue;
            };
            if self.group.is_some() && only != Some(partition) {
                continue;
            }
            from.push((led, start as i64));
            until.insert(partition, end as i64);
        }
        // Of one that nobody leads at the moment the records would be missing for ever: the next look tries again.
        let wanted = if self.group.is_some() { 1 } else { count };
        if from.is_empty() || from.len() < wanted {
            return Ok(());
        }
        // Its fetches wait at the broker; looks must not wait behind them.
        let apart = self.client.clone().apart();
        let mut records = Consumer::new(apart, OFFSETS_TOPIC, &from, Fetching::default());
        let read_all = |records: &Consumer| {
            until.iter().all(|(partition, end)| records.position(*partition) >= Some(*end))
        };
        while !read_all(&records) {
            let fetched = records.poll().await?;
            self.take(now_ms, &fetched);
        }
        self.monitor.compared(now_ms);
        self.records = Some(records);
        Ok(())
    }
}

fn group_of(record: &GroupRecord) -> &str {
    match record {
        GroupRecord::OffsetCommit { key, .. } => &key.group,
        GroupRecord::GroupMetadata { key, .. } => &key.group,
    }
}
