//! Where the logs of partitions begin and end, and beginning them later.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use wire::delete_records::{DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic};
use wire::fetch::{FetchPartition, FetchRequest, FetchTopic};
use wire::list_offsets::{
    EARLIEST, LATEST, ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic,
};
use wire::metadata::MetadataResponse;

use super::connection::REQUEST_TIMEOUT;
use super::{Client, Error, Led, METADATA_TIMEOUT, TopicPartition};
use crate::records;

/// How long a leader may wait for its followers: its answer has to come before nobody waits for it any more.
const DELETE_TIMEOUT: Duration = REQUEST_TIMEOUT.saturating_sub(Duration::from_secs(5));

/// What a partition's log has at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    pub partition: i32,
    /// −1: nothing at or after that time.
    pub offset: i64,
    pub timestamp: i64,
}

/// What became of one partition's records.
#[derive(Debug)]
pub struct Deleted {
    pub partition: i32,
    /// The offset at which the log begins now, on every replica that is alive.
    pub result: Result<i64, Error>,
}

impl Client {
    /// For each of `wanted`, the offset at a timestamp, or at one of the log's ends
    /// (`wire::list_offsets::LATEST` and its neighbours).
    pub async fn list_offsets(
        &mut self,
        topic: &str,
        wanted: &[(Led, i64)],
    ) -> Result<Vec<Found>, Error> {
        let mut found = Vec::new();
        for (leader, wanted) in by_leader(wanted) {
            let partitions = wanted.iter().map(|(led, timestamp)| ListOffsetsPartition {
                partition_index: led.partition,
                current_leader_epoch: led.leader_epoch,
                timestamp: *timestamp,
                ..Default::default()
            });
            let partitions = partitions.collect();
            let request = ListOffsetsRequest {
                replica_id: -1,
                isolation_level: 0,
                topics: vec![ListOffsetsTopic { name: topic.to_owned(), partitions }],
            };
            let answer = self.node(leader).await?.call(request).await?;
            for p in answer.topics.into_iter().flat_map(|topic| topic.partitions) {
                if p.error_code.is_err() {
                    let what = format!("the offsets of {topic}-{}", p.partition_index);
                    return Err(Error::refused(what, p.error_code, None));
                }
                let partition = p.partition_index;
                found.push(Found { partition, offset: p.offset, timestamp: p.timestamp });
            }
        }
        found.sort_by_key(|found| found.partition);
        Ok(found)
    }

    /// For each of `wanted`, lets the log begin at an offset, or at its high watermark
    /// (`wire::delete_records::HIGH_WATERMARK`). Each is done or refused by itself.
    pub async fn delete_records(
        &mut self,
        topic: &str,
        wanted: &[(Led, i64)],
    ) -> Result<Vec<Deleted>, Error> {
        let mut deleted = Vec::new();
        for (leader, wanted) in by_leader(wanted) {
            let partitions = wanted.iter().map(|(led, offset)| DeleteRecordsPartition {
                partition_index: led.partition,
                offset: *offset,
            });
            let partitions = partitions.collect();
            let request = DeleteRecordsRequest {
                topics: vec![DeleteRecordsTopic { name: topic.to_owned(), partitions }],
                timeout_ms: DELETE_TIMEOUT.as_millis() as i32,
            };
            let answer = self.node(leader).await?.call(request).await?;
            for p in answer.topics.into_iter().flat_map(|topic| topic.partitions) {
                let partition = p.partition_index;
                let result = match p.error_code.is_ok() {
                    true => Ok(p.low_watermark),
                    false => {
                        let what = format!("the records of {topic}-{partition}");
                        Err(Error::refused(what, p.error_code, None))
                    }
                };
                deleted.push(Deleted { partition, result });
            }
        }
        deleted.sort_by_key(|deleted| deleted.partition);
        Ok(deleted)
    }
}

/// Where the logs of partitions start and end. `None`: the partition is there, and nobody could say.
pub type Bounds = BTreeMap<TopicPartition, Option<(u64, u64)>>;

/// The logs of a cluster at one look.
#[derive(Debug)]
pub struct Logs {
    pub cluster: MetadataResponse,
    pub leaders: BTreeMap<TopicPartition, Led>,
    pub bounds: Bounds,
}

