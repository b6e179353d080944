//! Consumer groups: who coordinates one.

use crate::error_codes::ErrorCode;
use crate::table::table;

/// What a coordinator key names.
pub mod key_type {
    pub const GROUP: i8 = 0;
    pub const TRANSACTION: i8 = 1;
}

table! {
    /// Asks for the coordinator of groups. API key 10, `FindCoordinatorRequest.json`.
    pub struct FindCoordinatorRequest (versions 0..=4, flexible 3..) {
        key: String,                                      0..=3;
        /// See [`key_type`].
        key_type: i8,                                     1..;
        coordinator_keys: Vec<String>,                    4..;
    }

    /// The coordinator: one up to version 3, a list from 4 on. API key 10,
    /// `FindCoordinatorResponse.json`.
    pub struct FindCoordinatorResponse (versions 0..=4, flexible 3..) {
        throttle_time_ms: i32,                            1..;
        error_code: ErrorCode,                            0..=3;
        error_message: Option<String>,                    1..=3, null 1..=3;
        node_id: i32,                                     0..=3;
        host: String,                                     0..=3;
        port: i32,                                        0..=3;
        coordinators: Vec<Coordinator>,                   4..;
    }

    /// The coordinator of one key.
    pub struct Coordinator {
        key: String,                                      4..;
        node_id: i32,                                     4..;
        host: String,                                     4..;
        port: i32,                                        4..;
        error_code: ErrorCode,                            4..;
        error_message: Option<String>,                    4.., null 4..;
    }
}
