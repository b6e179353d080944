//! The one table from what went wrong inside to Kafka's code outside.

use std::io;

use wire::ErrorCode;

use crate::labs::{Broken, offset_log, partitions};

/// Why a request, or its part for one partition, was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub code: ErrorCode,
    pub why: String,
}

impl Refused {
    pub fn new(code: ErrorCode, why: impl Into<String>) -> Self {
        Self { code, why: why.into() }
    }

    pub fn unknown_partition(topic: &str, index: i32) -> Self {
        Self::new(
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            format!("There is no partition {topic}-{index}."),
        )
    }

    /// A fatal code: a client that wants transactions must not try for ever.
    pub fn transactional(id: &str) -> Self {
        Self::new(
            ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
            format!("Transactions are not supported (transactional.id '{id}')."),
        )
    }
}

/// A retriable code would make the client try for ever, which looks like a hang.
impl From<Broken> for Refused {
    fn from(broken: Broken) -> Self {
        Self::new(ErrorCode::UNKNOWN_SERVER_ERROR, broken.to_string())
    }
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::new(ErrorCode::KAFKA_STORAGE_ERROR, error.to_string())
    }
}

impl From<partitions::Error> for Refused {
    fn from(error: partitions::Error) -> Self {
        let partitions::Error::Replicas { .. } = error;
        Self::new(ErrorCode::INVALID_REPLICATION_FACTOR, error.to_string())
    }
}

impl From<offset_log::Error> for Refused {
    fn from(error: offset_log::Error) -> Self {
        use offset_log::Error;
        let code = match &error {
            Error::OffsetOutOfRange { .. } => ErrorCode::OFFSET_OUT_OF_RANGE,
            Error::NotABatch { .. } => ErrorCode::CORRUPT_MESSAGE,
            Error::OutOfOrder { .. } => ErrorCode::INVALID_RECORD,
            Error::Damaged { .. } | Error::Io(_) => ErrorCode::KAFKA_STORAGE_ERROR,
        };
        Self::new(code, error.to_string())
    }
}
