//! A producer pushes record batches to a leader.

use crate::error_codes::ErrorCode;
use crate::primitives::Records;
use crate::table::table;

table! {
    /// Asks the leader to append. API key 0, `ProduceRequest.json`.
    ///
    /// Versions 0 to 2 carried older batch formats. They are advertised, because librdkafka up to
    /// 2.10 looks for them to learn what a broker can do, but no client that knows 3 sends them.
    pub struct ProduceRequest (versions 3..=9, flexible 9..) {
        transactional_id: Option<String>,                 3.., null 3..;
        /// 0: no answer wanted; 1: once the leader has it; −1: once every in-sync replica has it.
        acks: i16,                                        0..;
        timeout_ms: i32,                                  0..;
        topic_data: Vec<TopicProduceData>,                0..;
    }

    /// The batches for one topic.
    pub struct TopicProduceData {
        name: String,                                     0..;
        partition_data: Vec<PartitionProduceData>,        0..;
    }

    /// The batch for one partition.
    pub struct PartitionProduceData {
        index: i32,                                       0..;
        records: Records,                                 0.., null 0..;
    }

    /// What became of each batch. API key 0, `ProduceResponse.json`.
    pub struct ProduceResponse (versions 3..=9, flexible 9..) {
        responses: Vec<TopicProduceResponse>,             0..;
        throttle_time_ms: i32,                            1..;
    }

    /// The answers for one topic.
    pub struct TopicProduceResponse {
        name: String,                                     0..;
        partition_responses: Vec<PartitionProduceResponse>, 0..;
    }

    /// The answer for one partition.
    pub struct PartitionProduceResponse {
        index: i32,                                       0..;
        error_code: ErrorCode,                            0..;
        /// The offset of the batch's first record; −1 after an error.
        base_offset: i64,                                 0..;
        /// −1, unless the topic stamps records with the broker's clock.
        log_append_time_ms: i64 = -1,                     2..;
        log_start_offset: i64 = -1,                       5..;
        record_errors: Vec<BatchIndexAndErrorMessage>,    8..;
        error_message: Option<String>,                    8.., null 8..;
    }

    /// A record that spoiled its batch.
    pub struct BatchIndexAndErrorMessage {
        batch_index: i32,                                 8..;
        batch_index_error_message: Option<String>,        8.., null 8..;
    }
}
