//! Frames: four bytes of length, then a request or a response of that length.

use bytes::{Buf, BytesMut};

/// The limit a connection has unless told otherwise: 100 MiB, as Kafka's
/// `socket.request.max.bytes`.
pub const DEFAULT_MAX_BYTES: usize = 100 * 1024 * 1024;

/// The shortest header, a response's: a correlation id.
const MIN_BYTES: usize = 4;

/// A length that cannot be right. The connection is of no more use: nobody knows where the next
/// frame begins.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("a frame of {length} bytes, expected {MIN_BYTES} or more: no header is shorter")]
    TooShort { length: i32 },
    #[error("a frame of {length} bytes, expected at most {max} (socket.request.max.bytes)")]
    TooLong { length: i32, max: usize },
    #[error("this looks like {what}, expected Kafka's protocol, plain")]
    NotKafka { what: &'static str },
}

/// The length of the frame that these four bytes announce, if it can be one.
pub fn check_length(announced: [u8; 4], max: usize) -> Result<usize, FrameError> {
    let length = i32::from_be_bytes(announced);
    match (usize::try_from(length), &announced) {
        (Ok(length), _) if (MIN_BYTES..=max).contains(&length) => Ok(length),
        (_, b"GET " | b"POST" | b"HEAD" | b"PUT ") => Err(FrameError::NotKafka { what: "HTTP" }),
        (_, [0x16, 0x03, 0x00..=0x04, _]) => Err(FrameError::NotKafka { what: "TLS" }),
        (Ok(long), _) if long > max => Err(FrameError::TooLong { length, max }),
        _ => Err(FrameError::TooShort { length }),
    }
}

/// Cuts the next whole frame off the front of what a connection has read, without its length and
/// without a copy. `None`: the rest has not come yet.
pub fn cut(read: &mut BytesMut, max: usize) -> Result<Option<BytesMut>, FrameError> {
    let Some(announced) = read.first_chunk() else { return Ok(None) };
    let length = check_length(*announced, max)?;
    if read.len() - 4 < length {
        return Ok(None);
    }
    read.advance(4);
    Ok(Some(read.split_to(length)))
}
