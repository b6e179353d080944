//! The types a field can have, and how each lies on the wire.
//!
//! Reading goes through a [`Source`] and writing through a [`Sink`], so that one table serves four
//! purposes: reading a frame ([`Frame`]), counting the size of an answer ([`Count`]), writing it
//! ([`Write`]), and, in the tests, making up messages.
//!
//! What this module never does: reserve memory for a number on the wire that the bytes left in the
//! frame could not fill.

use std::fmt;
use std::ops::RangeInclusive;

use bytes::{Buf, BufMut, BytesMut};
use uuid::Uuid;

use crate::error_codes::ErrorCode;

/// A whole message: the body of a request or of a response.
pub trait Message: Field + Default {
    const NAME: &'static str;
    /// The versions this table can read and write.
    const VERSIONS: RangeInclusive<i16>;
    /// Whether a version has varint lengths and tagged fields (KIP-482).
    fn is_flexible(version: i16) -> bool;
}

/// Something that can stand in a row of a table.
pub trait Field: Sized {
    /// The fewest bytes one can take, so that a count can be held against the bytes left.
    fn min_size(v: Version) -> usize;
    fn read<S: Source>(source: &mut S, v: Version) -> Result<Self, Malformed>;
    fn write<S: Sink>(&self, sink: &mut S, v: Version);
}

/// What a field must know of the message around it.
#[derive(Debug, Clone, Copy)]
pub struct Version {
    pub number: i16,
    pub flexible: bool,
    /// Whether this very field may be null.
    pub nullable: bool,
}

impl Version {
    pub fn of<M: Message>(number: i16) -> Self {
        Version { number, flexible: M::is_flexible(number), nullable: false }
    }

    pub(crate) fn nullable(self, nullable: bool) -> Self {
        Version { nullable, ..self }
    }
}

/// How a length or count is written in versions that are not flexible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// Strings.
    Two,
    /// Arrays, bytes and records.
    Four,
}

impl Width {
    fn size(self, v: Version) -> usize {
        match self {
            _ if v.flexible => 1,
            Width::Two => 2,
            Width::Four => 4,
        }
    }
}

// ---------------------------------------------------------------------------------------------
// Reading

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
    /// Every message must end where its frame ends.
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

    fn malformed(&self, problem: Problem) -> Malformed {
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
    fn element(self, index: usize) -> Self {
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

// ---------------------------------------------------------------------------------------------
// Writing

/// Where fields go: a count, a buffer, or a test's saboteur.
pub trait Sink: Sized {
    fn put(&mut self, bytes: &[u8]);
    /// Room for `len` bytes that someone else will send.
    fn gap(&mut self, slot: u32, len: u32);

    fn varint(&mut self, mut value: u32) {
        let mut bytes = [0; 5];
        let mut used = 0;
        while value >= 0x80 {
            bytes[used] = value as u8 | 0x80;
            value >>= 7;
            used += 1;
        }
        bytes[used] = value as u8;
        self.put(&bytes[..=used]);
    }

    /// A length or count; `None` is null, or empty in a version that knows no null here.
    fn length(&mut self, length: Option<usize>, width: Width, v: Version) {
        let length = match length {
            None if v.nullable => -1,
            None => 0,
            Some(length) => i32::try_from(length).expect("a field is shorter than 2 GiB"),
        };
        match width {
            _ if v.flexible => self.varint((length + 1) as u32),
            Width::Two => {
                let length = i16::try_from(length).expect("checked where strings are written");
                self.put(&length.to_be_bytes());
            }
            Width::Four => self.put(&length.to_be_bytes()),
        }
    }

    /// How many tagged fields follow.
    fn tags(&mut self, count: u32) {
        self.varint(count);
    }

    /// One tagged field: its tag, its size, itself.
    fn tagged(&mut self, tag: u32, field: &impl Field, v: Version) {
        let mut count = Count::default();
        field.write(&mut count, v);
        self.varint(tag);
        self.varint(u32::try_from(count.size).expect("a tagged field is shorter than 4 GiB"));
        field.write(self, v);
    }
}

/// Counts what would be written.
#[derive(Debug, Default)]
pub struct Count {
    /// All bytes, gaps included.
    pub size: usize,
    /// The bytes that are gaps.
    pub gaps: usize,
}

impl Sink for Count {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.size += bytes.len();
    }

    fn gap(&mut self, _slot: u32, len: u32) {
        self.size += len as usize;
        self.gaps += len as usize;
    }
}

/// Writes into a buffer and notes the gaps.
#[derive(Debug, Default)]
pub struct Write {
    pub bytes: BytesMut,
    pub gaps: Vec<Gap>,
}

impl Sink for Write {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.bytes.put_slice(bytes);
    }

    fn gap(&mut self, slot: u32, len: u32) {
        self.gaps.push(Gap { at: self.bytes.len(), slot, len });
    }
}

/// A place in an encoded answer that the connection fills from a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The gap stands before this index of [`Encoded::bytes`](crate::Encoded).
    pub at: usize,
    /// What fills it: the number its [`Records::There`] carried.
    pub slot: u32,
    pub len: u32,
}

// ---------------------------------------------------------------------------------------------
// The types

macro_rules! numbers {
    ($($type:ty)*) => {$(
        impl Field for $type {
            #[inline]
            fn min_size(_: Version) -> usize {
                size_of::<$type>()
            }

            #[inline]
            fn read<S: Source>(source: &mut S, _: Version) -> Result<Self, Malformed> {
                Ok(<$type>::from_be_bytes(source.fixed()?))
            }

            #[inline]
            fn write<S: Sink>(&self, sink: &mut S, _: Version) {
                sink.put(&self.to_be_bytes());
            }
        }
    )*};
}

