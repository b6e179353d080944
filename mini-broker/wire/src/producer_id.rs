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
}