impl Client {
    /// Where logs start and end (the high watermark), and who leads them: of these topics, or of all. A topic that is not
    /// there is not in the answer. Each leader is asked twice, whatever the number of topics.
    pub async fn log_bounds(&mut self, topics: Option<&[&str]>) -> Result<Logs, Error> {
        let mut leaders = BTreeMap::new();
        let cluster = self.metadata(topics, false).await?;
        for topic in &cluster.topics {
            let name = topic.name.as_deref().unwrap_or_default();
            for partition in &topic.partitions {
                leaders.insert((name.to_owned(), partition.partition_index), Led::from(partition));
            }
        }
        let mut bounds: Bounds = leaders.keys().map(|key| (key.clone(), None)).collect();
        let nodes: BTreeSet<i32> = leaders.values().map(|led| led.leader).collect();
        for node in nodes.into_iter().filter(|node| *node >= 0) {
            let led = leaders.iter().filter(|(_, led)| led.leader == node);
            let led: Vec<(&TopicPartition, &Led)> = led.collect();
            // A leader that is not there now may be at the next look.
            let starts = self.ends_at(node, &led, EARLIEST).await;
            let ends = self.ends_at(node, &led, LATEST).await;
            let (Ok(starts), Ok(ends)) = (starts, ends) else { continue };
            for (key, end) in ends {
                let start = starts.get(&key).copied();
                bounds.insert(key, start.map(|start| (start.min(end), end)));
            }
        }
        Ok(Logs { cluster, leaders, bounds })
    }

    async fn ends_at(
        &mut self,
        node: i32,
        led: &[(&TopicPartition, &Led)],
        time: i64,
    ) -> Result<BTreeMap<TopicPartition, u64>, Error> {
        let mut topics: BTreeMap<&str, Vec<ListOffsetsPartition>> = BTreeMap::new();
        for ((topic, partition), led) in led {
            topics.entry(topic).or_default().push(ListOffsetsPartition {
                partition_index: *partition,
                current_leader_epoch: led.leader_epoch,
                timestamp: time,
                ..Default::default()
            });
        }
        let topics = topics
            .into_iter()
            .map(|(name, partitions)| ListOffsetsTopic { name: name.to_owned(), partitions });
        let request =
            ListOffsetsRequest { replica_id: -1, isolation_level: 0, topics: topics.collect() };
        // One that hangs must not hold up what the others say.
        let answer = self.node(node).await?.call_within(request, METADATA_TIMEOUT).await?;
        let mut found = BTreeMap::new();
        for topic in answer.topics {
            for partition in topic.partitions {
                if let (true, Ok(offset)) =
                    (partition.error_code.is_ok(), u64::try_from(partition.offset))
                {
                    found.insert((topic.name.clone(), partition.partition_index), offset);
                }
            }
        }
        Ok(found)
    }

    /// The timestamp of the first record at an offset or after it; −1 if that record has none. `None`: there is none.
    pub async fn time_at(
        &mut self,
        topic: &str,
        led: Led,
        offset: i64,
    ) -> Result<Option<i64>, Error> {
        let partition = FetchPartition {
            partition: led.partition,
            current_leader_epoch: led.leader_epoch,
            fetch_offset: offset,
            // One batch comes, however large.
            partition_max_bytes: 1,
            ..Default::default()
        };
        let request = FetchRequest {
            max_wait_ms: 0,
            min_bytes: 0,
            max_bytes: 1,
            topics: vec![FetchTopic {
                topic: topic.to_owned(),
                partitions: vec![partition],
                ..Default::default()
            }],
            ..Default::default()
        };
        let what = || format!("{topic}-{}", led.partition);
        let answer = self.node(led.leader).await?.call(request).await?;
        Error::check(what, answer.error_code, None)?;
        for data in answer.responses.into_iter().flat_map(|topic| topic.partitions) {
            Error::check(what, data.error_code, None)?;
            let wire::Records::Here(bytes) = data.records else { continue };
            for batch in records::batches(&bytes).map_while(Result::ok) {
                let Ok(records) = batch.records() else { continue };
                let mut records = records.iter().map_while(Result::ok);
                if let Some(record) = records.find(|record| record.offset >= offset) {
                    return Ok(Some(record.timestamp));
                }
            }
        }
        Ok(None)
    }
}

fn by_leader(wanted: &[(Led, i64)]) -> BTreeMap<i32, Vec<(Led, i64)>> {
    let mut by_leader: BTreeMap<i32, Vec<(Led, i64)>> = BTreeMap::new();
    for wanted in wanted {
        by_leader.entry(wanted.0.leader).or_default().push(*wanted);
    }
    by_leader
}
