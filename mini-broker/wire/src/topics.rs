//! Topics are created, given more partitions, and deleted.

use uuid::Uuid;

use crate::error_codes::ErrorCode;
use crate::table::table;

table! {
    /// Asks for new topics. API key 19, `CreateTopicsRequest.json`.
    pub struct CreateTopicsRequest (versions 2..=7, flexible 5..) {
        topics: Vec<CreatableTopic>,                      0..;
        timeout_ms: i32 = 60_000,                         0..;
        /// Check only, create nothing.
        validate_only: bool,                              1..;
    }

    /// A topic to create.
    pub struct CreatableTopic {
        name: String,                                     0..;
        /// −1: the broker's default, or as many as `assignments` has.
        num_partitions: i32,                              0..;
        /// −1: the broker's default, or as many as `assignments` has.
        replication_factor: i16,                          0..;
        /// Empty: the broker places the replicas.
        assignments: Vec<CreatableReplicaAssignment>,     0..;
        configs: Vec<CreatableTopicConfig>,               0..;
    }

    /// Where a partition's replicas should be, the preferred leader first.
    pub struct CreatableReplicaAssignment {
        partition_index: i32,                             0..;
        broker_ids: Vec<i32>,                             0..;
    }

    /// A setting of the new topic.
    pub struct CreatableTopicConfig {
        name: String,                                     0..;
        value: Option<String>,                            0.., null 0..;
    }

    /// What became of each topic. API key 19, `CreateTopicsResponse.json`.
    pub struct CreateTopicsResponse (versions 2..=7, flexible 5..) {
        throttle_time_ms: i32,                            2..;
        topics: Vec<CreatableTopicResult>,                0..;
    }

    /// What became of one topic.
    pub struct CreatableTopicResult {
        name: String,                                     0..;
        topic_id: Uuid,                                   7..;
        error_code: ErrorCode,                            0..;
        error_message: Option<String>,                    1.., null 0..;
        num_partitions: i32 = -1,                         5..;
        replication_factor: i16 = -1,                     5..;
        /// Java's admin client falls over null after a success: send at least an empty list.
        configs: Option<Vec<CreatableTopicConfigs>> = Some(Vec::new()), 5.., null 5..;
    } tagged {
        /// Why `configs` is null.
        0 = topic_config_error_code: ErrorCode,           5..;
    }

    /// A setting as the new topic has it.
    pub struct CreatableTopicConfigs {
        name: String,                                     5..;
        value: Option<String>,                            5.., null 5..;
        read_only: bool,                                  5..;
        /// See [`configs::source`](crate::configs::source).
        config_source: i8 = -1,                           5..;
        is_sensitive: bool,                               5..;
    }

    /// Asks for more partitions of topics that exist. API key 37, `CreatePartitionsRequest.json`.
    ///
    /// Version 3 is version 2 from a client that understands `THROTTLING_QUOTA_EXCEEDED` (KIP-599).
    pub struct CreatePartitionsRequest (versions 0..=3, flexible 2..) {
        topics: Vec<CreatePartitionsTopic>,               0..;
        timeout_ms: i32,                                  0..;
        /// Check only, create nothing.
        validate_only: bool,                              0..;
    }

    /// A topic that is to grow.
    pub struct CreatePartitionsTopic {
        name: String,                                     0..;
        /// How many partitions it should have in the end, not how many more.
        count: i32,                                       0..;
        /// One for each new partition, in order. Null: the broker places the replicas.
        assignments: Option<Vec<CreatePartitionsAssignment>>, 0.., null 0..;
    }

    /// Where a new partition's replicas should be, the preferred leader first.
    pub struct CreatePartitionsAssignment {
        broker_ids: Vec<i32>,                             0..;
    }

    /// What became of each topic. API key 37, `CreatePartitionsResponse.json`.
    pub struct CreatePartitionsResponse (versions 0..=3, flexible 2..) {
        throttle_time_ms: i32,                            0..;
        results: Vec<CreatePartitionsTopicResult>,        0..;
    }

    /// What became of one topic.
    pub struct CreatePartitionsTopicResult {
        name: String,                                     0..;
        error_code: ErrorCode,                            0..;
        error_message: Option<String>,                    0.., null 0..;
    }

    /// Asks to delete topics. API key 20, `DeleteTopicsRequest.json`.
    pub struct DeleteTopicsRequest (versions 1..=5, flexible 4..) {
        topic_names: Vec<String>,                         0..=5;
        timeout_ms: i32,                                  0..;
    }

    /// What became of each. API key 20, `DeleteTopicsResponse.json`.
    pub struct DeleteTopicsResponse (versions 1..=5, flexible 4..) {
        throttle_time_ms: i32,                            1..;
        responses: Vec<DeletableTopicResult>,             0..;
    }

    /// What became of one topic.
    pub struct DeletableTopicResult {
        name: String,                                     0..;
        error_code: ErrorCode,                            0..;
        error_message: Option<String>,                    5.., null 5..;
    }
}
