//! Reading: a frame from front to back, and what can be wrong with it.
//!
//! What this module never does: reserve memory for a number on the wire that the bytes left in the
//! frame could not fill.

use std::fmt;

use bytes::{Buf, BytesMut};

use super::{MAX_TEXT, Version, Width};

/// Where fields come from: a frame, or a test's imagination.
pub trait Source: Sized {
    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Malformed>;
    /// The length of a string or of bytes that follow, at most the bytes left; `None` is null.
    fn length(&mut self, width: Width, v: Version) -> Result<Option<usize>, Malformed>;
    /// The count of an array whose elements take `each` bytes or more; `None` is null.
    fn count(&mut self, each: usize, v: Version) -> Result<Option<usize>, Malformed>;
    /// How many elements to reserve room for before any of `count` has been read.
    fn room(&self, count: usize, size_of_one: usize) -> usize;
    fn text(&mut self, length: usize) -> Result<String, Malformed>;
    fn blob(&mut self, length: usize) -> Result<BytesMut, Malformed>;
    /// Calls `field` for each tagged field; it answers whether it knew the tag and read it.
    fn tagged(
        &mut self,
        field: &mut impl FnMut(&mut Self, u32) -> Result<bool, Malformed>,
    ) -> Result<(), Malformed>;
    /// Whether the message has ended where its frame ends.
    fn finish(&self) -> Result<(), Malformed>;
}

/// A frame being read, from front to back.
#[derive(Debug)]
pub struct Frame {
    bytes: BytesMut,
    /// How far we are in `bytes`. Invariant: `at <= end <= bytes.len()`.
    at: usize,
    /// Where reading must stop: the frame's end, or that of a tagged field.
    end: usize,
    /// How many bytes of the frame were split off before `bytes`, to name positions.
    before: usize,
}

impl Frame {
    pub fn new(bytes: BytesMut) -> Self {
        Frame { at: 0, end: bytes.len(), before: 0, bytes }
    }

    /// The position in the frame, for messages to people.
    pub fn position(&self) -> usize {
        self.before + self.at
    }

    fn left(&self) -> usize {
        self.end - self.at
    }

    pub(crate) fn malformed(&self, problem: Problem) -> Malformed {
        Malformed(Box::new(Where { field: String::new(), at: self.position(), problem }))
    }

    fn need(&self, wanted: usize) -> Result<(), Malformed> {
        match self.left() {
            left if left < wanted => Err(self.malformed(Problem::CutShort { wanted, left })),
            _ => Ok(()),
        }
    }

    /// An unsigned varint of at most 32 bits. Like Kafka, takes leading zeros (`0x80 0x00`).
    fn varint(&mut self) -> Result<u32, Malformed> {
        let mut value = 0;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.fixed()?;
            if shift == 28 && byte > 0x0f {
                break;
            }
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.malformed(Problem::LongVarint))
    }

    /// A length as it stands on the wire: −1 is null, whatever the encoding.
    fn raw_length(&mut self, width: Width, v: Version) -> Result<Option<usize>, Malformed> {
        let length = match width {
            _ if v.flexible => i64::from(self.varint()?) - 1,
            Width::Two => i64::from(i16::from_be_bytes(self.fixed()?)),
            Width::Four => i64::from(i32::from_be_bytes(self.fixed()?)),
        };
        match usize::try_from(length) {
            Ok(length) => Ok(Some(length)),
            Err(_) if length == -1 && v.nullable => Ok(None),
            Err(_) if length == -1 => Err(self.malformed(Problem::Null { version: v.number })),
            Err(_) => Err(self.malformed(Problem::Negative { length })),
        }
    }
}

