//! The settings of topics and brokers: told, and changed.

use crate::error_codes::ErrorCode;
use crate::table::table;

/// What a resource type's number means.
pub mod resource {
    pub const TOPIC: i8 = 2;
    pub const BROKER: i8 = 4;
    pub const BROKER_LOGGER: i8 = 8;
    pub const CLIENT_METRICS: i8 = 16;
    pub const GROUP: i8 = 32;
}

/// What is to be done with a setting (KIP-339).
pub mod operation {
    pub const SET: i8 = 0;
    /// Takes the setting away, so that the next source holds.
    pub const DELETE: i8 = 1;
    /// Adds to a list. Only settings of the type [`LIST`](super::kind::LIST) have it.
    pub const APPEND: i8 = 2;
    /// Takes out of a list.
    pub const SUBTRACT: i8 = 3;
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
    /// Asks for new settings in place of all old ones. API key 33, `AlterConfigsRequest.json`.
    ///
    /// What it does not name is lost; newer clients send [`IncrementalAlterConfigsRequest`] instead.
    pub struct AlterConfigsRequest (versions 0..=2, flexible 2..) {
        resources: Vec<AlterConfigsResource>,             0..;
        /// Check only, change nothing.
        validate_only: bool,                              0..;
    }

    /// Whose settings, and all that it should have set.
    pub struct AlterConfigsResource {
        /// See [`resource`].
        resource_type: i8,                                0..;
        /// A topic's name, a broker's node id in digits, or empty: all brokers.
        resource_name: String,                            0..;
        configs: Vec<AlterableConfig>,                    0..;
    }

    /// A setting to have.
    pub struct AlterableConfig {
        name: String,                                     0..;
        /// The wire allows null, but Kafka refuses it with `INVALID_REQUEST`.
        value: Option<String>,                            0.., null 0..;
    }

    /// What became of each resource. API key 33, `AlterConfigsResponse.json`.
    pub struct AlterConfigsResponse (versions 0..=2, flexible 2..) {
        throttle_time_ms: i32,                            0..;
        responses: Vec<AlterConfigsResourceResponse>,     0..;
    }

    /// What became of one resource: all its changes are made, or none. Both ways to alter settings
    /// answer with it.
    pub struct AlterConfigsResourceResponse {
        error_code: ErrorCode,                            0..;
        error_message: Option<String>,                    0.., null 0..;
        resource_type: i8,                                0..;
        resource_name: String,                            0..;
    }

    /// Asks for changes to single settings; all others stay as they are (KIP-339). API key 44,
    /// `IncrementalAlterConfigsRequest.json`.
    pub struct IncrementalAlterConfigsRequest (versions 0..=1, flexible 1..) {
        resources: Vec<IncrementalAlterConfigsResource>,  0..;
        /// Check only, change nothing.
        validate_only: bool,                              0..;
    }

    /// Whose settings, and what to change of them. (Kafka's name: `AlterConfigsResource`.)
    pub struct IncrementalAlterConfigsResource {
        /// See [`resource`].
        resource_type: i8,                                0..;
        /// A topic's name, a broker's node id in digits, or empty: all brokers.
        resource_name: String,                            0..;
        configs: Vec<IncrementalAlterableConfig>,         0..;
    }

    /// A change to one setting. (Kafka's name: `AlterableConfig`.)
    pub struct IncrementalAlterableConfig {
        name: String,                                     0..;
        /// See [`operation`].
        config_operation: i8,                             0..;
        /// Null belongs to [`operation::DELETE`], which looks at no value; with the others Kafka
        /// refuses it with `INVALID_REQUEST`.
        value: Option<String>,                            0.., null 0..;
    }

    /// What became of each resource. API key 44, `IncrementalAlterConfigsResponse.json`.
    pub struct IncrementalAlterConfigsResponse (versions 0..=1, flexible 1..) {
        throttle_time_ms: i32,                            0..;
        responses: Vec<AlterConfigsResourceResponse>,     0..;
    }
}
