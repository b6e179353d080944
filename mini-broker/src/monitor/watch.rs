//! How the monitor learns: it reads `__consumer_offsets` as it grows, and looks at the ends of logs when it is told to.

use std::collections::{BTreeMap, BTreeSet};

use wire::offsets_topic::GroupRecord;

use super::{Monitor, Settings};
use crate::broker::{OFFSETS_TOPIC, partition_of};
use crate::client::consumer::{Fetched, Settings as Fetching};
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
        // Of other groups' topics nothing is asked, once it is known which are this one's.
        let wanted: BTreeSet<String> = match (&self.group, &self.records) {
            (Some(_), Some(_)) => self.monitor.topics().map(str::to_owned).collect(),
            _ => BTreeSet::new(),
        };
        let names: Vec<&str> = wanted.iter().map(String::as_str).collect();
        let topics = (!names.is_empty()).then_some(&names[..]);
        let (leaders, seen) = self.client.log_bounds(topics).await?;
        self.leaders = leaders;
        self.monitor.looked(now_ms, &seen);
        if self.records.is_none() {
            self.find_records(now_ms).await?;
        }
        Ok(())
    }

    /// Looks up how old unread records are, of some that are not known yet.
    pub async fn look_up_times(&mut self) -> Result<(), Error> {
        let groups: Vec<String> = self.monitor.groups().map(str::to_owned).collect();
        let timeless = groups.into_iter().flat_map(|group| {
            let timeless = self.monitor.timeless(&group).into_iter();
            timeless.map(move |(partition, offset)| (group.clone(), partition, offset))
        });
        for (group, partition, offset) in timeless.take(LOOKUPS).collect::<Vec<_>>() {
            let Some(led) = self.leaders.get(&partition).copied() else { continue };
            match self.client.time_at(&partition.0, led, offset as i64).await {
                Ok(Some(time_ms)) => self.monitor.timed(&group, &partition, offset, time_ms),
                // Retention was faster, or the leader has moved: the next look tells.
                Ok(None) => {}
                Err(error) if error.is_retriable() => {}
                Err(Error::Refused { .. }) => {}
                Err(error) => return Err(error),
            }
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
        let mut records =
            Consumer::new(self.client.clone(), OFFSETS_TOPIC, &from, Fetching::default());
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
