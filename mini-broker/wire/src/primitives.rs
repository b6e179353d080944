//! The types a field can have, and how each lies on the wire.
//!
//! Reading goes through a [`Source`] and writing through a [`Sink`], so that one table serves four
//! purposes: reading a frame ([`Frame`]), counting the size of an answer ([`Count`]), writing it
//! ([`Write`]), and, in the tests, making up messages and spoiling them.

mod read;
mod write;

use std::ops::RangeInclusive;

use bytes::BytesMut;
use uuid::Uuid;

use crate::error_codes::ErrorCode;
pub use read::{Frame, Malformed, Problem, Source};
pub(crate) use write::Errors;
pub use write::{Count, Gap, Sink, Write};

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

numbers! { i8 i16 u16 i32 i64 }

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

    fn write<S: Sink>(&self, sink: &mut S, _: Version) {
        sink.error_code(*self);
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

/// Bytes with a form of their own, such as a request inside a request. Like records they are split
/// off the frame, not copied.
impl Field for Option<BytesMut> {
    fn min_size(v: Version) -> usize {
        Width::Four.size(v)
    }

    fn read<S: Source>(source: &mut S, v: Version) -> Result<Self, Malformed> {
        match source.length(Width::Four, v)? {
            Some(length) => source.blob(length).map(Some),
            None => Ok(None),
        }
    }

    fn write<S: Sink>(&self, sink: &mut S, v: Version) {
        sink.length(self.as_ref().map(BytesMut::len), Width::Four, v);
        sink.put(self.as_deref().unwrap_or_default());
    }
}

impl Field for BytesMut {
    fn min_size(v: Version) -> usize {
        Width::Four.size(v)
    }

    fn read<S: Source>(source: &mut S, v: Version) -> Result<Self, Malformed> {
        Option::read(source, v.nullable(false)).map(Option::unwrap_or_default)
    }

    fn write<S: Sink>(&self, sink: &mut S, v: Version) {
        sink.length(Some(self.len()), Width::Four, v);
        sink.put(self);
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
