//! Where the logs of partitions begin and end, and beginning them later.

use std::collections::BTreeMap;
use std::time::Duration;

use wire::delete_records::{DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic};
use wire::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};

use super::connection::REQUEST_TIMEOUT;
use super::{Client, Error, Led};

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

fn by_leader(wanted: &[(Led, i64)]) -> BTreeMap<i32, Vec<(Led, i64)>> {
    let mut by_leader: BTreeMap<i32, Vec<(Led, i64)>> = BTreeMap::new();
    for wanted in wanted {
        by_leader.entry(wanted.0.leader).or_default().push(*wanted);
    }
    by_leader
}
