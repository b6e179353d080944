//! What goes through this broker, counted: of each partition, and of all together. (`BrokerTopicStats`.)

use wire::fetch::{FetchRequest, FetchResponse};
use wire::{ErrorCode, Response};

use super::produce::Placed;
use super::{Answer, Broker, Refused, find};

/// Counted since the start. Names as in Kafka's BrokerTopicMetrics.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    pub messages_in: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub bytes_rejected: u64,
    pub produce_requests: u64,
    pub failed_produce: u64,
    pub fetch_requests: u64,
    pub failed_fetch: u64,
    pub replication_bytes_in: u64,
    pub replication_bytes_out: u64,
}

impl Traffic {
    pub fn add(&mut self, other: &Traffic) {
        self.messages_in += other.messages_in;
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
        self.bytes_rejected += other.bytes_rejected;
        self.produce_requests += other.produce_requests;
        self.failed_produce += other.failed_produce;
        self.fetch_requests += other.fetch_requests;
        self.failed_fetch += other.failed_fetch;
        self.replication_bytes_in += other.replication_bytes_in;
        self.replication_bytes_out += other.replication_bytes_out;
    }
}

/// What clients are told every day is no failure of the broker. (`ReplicaManager.appendRecordsToLeader`.)
const EXPECTED_IN_PRODUCE: [ErrorCode; 6] = [
    ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
    ErrorCode::NOT_LEADER_OR_FOLLOWER,
    ErrorCode::MESSAGE_TOO_LARGE,
    ErrorCode::RECORD_LIST_TOO_LARGE,
    ErrorCode::CORRUPT_MESSAGE,
    ErrorCode::KAFKA_STORAGE_ERROR,
];

/// The same for fetches. (`ReplicaManager.readFromLog`.)
const EXPECTED_IN_FETCH: [ErrorCode; 7] = [
    ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
    ErrorCode::NOT_LEADER_OR_FOLLOWER,
    ErrorCode::UNKNOWN_LEADER_EPOCH,
    ErrorCode::FENCED_LEADER_EPOCH,
    ErrorCode::OFFSET_OUT_OF_RANGE,
    ErrorCode::KAFKA_STORAGE_ERROR,
    ErrorCode::INCONSISTENT_TOPIC_ID,
];

impl Broker {
    /// Somebody wanted to write a batch of so many bytes.
    pub(super) fn count_produced(
        &mut self,
        topic: &str,
        index: i32,
        bytes: usize,
        result: Result<&Placed, &Refused>,
    ) {
        let mut traffic = Traffic { produce_requests: 1, ..Default::default() };
        match result {
            Ok(placed) => {
                traffic.messages_in = placed.records();
                traffic.bytes_in = bytes as u64;
            }
            Err(refused) => {
                traffic.failed_produce = (!EXPECTED_IN_PRODUCE.contains(&refused.code)).into();
                if refused.code == ErrorCode::MESSAGE_TOO_LARGE {
                    traffic.bytes_rejected = bytes as u64;
                }
            }
        }
        self.count(topic, index, &traffic);
    }

    /// Somebody has asked for records.
    pub(super) fn count_asked(&mut self, request: &FetchRequest) {
        for topic in &request.topics {
            for partition in &topic.partitions {
                let traffic = Traffic { fetch_requests: 1, ..Default::default() };
                self.count(&topic.topic, partition.partition, &traffic);
            }
        }
    }

    /// A fetch has its answer.
    pub(super) fn count_fetched(&mut self, follower: bool, answer: &Answer) {
        let Answer::Response { body: Response::Fetch(FetchResponse { responses, .. }), .. } =
            answer
        else {
            return;
        };
        for topic in responses {
            for data in &topic.partitions {
                let bytes = data.records.len() as u64;
                let mut traffic = Traffic::default();
                match follower {
                    true => traffic.replication_bytes_out = bytes,
                    false => traffic.bytes_out = bytes,
                }
                let failed =
                    data.error_code.is_err() && !EXPECTED_IN_FETCH.contains(&data.error_code);
                traffic.failed_fetch = failed.into();
                if traffic != Traffic::default() {
                    self.count(&topic.topic, data.partition_index, &traffic);
                }
            }
        }
    }

    /// A leader has given so many bytes.
    pub(super) fn count_followed(&mut self, topic: &str, index: i32, bytes: usize) {
        let traffic = Traffic { replication_bytes_in: bytes as u64, ..Default::default() };
        self.count(topic, index, &traffic);
    }

    fn count(&mut self, topic: &str, index: i32, traffic: &Traffic) {
        self.traffic.add(traffic);
        if let Some(partition) = find(&mut self.topics, topic, index) {
            partition.traffic.add(traffic);
        }
    }
}
