//! What can go wrong, with what was expected and what came.

use std::io;

/// Why the log refused. The broker turns each into one of Kafka's error codes.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Kafka's OFFSET_OUT_OF_RANGE. `log_end` itself may be asked for: it is the next to come.
    #[error(
        "offset {offset} is outside the log, which starts at {log_start} and ends at {log_end}"
    )]
    OffsetOutOfRange { offset: u64, log_start: u64, log_end: u64 },
    /// The bytes do not have the shape of a record batch.
    #[error("not a record batch: {what} must be {expected} and is {got}")]
    NotABatch { what: &'static str, expected: i64, got: i64 },
    /// Fetched batches keep their offsets, so they must go on where the log ends, or later.
    #[error("batches out of order: expected an offset of at least {expected}, got {got}")]
    OutOfOrder { expected: u64, got: u64 },
    /// A file does not hold what this log wrote.
    #[error("{file} is damaged at byte {position}: {problem}")]
    Damaged { file: String, position: u64, problem: String },
    /// The directory could not do it: no space, no permission, a broken disk.
    #[error(transparent)]
    Io(#[from] io::Error),
}
