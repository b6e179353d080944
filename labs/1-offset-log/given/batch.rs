//! A record batch, seen from outside: the first 61 bytes of Kafka's record batch v2, all of them
//! big-endian.
//!
//! ```text
//!  0 base offset          8   set by the log      23 last offset delta  4   records' span, minus 1
//!  8 length after here    4                       27 base timestamp     8
//! 12 leader epoch         4   set by the log      35 max timestamp      8
//! 16 magic                1   always 2            43 producer id, epoch, base sequence   8 + 2 + 4
//! 17 CRC-32C of 21..      4                       57 record count       4
//! 21 attributes           2   codec in bits 0–2   61 the records, compressed or not
//! ```
//!
//! The CRC begins after what the log sets. So the log can give a batch its place without looking
//! into it. What stands in the records is never read here. (Kafka: `DefaultRecordBatch`.)

use crate::Error;

/// The header's fields that a log needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    pub base_offset: u64,
    /// Bytes of the whole batch, header included.
    pub size: u32,
    pub leader_epoch: i32,
    pub crc: u32,
    pub last_offset_delta: u32,
    /// The newest record's time in milliseconds; -1 if the records carry none.
    pub max_timestamp: i64,
    /// How many records there are. In a compacted log some of the span may be gone, or all: then
    /// only the header is left, so that readers still learn the last offset.
    pub count: i32,
}

impl Batch {
    /// Bytes before the first record.
    pub const HEADER: usize = 61;
    /// Where the bytes begin that the CRC covers.
    pub const CRC_FROM: usize = 21;
    /// Base offset and length: what must be read to know how long a batch is.
    pub(crate) const PREFIX: usize = 12;

    /// Reads the header at the front of `bytes`. More may follow.
    pub fn parse(bytes: &[u8]) -> Result<Batch, Error> {
        let wrong = |what, expected, got| Error::NotABatch { what, expected, got };
        if bytes.len() < Self::HEADER {
            return Err(wrong("the header's length", Self::HEADER as i64, bytes.len() as i64));
        }
        if bytes[16] != 2 {
            return Err(wrong("the magic byte", 2, i64::from(bytes[16] as i8)));
        }
        let length = i32_at(bytes, 8);
        let shortest = (Self::HEADER - Self::PREFIX) as i32;
        if length < shortest {
            return Err(wrong("the length field, at least,", shortest.into(), length.into()));
        }
        let base_offset = i64_at(bytes, 0);
        if base_offset < 0 {
            return Err(wrong("the base offset, at least,", 0, base_offset));
        }
        let last_offset_delta = i32_at(bytes, 23);
        if last_offset_delta < 0 {
            return Err(wrong("the last offset delta, at least,", 0, last_offset_delta.into()));
        }
        Ok(Batch {
            base_offset: base_offset as u64,
            size: length as u32 + Self::PREFIX as u32,
            leader_epoch: i32_at(bytes, 12),
            crc: i32_at(bytes, 17) as u32,
            last_offset_delta: last_offset_delta as u32,
            max_timestamp: i64_at(bytes, 35),
            count: i32_at(bytes, 57),
        })
    }

    /// Reads the header of a batch that is all of `bytes`: nothing missing, nothing behind it.
    pub fn parse_whole(bytes: &[u8]) -> Result<Batch, Error> {
        let batch = Self::parse(bytes)?;
        if batch.size as usize != bytes.len() {
            let (expected, got) = (i64::from(batch.size), bytes.len() as i64);
            return Err(Error::NotABatch { what: "the number of bytes", expected, got });
        }
        Ok(batch)
    }

    /// The offset of the last record; in a compacted log, of the last that once was there.
    pub fn last_offset(&self) -> u64 {
        self.base_offset + u64::from(self.last_offset_delta)
    }
}

fn i32_at(bytes: &[u8], at: usize) -> i32 {
    i32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn i64_at(bytes: &[u8], at: usize) -> i64 {
    i64::from_be_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}
