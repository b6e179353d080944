//! (in the making)

pub mod api;
pub mod frame;
mod table;

pub mod primitives;

pub mod api_versions;
pub mod metadata;

pub mod produce;

pub mod fetch;

pub mod error_codes;

pub use api::{
    Api, ApiRange, DecodeError, Encoded, Request, RequestHeader, Response, SUPPORTED,
    decode_request, decode_response, encode_request, encode_response, supported,
};
pub use error_codes::ErrorCode;
pub use primitives::{Gap, Malformed, Message, Problem, Records};
