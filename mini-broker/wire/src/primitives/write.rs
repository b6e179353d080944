//! Writing: into a count, then into a buffer of that size.

use bytes::{BufMut, BytesMut};

use super::{Field, Version, Width};
use crate::error_codes::ErrorCode;

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

    /// An error code, for a sink that wants to know them.
    fn error_code(&mut self, code: ErrorCode) {
        self.put(&code.0.to_be_bytes());
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

/// Notes the error codes, and nothing else.
#[derive(Debug, Default)]
pub(crate) struct Errors(pub Vec<ErrorCode>);

impl Sink for Errors {
    fn put(&mut self, _bytes: &[u8]) {}

    fn gap(&mut self, _slot: u32, _len: u32) {}

    fn error_code(&mut self, code: ErrorCode) {
        self.0.push(code);
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
    /// What fills it: the number its [`Records::There`](super::Records) carried.
    pub slot: u32,
    pub len: u32,
}
