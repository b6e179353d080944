//! Where did a leader epoch end? A consumer or a follower learns from it whether the log that it
//! has read is still the leader's (KIP-101, KIP-320).

use crate::error_codes::ErrorCode;
use crate::table::table;

/// A reader that looks beyond the high watermark without being a follower.
pub const DEBUGGING_REPLICA: i32 = -2;

table! {
    /// Asks where epochs end. API key 23, `OffsetForLeaderEpochRequest.json`.
    pub struct OffsetForLeaderEpochRequest (versions 2..=4, flexible 4..) {
        /// The follower's node id; −1: a consumer.
        replica_id: i32 = DEBUGGING_REPLICA,              3..;
        topics: Vec<OffsetForLeaderTopic>,                0..;
    }

    /// A topic to look in.
    pub struct OffsetForLeaderTopic {
        topic: String,                                    0..;
        partitions: Vec<OffsetForLeaderPartition>,        0..;
    }

    /// A partition to look in.
    pub struct OffsetForLeaderPartition {
        partition: i32,                                   0..;
        /// What the client takes for the leader's epoch; −1: it does not say (KIP-320).
        current_leader_epoch: i32 = -1,                   2..;
        /// The epoch whose end is asked for.
        leader_epoch: i32,                                0..;
    }

    /// Where they end. API key 23, `OffsetForLeaderEpochResponse.json`.
    pub struct OffsetForLeaderEpochResponse (versions 2..=4, flexible 4..) {
        throttle_time_ms: i32,                            2..;
        topics: Vec<OffsetForLeaderTopicResult>,          0..;
    }

    /// What was found in one topic.
    pub struct OffsetForLeaderTopicResult {
        topic: String,                                    0..;
        partitions: Vec<EpochEndOffset>,                  0..;
    }

    /// What was found in one partition.
    pub struct EpochEndOffset {
        error_code: ErrorCode,                            0..;
        partition: i32,                                   0..;
        /// The largest epoch of the leader's log that is not above the one asked for; −1: none
        /// (KIP-279).
        leader_epoch: i32 = -1,                           1..;
        /// The offset after the last record of `leader_epoch`; −1: no such epoch.
        end_offset: i64 = -1,                             0..;
    }
}