numbers! { i8 i16 i32 i64 }

impl Field for bool {
    fn min_size(_: Version) -> usize {
        1
    }

    /// Like Kafka, any byte but 0 is true.
    fn read<S: Source>(source: &mut S, _: Version) -> Result<Self, Malformed> {
        Ok(source.fixed::<1>()? != [0])
    }

    fn write<S: Sink>(&self, sink: &mut S, _: Version) {
        sink.put(&[u8::from(*self)]);
    }
}

impl Field for Uuid {
    fn min_size(_: Version) -> usize {
        16
    }

    fn read<S: Source>(source: &mut S, _: Version) -> Result<Self, Malformed> {
        Ok(Uuid::from_bytes(source.fixed()?))
    }

    fn write<S: Sink>(&self, sink: &mut S, _: Version) {
        sink.put(self.as_bytes());
    }
}

impl Field for ErrorCode {
    fn min_size(_: Version) -> usize {
        2
    }

    fn read<S: Source>(source: &mut S, v: Version) -> Result<Self, Malformed> {
        i16::read(source, v).map(ErrorCode)
    }

    fn write<S: Sink>(&self, sink: &mut S, v: Version) {
        self.0.write(sink, v);
    }
}

/// No string is longer, in whatever encoding: Kafka refuses longer ones too.
pub const MAX_TEXT: usize = i16::MAX as usize;

impl Field for Option<String> {
    fn min_size(v: Version) -> usize {
        Width::Two.size(v)
    }

    fn read<S: Source>(source: &mut S, v: Version) -> Result<Self, Malformed> {
        match source.length(Width::Two, v)? {
            Some(length) => source.text(length).map(Some),
            None => Ok(None),
        }
    }

    fn write<S: Sink>(&self, sink: &mut S, v: Version) {
        write_text(self.as_deref(), sink, v);
    }
}

impl Field for String {
    fn min_size(v: Version) -> usize {
        Width::Two.size(v)
    }

    fn read<S: Source>(source: &mut S, v: Version) -> Result<Self, Malformed> {
        let length = source.length(Width::Two, v.nullable(false))?;
        source.text(length.unwrap_or(0))
    }

    fn write<S: Sink>(&self, sink: &mut S, v: Version) {
        write_text(Some(self), sink, v);
    }
}

/// A text that is too long is cut: it can only be a sentence for a person.
fn write_text<S: Sink>(text: Option<&str>, sink: &mut S, v: Version) {
    let text = text.map(|text| match text.len() {
        0..=MAX_TEXT => text,
        _ => &text[..(0..=MAX_TEXT).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0)],
    });
    sink.length(text.map(str::len), Width::Two, v);
    sink.put(text.unwrap_or_default().as_bytes());
}

impl<T: Field> Field for Option<Vec<T>> {
    fn min_size(v: Version) -> usize {
        Width::Four.size(v)
    }

    fn read<S: Source>(source: &mut S, v: Version) -> Result<Self, Malformed> {
        let inner = v.nullable(false);
        let Some(count) = source.count(T::min_size(inner), v)? else { return Ok(None) };
        let mut elements = Vec::with_capacity(source.room(count, size_of::<T>()));
        for index in 0..count {
            elements.push(T::read(source, inner).map_err(|problem| problem.element(index))?);
        }
        Ok(Some(elements))
    }

    fn write<S: Sink>(&self, sink: &mut S, v: Version) {
        sink.length(self.as_ref().map(Vec::len), Width::Four, v);
        for element in self.iter().flatten() {
            element.write(sink, v.nullable(false));
        }
    }
}

impl<T: Field> Field for Vec<T> {
    fn min_size(v: Version) -> usize {
        Width::Four.size(v)
    }

    fn read<S: Source>(source: &mut S, v: Version) -> Result<Self, Malformed> {
        Option::read(source, v.nullable(false)).map(Option::unwrap_or_default)
    }

    fn write<S: Sink>(&self, sink: &mut S, v: Version) {
        sink.length(Some(self.len()), Width::Four, v);
        for element in self {
            element.write(sink, v.nullable(false));
        }
    }
}

/// Record batches: opaque here, and never copied.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Records {
    #[default]
    None,
    /// Bytes in memory. A produce request's are split off its frame.
    Here(BytesMut),
    /// Bytes in a file: the encoder leaves a [`Gap`].
    There { slot: u32, len: u32 },
}

impl Records {
    pub fn len(&self) -> usize {
        match self {
            Records::None => 0,
            Records::Here(bytes) => bytes.len(),
            Records::There { len, .. } => *len as usize,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Field for Records {
    fn min_size(v: Version) -> usize {
        Width::Four.size(v)
    }

    /// Where the table has no null, takes it for empty: see `PartitionData::records`.
    fn read<S: Source>(source: &mut S, v: Version) -> Result<Self, Malformed> {
        match source.length(Width::Four, v.nullable(true))? {
            Some(length) => source.blob(length).map(Records::Here),
            None if v.nullable => Ok(Records::None),
            None => Ok(Records::Here(BytesMut::new())),
        }
    }

    fn write<S: Sink>(&self, sink: &mut S, v: Version) {
        let length = (!matches!(self, Records::None)).then(|| self.len());
        sink.length(length, Width::Four, v);
        match self {
            Records::None => {}
            Records::Here(bytes) => sink.put(bytes),
            Records::There { slot, len } => sink.gap(*slot, *len),
        }
    }
}
