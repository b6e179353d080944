//! The settings of topics and brokers.

use crate::error_codes::ErrorCode;
use crate::table::table;

/// What a resource type's number means.
pub mod resource {
    pub const TOPIC: i8 = 2;
    pub const BROKER: i8 = 4;
    pub const BROKER_LOGGER: i8 = 8;
}

/// Where a setting comes from: the nearest of these wins.
pub mod source {
    pub const TOPIC_CONFIG: i8 = 1;
    pub const DYNAMIC_BROKER_CONFIG: i8 = 2;
    pub const DYNAMIC_DEFAULT_BROKER_CONFIG: i8 = 3;
    pub const STATIC_BROKER_CONFIG: i8 = 4;
    pub const DEFAULT_CONFIG: i8 = 5;
}

/// What a setting's value is.
pub mod kind {
    pub const UNKNOWN: i8 = 0;
    pub const BOOLEAN: i8 = 1;
    pub const STRING: i8 = 2;
    pub const INT: i8 = 3;
    pub const SHORT: i8 = 4;
    pub const LONG: i8 = 5;
    pub const DOUBLE: i8 = 6;
    pub const LIST: i8 = 7;
    pub const CLASS: i8 = 8;
    pub const PASSWORD: i8 = 9;
}

table! {
    /// Asks for settings. API key 32, `DescribeConfigsRequest.json`.
    pub struct DescribeConfigsRequest (versions 1..=4, flexible 4..) {
        resources: Vec<DescribeConfigsResource>,          0..;
        /// Also what would hold if the setting were taken away.
        include_synonyms: bool,                           1..;
        include_documentation: bool,                      3..;
    }

    /// Whose settings.
    pub struct DescribeConfigsResource {
        /// See [`resource`].
        resource_type: i8,                                0..;
        /// A topic's name, or a broker's node id in digits.
        resource_name: String,                            0..;
        /// Null: all of them.
        configuration_keys: Option<Vec<String>>,          0.., null 0..;
    }

    /// The settings. API key 32, `DescribeConfigsResponse.json`.
    pub struct DescribeConfigsResponse (versions 1..=4, flexible 4..) {
        throttle_time_ms: i32,                            0..;
        results: Vec<DescribeConfigsResult>,              0..;
    }

    /// The settings of one resource.
    pub struct DescribeConfigsResult {
        error_code: ErrorCode,                            0..;
        error_message: Option<String>,                    0.., null 0..;
        resource_type: i8,                                0..;
        resource_name: String,                            0..;
        configs: Vec<DescribeConfigsResourceResult>,      0..;
    }

    /// One setting.
    pub struct DescribeConfigsResourceResult {
        name: String,                                     0..;
        value: Option<String>,                            0.., null 0..;
        read_only: bool,                                  0..;
        /// See [`source`].
        config_source: i8 = -1,                           1..;
        is_sensitive: bool,                               0..;
        synonyms: Vec<DescribeConfigsSynonym>,            1..;
        /// See [`kind`].
        config_type: i8,                                  3..;
        documentation: Option<String>,                    3.., null 0..;
    }

    /// The same setting further out, where it is also set.
    pub struct DescribeConfigsSynonym {
        name: String,                                     1..;
        value: Option<String>,                            1.., null 0..;
        source: i8,                                       1..;
    }
}
