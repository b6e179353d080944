//! A consumer, or a follower, pulls record batches from a leader.

use uuid::Uuid;

use crate::error_codes::ErrorCode;
use crate::primitives::Records;
use crate::table::table;

table! {
    /// Asks for records from an offset on. API key 1, `FetchRequest.json`.
    ///
    /// Version 12 is the last that names topics by name.
    pub struct FetchRequest (versions 4..=12, flexible 12..) {
        /// The follower's node id; −1: a consumer.
        replica_id: i32 = -1,                             0..=14;
        /// How long the broker may wait until there are `min_bytes`.
        max_wait_ms: i32,                                 0..;
        min_bytes: i32,                                   0..;
        max_bytes: i32 = i32::MAX,                        3..;
        /// 0: every record below the high watermark; 1: committed transactions only.
        isolation_level: i8,                              4..;
        session_id: i32,                                  7..;
        session_epoch: i32 = -1,                          7..;
        topics: Vec<FetchTopic>,                          0..;
        /// What an incremental session no longer asks for.
        forgotten_topics_data: Vec<ForgottenTopic>,       7..;
        rack_id: String,                                  11..;
    } tagged {
        0 = cluster_id: Option<String>,                   12.., null 12..;
        /// Ours, not Kafka's: the broker epoch of the follower's registration; −1: it does not say.
        /// A fetch from before the follower last started must not count as its being in sync now.
        /// Kafka carries it from version 15 on (KIP-903), which names topics by id.
        10_000 = replica_epoch: i64 = -1,                 12..;
    }

    /// A topic to read from.
    pub struct FetchTopic {
        topic: String,                                    0..=12;
        partitions: Vec<FetchPartition>,                  0..;
    } tagged {
        /// Ours, not Kafka's: which topic of this name a follower means; nil: it does not say. A topic
        /// that was deleted and made again is another one, and its leader epochs begin again, too. Kafka
        /// names topics by id from version 13 on.
        10_000 = replica_topic_id: Uuid,                  12..;
    }

    /// A partition to read from.
    pub struct FetchPartition {
        partition: i32,                                   0..;
        /// What the client takes for the leader's epoch; −1: it does not say (KIP-320).
        current_leader_epoch: i32 = -1,                   9..;
        fetch_offset: i64,                                0..;
        /// The epoch of the follower's last record; −1: none (KIP-595).
        last_fetched_epoch: i32 = -1,                     12..;
        /// The follower's own log start; −1 from a consumer.
        log_start_offset: i64 = -1,                       5..;
        /// At least one batch is answered, however large.
        partition_max_bytes: i32,                         0..;
    }

    /// Partitions that leave an incremental session.
    pub struct ForgottenTopic {
        topic: String,                                    7..=12;
        partitions: Vec<i32>,                             7..;
    }

    /// Records, and how far the log goes. API key 1, `FetchResponse.json`.
    pub struct FetchResponse (versions 4..=12, flexible 12..) {
        throttle_time_ms: i32,                            1..;
        error_code: ErrorCode,                            7..;
        /// 0: no session; every request names all it wants.
        session_id: i32,                                  7..;
        responses: Vec<FetchableTopicResponse>,           0..;
    }

    /// What was read from one topic.
    pub struct FetchableTopicResponse {
        topic: String,                                    0..=12;
        partitions: Vec<PartitionData>,                   0..;
    }

    /// What was read from one partition.
    pub struct PartitionData {
        partition_index: i32,                             0..;
        error_code: ErrorCode,                            0..;
        high_watermark: i64,                              0..;
        /// The high watermark, or the first record of an open transaction.
        last_stable_offset: i64 = -1,                     4..;
        log_start_offset: i64 = -1,                       5..;
        aborted_transactions: Option<Vec<AbortedTransaction>>, 4.., null 4..;
        /// −1: read from the leader.
        preferred_read_replica: i32 = -1,                 11..;
        /// Kafka's schema allows null. We write nothing as an empty field, as Kafka's brokers do:
        /// librdkafka takes a null here for a broken answer.
        records: Records,                                 0..;
    } tagged {
        /// Where the follower's log parts from the leader's: it truncates to here.
        0 = diverging_epoch: EpochEndOffset,              12..;
        1 = current_leader: LeaderIdAndEpoch,             12..;
        2 = snapshot_id: SnapshotId,                      12..;
    }

    /// A leader epoch, and the offset after its last record.
    pub struct EpochEndOffset {
        epoch: i32 = -1,                                  12..;
        end_offset: i64 = -1,                             12..;
    }

    /// The leader, for a client that asked the wrong broker.
    pub struct LeaderIdAndEpoch {
        leader_id: i32 = -1,                              12..;
        leader_epoch: i32 = -1,                           12..;
    }

    /// A snapshot to start from; only the metadata quorum of real Kafka uses it.
    pub struct SnapshotId {
        end_offset: i64 = -1,                             0..;
        epoch: i32 = -1,                                  0..;
    }

    /// A transaction whose records a reader of committed ones must leave out.
    pub struct AbortedTransaction {
        producer_id: i64,                                 4..;
        first_offset: i64,                                4..;
    }
}