impl Source for Frame {
    #[inline]
    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        match self.bytes[self.at..self.end].first_chunk() {
            Some(chunk) => {
                self.at += N;
                Ok(*chunk)
            }
            None => Err(self.malformed(Problem::CutShort { wanted: N, left: self.end - self.at })),
        }
    }

    fn length(&mut self, width: Width, v: Version) -> Result<Option<usize>, Malformed> {
        let length = self.raw_length(width, v)?;
        self.need(length.unwrap_or(0))?;
        match length {
            Some(length) if width == Width::Two && length > MAX_TEXT => {
                Err(self.malformed(Problem::LongText { length }))
            }
            length => Ok(length),
        }
    }

    fn count(&mut self, each: usize, v: Version) -> Result<Option<usize>, Malformed> {
        let count = self.raw_length(Width::Four, v)?;
        let left = self.left();
        match count {
            Some(count) if count > left / each.max(1) => {
                Err(self.malformed(Problem::TooMany { count, each, left }))
            }
            count => Ok(count),
        }
    }

    /// An element may be larger in memory than on the wire: never reserve more than is left to
    /// read; the rest grows as elements really arrive.
    fn room(&self, count: usize, size_of_one: usize) -> usize {
        count.min(self.left() / size_of_one.max(1) + 1)
    }

    fn text(&mut self, length: usize) -> Result<String, Malformed> {
        self.need(length)?;
        match std::str::from_utf8(&self.bytes[self.at..self.at + length]) {
            Ok(text) => {
                self.at += length;
                Ok(text.to_owned())
            }
            Err(error) => {
                self.at += error.valid_up_to();
                Err(self.malformed(Problem::NotUtf8 { byte: self.bytes[self.at] }))
            }
        }
    }

    /// Splits the bytes off the frame: no copy, and the owner may change them in place.
    fn blob(&mut self, length: usize) -> Result<BytesMut, Malformed> {
        self.need(length)?;
        self.bytes.advance(self.at);
        let blob = self.bytes.split_to(length);
        self.before += self.at + length;
        self.end -= self.at + length;
        self.at = 0;
        Ok(blob)
    }

    fn tagged(
        &mut self,
        field: &mut impl FnMut(&mut Self, u32) -> Result<bool, Malformed>,
    ) -> Result<(), Malformed> {
        for _ in 0..self.varint()? {
            let tag = self.varint()?;
            let size = self.varint()? as usize;
            self.need(size)?;
            let after = self.left() - size;
            self.end -= after;
            let known = field(self, tag)?;
            match self.left() {
                left if known && left > 0 => {
                    return Err(self.malformed(Problem::TagTooLong { tag, size, left }));
                }
                left => self.at += left,
            }
            self.end += after;
        }
        Ok(())
    }

    fn finish(&self) -> Result<(), Malformed> {
        match self.left() {
            0 => Ok(()),
            left => Err(self.malformed(Problem::Trailing { left })),
        }
    }
}

/// What is wrong with a message, and where. One pointer, so that a good message pays nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed(Box<Where>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Where {
    field: String,
    at: usize,
    problem: Problem,
}

impl Malformed {
    /// The field, from the message's name down: `ProduceRequest.topic_data[0].name`.
    pub fn field(&self) -> &str {
        &self.0.field
    }

    /// The position in the frame, without the four bytes of its length.
    pub fn position(&self) -> usize {
        self.0.at
    }

    pub fn problem(&self) -> &Problem {
        &self.0.problem
    }

    #[cold]
    pub(crate) fn inside(mut self, outer: &str) -> Self {
        let inner = &mut self.0.field;
        let dot = if inner.is_empty() || inner.starts_with('[') { "" } else { "." };
        *inner = format!("{outer}{dot}{inner}");
        self
    }

    #[cold]
    pub(super) fn element(self, index: usize) -> Self {
        self.inside(&format!("[{index}]"))
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}: {}", self.0.field, self.0.at, self.0.problem)
    }
}

impl std::error::Error for Malformed {}

/// What can be wrong with a field: what came, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("expected {wanted} more bytes, the frame has {left}")]
    CutShort { wanted: usize, left: usize },
    #[error("length {length}, expected 0 or more (or -1 for null)")]
    Negative { length: i64 },
    #[error("null, which version {version} does not allow here")]
    Null { version: i16 },
    #[error("{count} elements of {each} bytes or more, but only {left} bytes are left")]
    TooMany { count: usize, each: usize, left: usize },
    #[error("version {version}, expected {min} to {max}")]
    Version { version: i16, min: i16, max: i16 },
    #[error("a string of {length} bytes, expected at most {MAX_TEXT}")]
    LongText { length: usize },
    #[error("a varint that does not end within 32 bits")]
    LongVarint,
    #[error("byte {byte:#04x} is not UTF-8")]
    NotUtf8 { byte: u8 },
    #[error("tag {tag} says it has {size} bytes, its field leaves {left} of them")]
    TagTooLong { tag: u32, size: usize, left: usize },
    #[error("{left} bytes after the last field, expected none")]
    Trailing { left: usize },
}
