//! Kafka's protocol as tables: what a client and a broker say to each other, byte by byte.
//!
//! Every message is a table of fields, types and versions (module [`api`] lists the messages, the
//! macro in `table.rs` explains the rows), and reads like a page of Kafka's protocol guide. A
//! broker uses [`decode_request_on`] and [`encode_response`], a client [`encode_request`] and
//! [`decode_response`].
//!
//! What this crate never does: read or write a socket, copy record batches on their way to or from
//! the log ([`Records`]), or reserve memory for a length that the bytes which came could not fill.
//!
//! # A request's path
//!
//! 1. [`frame`] checks the four bytes of length and cuts the frame off.
//! 2. [`decode_request_on`] reads the header, looks up key and version in [`SUPPORTED`], and hands
//!    the rest to the table, if the request belongs on its [`Listener`]. Whatever is wrong is a [`DecodeError`] that says where and why, and
//!    carries the header if that could be read, so that the broker can still answer.
//! 3. The broker makes a [`Response`]; [`encode_response`] counts its size, reserves once and
//!    writes. Records that lie in a file stay there: the frame has a [`Gap`] for them.
//!
//! # To add an API
//!
//! Write its two tables into the file of its family, or into a new file that is listed below; rows
//! come from the `.json` files in Kafka's `clients/src/main/resources/common/message/`. Then add
//! one line to `apis!` in `api.rs`, one to `oracle!` in `tests/oracle.rs`, which holds the tables
//! against another implementation, and one to the list in `tests/recorded.rs`; all other tests
//! find it by themselves. A new version of an API is a new end of `versions` in both tables and
//! the rows that it brings.

// From frames to messages: every API is listed in `api`.
pub mod api;
pub mod frame;

// What a client asks first.
pub mod api_versions;
pub mod cluster;
pub mod metadata;

// What an admin asks.
pub mod configs;
pub mod delete_records;
pub mod elect_leaders;
pub mod group_admin;
pub mod log_dirs;
pub mod topics;

// What a producer asks.
pub mod produce;
pub mod producer_id;

// What a consumer asks.
pub mod committed_offsets;
pub mod fetch;
pub mod groups;
pub mod list_offsets;
pub mod offset_for_leader_epoch;

// What a broker asks the controller.
pub mod alter_partition;
pub mod broker_lifecycle;
pub mod envelope;
pub mod fetch_snapshot;

// What stands in the bytes of groups' requests, and in their coordinator's log.
pub mod consumer_protocol;
pub mod offsets_topic;
mod versioned;

// What the tables are made of.
pub mod error_codes;
pub mod primitives;
mod table;

pub use api::{
    Api, ApiRange, DecodeError, Encoded, Listener, Request, RequestHeader, Response, SUPPORTED,
    decode_request, decode_request_on, decode_response, encode_request, encode_response, supported,
};
pub use error_codes::ErrorCode;
pub use primitives::{Gap, Malformed, Message, Problem, Records};
