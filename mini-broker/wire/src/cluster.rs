//! The cluster as an admin client asks for it.

use crate::error_codes::ErrorCode;
use crate::metadata::OPERATIONS_NOT_TOLD;
use crate::table::table;

/// Whom DescribeCluster asks about (KIP-919).
pub mod endpoint_type {
    pub const BROKERS: i8 = 1;
    pub const CONTROLLERS: i8 = 2;
}

table! {
    /// Asks who is in the cluster. API key 60, `DescribeClusterRequest.json`.
    pub struct DescribeClusterRequest (versions 0..=1, flexible 0..) {
        include_cluster_authorized_operations: bool,      0..;
        /// See [`endpoint_type`].
        endpoint_type: i8 = 1,                            1..;
    }

    /// Brokers and controller. API key 60, `DescribeClusterResponse.json`.
    pub struct DescribeClusterResponse (versions 0..=1, flexible 0..) {
        throttle_time_ms: i32,                            0..;
        error_code: ErrorCode,                            0..;
        error_message: Option<String>,                    0.., null 0..;
        endpoint_type: i8 = 1,                            1..;
        cluster_id: String,                               0..;
        controller_id: i32 = -1,                          0..;
        brokers: Vec<DescribeClusterBroker>,              0..;
        cluster_authorized_operations: i32 = OPERATIONS_NOT_TOLD, 0..;
    }

    /// Where a broker can be reached.
    pub struct DescribeClusterBroker {
        broker_id: i32,                                   0..;
        host: String,                                     0..;
        port: i32,                                        0..;
        rack: Option<String>,                             0.., null 0..;
    }
}
