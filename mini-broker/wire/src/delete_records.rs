//! Records are deleted from the start of a log.

use crate::error_codes::ErrorCode;
use crate::table::table;

/// An offset that asks for everything below the high watermark to be deleted.
pub const HIGH_WATERMARK: i64 = -1;
/// The low watermark of a partition whose records were not deleted.
pub const INVALID_LOW_WATERMARK: i64 = -1;

table! {
    /// Asks for logs to start later. API key 21, `DeleteRecordsRequest.json`.
    pub struct DeleteRecordsRequest (versions 0..=2, flexible 2..) {
        topics: Vec<DeleteRecordsTopic>,                  0..;
        timeout_ms: i32,                                  0..;
    }

    /// A topic to delete records of.
    pub struct DeleteRecordsTopic {
        name: String,                                     0..;
        partitions: Vec<DeleteRecordsPartition>,          0..;
    }

    /// A partition to delete records of.
    pub struct DeleteRecordsPartition {
        partition_index: i32,                             0..;
        /// The first offset to keep, or [`HIGH_WATERMARK`].
        offset: i64,                                      0..;
    }

    /// Where the logs start now. API key 21, `DeleteRecordsResponse.json`.
    pub struct DeleteRecordsResponse (versions 0..=2, flexible 2..) {
        throttle_time_ms: i32,                            0..;
        topics: Vec<DeleteRecordsTopicResult>,            0..;
    }

    /// What became of one topic.
    pub struct DeleteRecordsTopicResult {
        name: String,                                     0..;
        partitions: Vec<DeleteRecordsPartitionResult>,    0..;
    }

    /// What became of one partition.
    pub struct DeleteRecordsPartitionResult {
        partition_index: i32,                             0..;
        /// The least log start offset of the replicas that are alive. With an error it should be
        /// [`INVALID_LOW_WATERMARK`], which is not the default.
        low_watermark: i64,                               0..;
        error_code: ErrorCode,                            0..;
    }
}
