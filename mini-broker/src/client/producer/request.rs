//! A produce request for some batches, and what its answer says of each.

use std::time::Duration;

use wire::ErrorCode;
use wire::produce::{PartitionProduceData, ProduceRequest, ProduceResponse, TopicProduceData};

use super::Batch;
use crate::client::Error;

pub(super) fn request(
    topic: &str,
    acks: i16,
    within: Duration,
    batches: &[Batch],
) -> ProduceRequest {
    let partition_data = batches.iter().map(|batch| PartitionProduceData {
        index: batch.partition,
        // Kept until the answer: it may have to be sent again.
        records: wire::Records::Here(batch.bytes.clone()),
    });
    ProduceRequest {
        transactional_id: None,
        acks,
        timeout_ms: within.as_millis() as i32,
        topic_data: vec![TopicProduceData {
            name: topic.to_owned(),
            partition_data: partition_data.collect(),
        }],
    }
}

pub(super) fn outcome(
    topic: &str,
    partition: i32,
    result: &Result<Option<ProduceResponse>, Error>,
) -> Result<i64, Error> {
    let what = || format!("partition {topic}-{partition}");
    let answer = match result {
        Ok(None) => return Ok(-1),
        Ok(Some(answer)) => answer,
        Err(error) => return Err(again(error)),
    };
    let mut answers = answer.responses.iter().flat_map(|topic| &topic.partition_responses);
    let Some(answer) = answers.find(|answer| answer.index == partition) else {
        return Err(Error::refused(what(), ErrorCode::UNKNOWN_SERVER_ERROR, None));
    };
    match answer.error_code.is_ok() {
        true => Ok(answer.base_offset),
        // It is there, and the leader does not remember where.
        false if answer.error_code == ErrorCode::DUPLICATE_SEQUENCE_NUMBER => Ok(-1),
        false => Err(Error::refused(what(), answer.error_code, answer.error_message.clone())),
    }
}

/// One failed request fails several batches, each with the same sentence.
fn again(error: &Error) -> Error {
    match error {
        Error::Closed { address, reason } => {
            Error::Closed { address: address.clone(), reason: reason.clone() }
        }
        Error::Timeout { address, api, after } => {
            Error::Timeout { address: address.clone(), api, after: *after }
        }
        other => Error::refused(other.to_string(), ErrorCode::UNKNOWN_SERVER_ERROR, None),
    }
}
