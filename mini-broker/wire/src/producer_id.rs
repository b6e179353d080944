//! A producer gets an id, so that its retries can be told from new batches (KIP-98).

use crate::error_codes::ErrorCode;
use crate::table::table;

table! {
    /// Asks for a producer id. API key 22, `InitProducerIdRequest.json`.
    pub struct InitProducerIdRequest (versions 0..=4, flexible 2..) {
        /// Null: idempotent, but not transactional.
        transactional_id: Option<String>,                 0.., null 0..;
        transaction_timeout_ms: i32,                      0..;
        /// The id the producer had, to go on with a higher epoch; −1: none.
        producer_id: i64 = -1,                            3..;
        producer_epoch: i16 = -1,                         3..;
    }

    /// The id and its epoch. API key 22, `InitProducerIdResponse.json`.
    pub struct InitProducerIdResponse (versions 0..=4, flexible 2..) {
        throttle_time_ms: i32,                            0..;
        error_code: ErrorCode,                            0..;
        producer_id: i64 = -1,                            0..;
        producer_epoch: i16,                              0..;
    }

    /// A broker asks the controller for a block of ids to give out. API key 67,
    /// `AllocateProducerIdsRequest.json`.
    pub struct AllocateProducerIdsRequest (versions 0..=0, flexible 0..) {
        broker_id: i32,                                   0..;
        broker_epoch: i64 = -1,                           0..;
    }

    /// A block that nobody had before. API key 67, `AllocateProducerIdsResponse.json`.
    pub struct AllocateProducerIdsResponse (versions 0..=0, flexible 0..) {
        throttle_time_ms: i32,                            0..;
        error_code: ErrorCode,                            0..;
        /// The first id of the block.
        producer_id_start: i64,                           0..;
        /// How many ids it has.
        producer_id_len: i32,                             0..;
    }
}
