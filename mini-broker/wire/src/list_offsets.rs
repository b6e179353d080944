//! Which offset stands at this time? Also: where does a log begin and end?

use crate::error_codes::ErrorCode;
use crate::table::table;

/// A timestamp that asks for the offset after the last readable record.
pub const LATEST: i64 = -1;
/// A timestamp that asks for the first offset of the log.
pub const EARLIEST: i64 = -2;
/// A timestamp that asks for the record with the greatest timestamp (version 7, KIP-734).
pub const MAX_TIMESTAMP: i64 = -3;

table! {
    /// Asks for offsets by time. API key 2, `ListOffsetsRequest.json`.
    ///
    /// Version 0, which answers with a list of offsets, is gone from Kafka 4; Burrow uses it.
    pub struct ListOffsetsRequest (versions 0..=7, flexible 6..) {
        /// The follower's node id; −1: a consumer. (Kafka's schema gives no default but 0.)
        replica_id: i32,                                  0..;
        /// 0: up to the high watermark; 1: up to the last stable offset.
        isolation_level: i8,                              2..;
        topics: Vec<ListOffsetsTopic>,                    0..;
    }

    /// A topic to look in.
    pub struct ListOffsetsTopic {
        name: String,                                     0..;
        partitions: Vec<ListOffsetsPartition>,            0..;
    }

    /// A partition to look in.
    pub struct ListOffsetsPartition {
        partition_index: i32,                             0..;
        /// −1: the client does not say (KIP-320).
        current_leader_epoch: i32 = -1,                   4..;
        /// Milliseconds, or one of [`LATEST`], [`EARLIEST`], [`MAX_TIMESTAMP`].
        timestamp: i64,                                   0..;
        max_num_offsets: i32 = 1,                         0..=0;
    }

    /// The offsets found. API key 2, `ListOffsetsResponse.json`.
    pub struct ListOffsetsResponse (versions 0..=7, flexible 6..) {
        throttle_time_ms: i32,                            2..;
        topics: Vec<ListOffsetsTopicResponse>,            0..;
    }

    /// What was found in one topic.
    pub struct ListOffsetsTopicResponse {
        name: String,                                     0..;
        partitions: Vec<ListOffsetsPartitionResponse>,    0..;
    }

    /// What was found in one partition.
    pub struct ListOffsetsPartitionResponse {
        partition_index: i32,                             0..;
        error_code: ErrorCode,                            0..;
        /// Version 0 only: segment starts from the latest down.
        old_style_offsets: Vec<i64>,                      0..=0;
        /// The found record's; −1 where nothing was found, or for the log's ends.
        timestamp: i64 = -1,                              1..;
        /// −1: nothing at or after that time.
        offset: i64 = -1,                                 1..;
        leader_epoch: i32 = -1,                           4..;
    }
}
