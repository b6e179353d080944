//! The offsets that groups commit: how far they have read.
//!
//! A committed offset is that of the *next* record to read.

use crate::error_codes::ErrorCode;
use crate::table::table;

table! {
    /// Asks to keep offsets. API key 8, `OffsetCommitRequest.json`.
    pub struct OffsetCommitRequest (versions 2..=8, flexible 8..) {
        group_id: String,                                 0..;
        /// −1: whoever commits is no member, and assigns itself its partitions.
        generation_id_or_member_epoch: i32 = -1,          1..;
        member_id: String,                                1..;
        group_instance_id: Option<String>,                7.., null 7..;
        /// −1: as long as the broker keeps others.
        retention_time_ms: i64 = -1,                      2..=4;
        topics: Vec<OffsetCommitRequestTopic>,            0..;
    }

    /// A topic to commit offsets of.
    pub struct OffsetCommitRequestTopic {
        name: String,                                     0..;
        partitions: Vec<OffsetCommitRequestPartition>,    0..;
    }

    /// How far one partition was read.
    pub struct OffsetCommitRequestPartition {
        partition_index: i32,                             0..;
        committed_offset: i64,                            0..;
        /// That of the last record read; −1: the client does not say (KIP-320).
        committed_leader_epoch: i32 = -1,                 6..;
        /// A text of the client's own. Kafka keeps a null as an empty one.
        committed_metadata: Option<String>,               0.., null 0..;
    }

    /// What became of each. API key 8, `OffsetCommitResponse.json`.
    pub struct OffsetCommitResponse (versions 2..=8, flexible 8..) {
        throttle_time_ms: i32,                            3..;
        topics: Vec<OffsetCommitResponseTopic>,           0..;
    }

    /// What became of one topic's.
    pub struct OffsetCommitResponseTopic {
        name: String,                                     0..;
        partitions: Vec<OffsetCommitResponsePartition>,   0..;
    }

    /// What became of one.
    pub struct OffsetCommitResponsePartition {
        partition_index: i32,                             0..;
        error_code: ErrorCode,                            0..;
    }

    /// Asks how far groups have read: one up to version 7, a list from 8 on. API key 9,
    /// `OffsetFetchRequest.json`.
    pub struct OffsetFetchRequest (versions 1..=8, flexible 6..) {
        group_id: String,                                 0..=7;
        /// Null: all that the group has committed.
        topics: Option<Vec<OffsetFetchRequestTopic>>,     0..=7, null 2..=7;
        groups: Vec<OffsetFetchRequestGroup>,             8..;
        /// To a partition with offsets in a transaction that is still open, answer
        /// `UNSTABLE_OFFSET_COMMIT` (KIP-447).
        require_stable: bool,                             7..;
    }

    /// One of the groups.
    pub struct OffsetFetchRequestGroup {
        group_id: String,                                 8..;
        /// Null: all that the group has committed.
        topics: Option<Vec<OffsetFetchRequestTopic>>,     8.., null 8..;
    }

    /// A topic to tell offsets of. (Kafka's schema has it twice: up to version 7, and from 8 on.)
    pub struct OffsetFetchRequestTopic {
        name: String,                                     0..;
        partition_indexes: Vec<i32>,                      0..;
    }

    /// How far they have read. API key 9, `OffsetFetchResponse.json`.
    pub struct OffsetFetchResponse (versions 1..=8, flexible 6..) {
        throttle_time_ms: i32,                            3..;
        topics: Vec<OffsetFetchResponseTopic>,            0..=7;
        /// Of the whole group. Version 1 has it with each partition.
        error_code: ErrorCode,                            2..=7;
        groups: Vec<OffsetFetchResponseGroup>,            8..;
    }

    /// How far one of the groups has read.
    pub struct OffsetFetchResponseGroup {
        group_id: String,                                 8..;
        topics: Vec<OffsetFetchResponseTopic>,            8..;
        error_code: ErrorCode,                            8..;
    }

    /// What a group committed of one topic. (Kafka's schema has it twice: up to version 7, and from 8
    /// on.)
    pub struct OffsetFetchResponseTopic {
        name: String,                                     0..;
        partitions: Vec<OffsetFetchResponsePartition>,    0..;
    }

    /// What it committed of one partition.
    pub struct OffsetFetchResponsePartition {
        partition_index: i32,                             0..;
        /// −1: nothing, which is no error. (Kafka's schema gives no default but 0.)
        committed_offset: i64,                            0..;
        committed_leader_epoch: i32 = -1,                 5..;
        /// Empty, where nothing was committed.
        metadata: Option<String>,                         0.., null 0..;
        error_code: ErrorCode,                            0..;
    }

    /// Asks to forget offsets. API key 47, `OffsetDeleteRequest.json`.
    pub struct OffsetDeleteRequest (versions 0..=0, flexible ..0) {
        group_id: String,                                 0..;
        topics: Vec<OffsetDeleteRequestTopic>,            0..;
    }

    /// A topic whose offsets to forget.
    pub struct OffsetDeleteRequestTopic {
        name: String,                                     0..;
        partitions: Vec<OffsetDeleteRequestPartition>,    0..;
    }

    /// A partition whose offset to forget.
    pub struct OffsetDeleteRequestPartition {
        partition_index: i32,                             0..;
    }

    /// What became of each. API key 47, `OffsetDeleteResponse.json`.
    pub struct OffsetDeleteResponse (versions 0..=0, flexible ..0) {
        /// Of the whole group.
        error_code: ErrorCode,                            0..;
        throttle_time_ms: i32,                            0..;
        topics: Vec<OffsetDeleteResponseTopic>,           0..;
    }

    /// What became of one topic's.
    pub struct OffsetDeleteResponseTopic {
        name: String,                                     0..;
        partitions: Vec<OffsetDeleteResponsePartition>,   0..;
    }

    /// What became of one.
    pub struct OffsetDeleteResponsePartition {
        partition_index: i32,                             0..;
        /// `GROUP_SUBSCRIBED_TO_TOPIC`: a member still reads the topic.
        error_code: ErrorCode,                            0..;
    }
}
