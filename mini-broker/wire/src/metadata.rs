//! Who is in the cluster, and who leads which partition?

use uuid::Uuid;

use crate::error_codes::ErrorCode;
use crate::table::table;

/// What a broker without access control answers where it is asked for allowed operations.
pub const OPERATIONS_NOT_TOLD: i32 = i32::MIN;

table! {
    /// Asks about brokers and topics. API key 3, `MetadataRequest.json`.
    pub struct MetadataRequest (versions 0..=12, flexible 9..) {
        /// Null: all topics; empty: none. Version 0 has no null, there empty means all.
        topics: Option<Vec<MetadataRequestTopic>>,        0.., null 1..;
        /// Versions 0 to 3 do not have the choice, and always allow it.
        allow_auto_topic_creation: bool = true,           4..;
        include_cluster_authorized_operations: bool,      8..=10;
        include_topic_authorized_operations: bool,        8..;
    }

    /// A topic asked for, by name or (from version 12 on) by id.
    pub struct MetadataRequestTopic {
        topic_id: Uuid,                                   10..;
        name: Option<String>,                             0.., null 10..;
    }

    /// Brokers, controller, topics. API key 3, `MetadataResponse.json`.
    pub struct MetadataResponse (versions 0..=12, flexible 9..) {
        throttle_time_ms: i32,                            3..;
        brokers: Vec<MetadataResponseBroker>,             0..;
        cluster_id: Option<String>,                       2.., null 2..;
        controller_id: i32 = -1,                          1..;
        topics: Vec<MetadataResponseTopic>,               0..;
        /// A bit per operation; the least number means "not told".
        cluster_authorized_operations: i32 = OPERATIONS_NOT_TOLD, 8..=10;
    }

    /// Where a broker can be reached.
    pub struct MetadataResponseBroker {
        node_id: i32,                                     0..;
        host: String,                                     0..;
        port: i32,                                        0..;
        rack: Option<String>,                             1.., null 1..;
    }

    /// A topic, or why there is none.
    pub struct MetadataResponseTopic {
        error_code: ErrorCode,                            0..;
        /// Null only if asked for by an id that nobody has.
        name: Option<String>,                             0.., null 12..;
        topic_id: Uuid,                                   10..;
        is_internal: bool,                                1..;
        partitions: Vec<MetadataResponsePartition>,       0..;
        topic_authorized_operations: i32 = OPERATIONS_NOT_TOLD, 8..;
    }

    /// A partition: its leader and its replicas, by node id.
    pub struct MetadataResponsePartition {
        error_code: ErrorCode,                            0..;
        partition_index: i32,                             0..;
        /// −1: no leader now.
        leader_id: i32,                                   0..;
        leader_epoch: i32 = -1,                           7..;
        replica_nodes: Vec<i32>,                          0..;
        isr_nodes: Vec<i32>,                              0..;
        offline_replicas: Vec<i32>,                       5..;
    }
}
