//! An admin asks for an election: back to the preferred leaders, or to any replica at all.

use crate::error_codes::ErrorCode;
use crate::table::table;

/// Whom an election may choose (KIP-460).
pub mod election_type {
    /// The first replica of the assignment, if it is in sync.
    pub const PREFERRED: i8 = 0;
    /// Any live replica where none is in sync: records may be lost.
    pub const UNCLEAN: i8 = 1;
}

table! {
    /// Asks for elections. API key 43, `ElectLeadersRequest.json`.
    pub struct ElectLeadersRequest (versions 0..=2, flexible 2..) {
        /// See [`election_type`]. Version 0 knows preferred leaders only.
        election_type: i8,                                1..;
        /// Null: every partition there is.
        topic_partitions: Option<Vec<TopicPartitions>> = Some(Vec::new()), 0.., null 0..;
        timeout_ms: i32 = 60_000,                         0..;
    }

    /// Partitions of one topic.
    pub struct TopicPartitions {
        topic: String,                                    0..;
        partitions: Vec<i32>,                             0..;
    }

    /// What became of each. API key 43, `ElectLeadersResponse.json`.
    pub struct ElectLeadersResponse (versions 0..=2, flexible 2..) {
        throttle_time_ms: i32,                            0..;
        /// Version 0 has none: what is wrong with the request stands at every partition.
        error_code: ErrorCode,                            1..;
        replica_election_results: Vec<ReplicaElectionResult>, 0..;
    }

    /// What became of one topic's partitions.
    pub struct ReplicaElectionResult {
        topic: String,                                    0..;
        partition_result: Vec<PartitionResult>,           0..;
    }

    /// What became of one partition.
    pub struct PartitionResult {
        partition_id: i32,                                0..;
        /// `ELECTION_NOT_NEEDED`: it has the leader already.
        error_code: ErrorCode,                            0..;
        error_message: Option<String>,                    0.., null 0..;
    }
}
