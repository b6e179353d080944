//! What lies in a broker's log directories, and how much room is left there.

use crate::error_codes::ErrorCode;
use crate::table::table;

/// The lag of a replica that the broker cannot tell.
pub const INVALID_OFFSET_LAG: i64 = -1;
/// The size of a volume that the broker cannot tell.
pub const UNKNOWN_VOLUME_BYTES: i64 = -1;

table! {
    /// Asks one broker about its own disks. API key 35, `DescribeLogDirsRequest.json`.
    pub struct DescribeLogDirsRequest (versions 1..=4, flexible 2..) {
        /// Null: all topics; empty: none, only the directories.
        topics: Option<Vec<DescribableLogDirTopic>>,      0.., null 0..;
    }

    /// A topic to look for.
    pub struct DescribableLogDirTopic {
        topic: String,                                    0..;
        /// Empty: none of them. There is no way to ask for all of one topic.
        partitions: Vec<i32>,                             0..;
    }

    /// The directories. API key 35, `DescribeLogDirsResponse.json`.
    pub struct DescribeLogDirsResponse (versions 1..=4, flexible 2..) {
        throttle_time_ms: i32,                            0..;
        error_code: ErrorCode,                            3..;
        /// Never empty after a success: versions 1 and 2 have no error code, so Java's admin client
        /// takes an empty list without one for `CLUSTER_AUTHORIZATION_FAILED`.
        results: Vec<DescribeLogDirsResult>,              0..;
    }

    /// One directory.
    pub struct DescribeLogDirsResult {
        /// `KAFKA_STORAGE_ERROR`: the directory is offline.
        error_code: ErrorCode,                            0..;
        /// Its absolute path.
        log_dir: String,                                  0..;
        /// Only topics with partitions here.
        topics: Vec<DescribeLogDirsTopic>,                0..;
        /// How large the volume is on which the directory lies (KIP-827).
        total_bytes: i64 = UNKNOWN_VOLUME_BYTES,          4..;
        /// How much of it the broker can still fill (KIP-827).
        usable_bytes: i64 = UNKNOWN_VOLUME_BYTES,         4..;
    }

    /// A topic in a directory.
    pub struct DescribeLogDirsTopic {
        name: String,                                     0..;
        partitions: Vec<DescribeLogDirsPartition>,        0..;
    }

    /// A partition's log in a directory.
    pub struct DescribeLogDirsPartition {
        partition_index: i32,                             0..;
        /// The bytes of all its segments, without their indexes.
        partition_size: i64,                              0..;
        /// How far its log end offset is behind the high watermark, or, of a future log, behind the
        /// log end offset of the current one. Else [`INVALID_OFFSET_LAG`].
        offset_lag: i64,                                  0..;
        /// A future log: it is being moved into this directory, and will take the place of the
        /// current one.
        is_future_key: bool,                              0..;
    }
}
