//! What can go wrong between a client and a broker, each a sentence for a person.

use std::io;
use std::time::Duration;

use wire::{DecodeError, ErrorCode};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("`{0}` is not a list of servers: expected HOST:PORT, or several with commas between")]
    Servers(String),
    #[error("cannot reach {address}: {}", reason(.source))]
    Connect { address: String, source: io::Error },
    #[error("{}", ended(.address, .reason))]
    Closed { address: String, reason: String },
    #[error("no answer from {address} to {api} within {} s", .after.as_secs_f32())]
    Timeout { address: String, api: &'static str, after: Duration },
    #[error("{address} sent an answer to {api} that cannot be read: {source}")]
    Answer { address: String, api: &'static str, source: DecodeError },
    #[error("{address} speaks {api} in versions {}, expected one of {ours:?}", range(.theirs))]
    NoCommonVersion {
        address: String,
        api: &'static str,
        theirs: Option<(i16, i16)>,
        ours: std::ops::RangeInclusive<i16>,
    },
    /// A broker's answer with an error code. `what` says what was asked.
    #[error("{what}: {code}: {}", said(.code, .message))]
    Refused { what: String, code: ErrorCode, message: Option<String> },
    /// Asking again would bring the same bytes.
    #[error("the batch at offset {offset} of {place} is damaged: its CRC does not match its bytes")]
    Corrupt { place: String, offset: i64 },
    #[error("the cluster has no broker {0} at the moment")]
    NoSuchBroker(i32),
    /// A group has no place to read on from, and none may be made up.
    #[error("{0}")]
    Nowhere(String),
    /// An organ of a lab did not do its part.
    #[error("{0}")]
    Organ(String),
}

impl Error {
    pub fn refused(what: impl Into<String>, code: ErrorCode, message: Option<String>) -> Self {
        Error::Refused { what: what.into(), code, message }
    }

    /// An answer's code, as an error if it is one: of `what`.
    pub fn check(
        what: impl FnOnce() -> String,
        code: ErrorCode,
        message: Option<String>,
    ) -> Result<(), Self> {
        match code.is_ok() {
            true => Ok(()),
            false => Err(Error::refused(what(), code, message)),
        }
    }

    /// Whether the same thing may go well a little later, after another look at the metadata.
    pub fn is_retriable(&self) -> bool {
        match self {
            Error::Refused { code, .. } => code.is_retriable(),
            Error::Connect { .. }
            | Error::Closed { .. }
            | Error::Timeout { .. }
            | Error::NoSuchBroker(_) => true,
            _ => false,
        }
    }
}

/// The operating system's words without its number.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "nothing listens there (connection refused)".to_owned(),
        io::ErrorKind::TimedOut => "no answer (connecting timed out)".to_owned(),
        _ => error.to_string(),
    }
}

fn ended(address: &str, reason: &str) -> String {
    match reason.is_empty() {
        true => format!("{address} closed the connection"),
        false => format!("the connection to {address} ended: {reason}"),
    }
}

fn range(theirs: &Option<(i16, i16)>) -> String {
    theirs.map_or("none at all".to_owned(), |(min, max)| format!("{min} to {max}"))
}

/// The broker's own words where it has some, else the table's.
fn said(code: &ErrorCode, message: &Option<String>) -> String {
    match message.as_deref() {
        Some(message) if !message.is_empty() => message.to_owned(),
        _ => code.sentence().to_owned(),
    }
}
