//! Which APIs, in which versions? The first question of every connection.

use crate::error_codes::ErrorCode;
use crate::table::table;

table! {
    /// Asks what the broker can do. API key 18, `ApiVersionsRequest.json`.
    pub struct ApiVersionsRequest (versions 0..=4, flexible 3..) {
        /// The client's library, such as `librdkafka`.
        client_software_name: String,                     3..;
        client_software_version: String,                  3..;
    }

    /// The broker's table of APIs. API key 18, `ApiVersionsResponse.json`.
    ///
    /// Its header is always version 0, so that a client that asked in a version the broker does
    /// not know can read the answer: a version 0 body with error 35 and the range of key 18.
    pub struct ApiVersionsResponse (versions 0..=4, flexible 3..) {
        error_code: ErrorCode,                            0..;
        api_keys: Vec<ApiVersion>,                        0..;
        throttle_time_ms: i32,                            1..;
    } tagged {
        0 = supported_features: Vec<SupportedFeatureKey>, 3..;
        /// −1: unknown.
        1 = finalized_features_epoch: i64 = -1,           3..;
        2 = finalized_features: Vec<FinalizedFeatureKey>, 3..;
        3 = zk_migration_ready: bool,                     3..;
    }

    /// One API and the versions the broker speaks of it, both ends included.
    pub struct ApiVersion {
        api_key: i16,                                     0..;
        min_version: i16,                                 0..;
        max_version: i16,                                 0..;
    }

    /// A feature and the levels the broker supports.
    pub struct SupportedFeatureKey {
        name: String,                                     3..;
        min_version: i16,                                 3..;
        max_version: i16,                                 3..;
    }

    /// A feature and the levels the cluster has agreed on.
    pub struct FinalizedFeatureKey {
        name: String,                                     3..;
        max_version_level: i16,                           3..;
        min_version_level: i16,                           3..;
    }
}
