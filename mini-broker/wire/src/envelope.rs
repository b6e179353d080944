//! A broker forwards a client's request to the controller, and gets the answer back (KIP-590).

use bytes::BytesMut;

use crate::error_codes::ErrorCode;
use crate::table::table;

table! {
    /// A client's request, as it came. API key 58, `EnvelopeRequest.json`.
    pub struct EnvelopeRequest (versions 0..=0, flexible 0..) {
        /// Header and body, without the four bytes of length.
        request_data: BytesMut,                           0..;
        /// Who the client is, in a form that only brokers know. Null where nobody logs in.
        request_principal: Option<BytesMut> = Some(BytesMut::new()), 0.., null 0..;
        /// The client's address: 4 bytes or 16.
        client_host_address: BytesMut,                    0..;
    }

    /// The controller's answer. API key 58, `EnvelopeResponse.json`.
    pub struct EnvelopeResponse (versions 0..=0, flexible 0..) {
        /// Header and body, without the four bytes of length. Null: `error_code` says why.
        response_data: Option<BytesMut>,                  0.., null 0..;
        /// What is wrong with the envelope itself, such as `NOT_CONTROLLER`.
        error_code: ErrorCode,                            0..;
    } tagged {
        /// Ours, not Kafka's: the offset in the metadata log from which on a broker knows what the
        /// answer speaks of, so that it can answer its client once it has applied that much. A
        /// client that creates a topic over one broker then finds it there. −1: no need to wait.
        10_000 = metadata_offset: i64 = -1,               0..;
    }
}
