//! Record batches, format v2: a look inside the bytes the broker passes through.
//!
//! Used where someone wants single records: lookup by time, the `dump-log`, `consume` and `perf`
//! commands. The way of a produced message never comes here. Nothing is allocated from a length
//! that the bytes at hand could not fill, and a batch is unpacked to at most [`UNPACKED_MAX`] bytes.

pub mod build;
pub mod compression;
pub mod header;
pub mod record;
pub mod varint;

use std::io;

pub use build::Builder;
pub use compression::Codec;
pub use header::{HEADER_LEN, Header, number};
pub use record::{Headers, Record, Records};

/// A batch that unpacks to more than this is refused: a few hostile bytes must not fill the memory.
pub const UNPACKED_MAX: usize = 128 << 20;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("a batch needs {wanted} bytes, {found} are left")]
    Short { wanted: usize, found: usize },
    #[error("batch of format (magic) {0}: only format 2 is read here")]
    Magic(i8),
    #[error("the batch says its length is {0}, a header alone takes 49")]
    Length(i32),
    #[error("compression codec {0} is not one of 0 to 4")]
    Codec(i16),
    #[error("the batch unpacks to more than {0} bytes")]
    TooLarge(usize),
    #[error("cannot unpack {codec}: {reason}")]
    Unpack { codec: Codec, reason: String },
    #[error("record {index} of the batch at offset {base_offset}: {what}")]
    Record { base_offset: i64, index: i32, what: &'static str },
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        io::Error::new(io::ErrorKind::InvalidData, error)
    }
}

/// One batch: its header, and its bytes from the base offset to the last record.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    pub header: Header,
    pub bytes: &'a [u8],
}

impl<'a> Batch<'a> {
    /// The first batch in `bytes`; what follows it is left alone.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        let header = Header::read(bytes)?;
        let bytes = bytes
            .get(..header.size())
            .ok_or(Error::Short { wanted: header.size(), found: bytes.len() })?;
        Ok(Batch { header, bytes })
    }

    /// Does the CRC-32C over attributes to end say what the header says?
    pub fn crc_matches(&self) -> bool {
        crc32c::crc32c(&self.bytes[header::ATTRIBUTES..]) == self.header.crc
    }

    /// The records, unpacked if need be. Compression covers all that follows the header.
    pub fn records(&self) -> Result<Records<'a>, Error> {
        let codec = self.header.codec()?;
        let body = codec.unpack(&self.bytes[HEADER_LEN..], UNPACKED_MAX)?;
        Ok(Records::new(self.header, body))
    }

    /// The records, once each of them was looked at: they can be read, their offsets grow within the
    /// batch's span, and nothing is left behind the last. Most clients may send what they like; for
    /// compaction this must hold.
    pub fn checked_records(&self) -> Result<Records<'a>, Error> {
        let header = &self.header;
        let base_offset = header.base_offset;
        let wrong = |index, what| Error::Record { base_offset, index, what };
        let records = self.records()?;
        let (mut least, mut end, mut index) = (base_offset, 0, 0);
        for record in records.iter() {
            let record = record?;
            if record.offset < least || record.offset > header.last_offset() {
                return Err(wrong(index, "its offset is not one of the batch's, or not the next"));
            }
            (least, end) = (record.offset + 1, record.position + record.size);
            index += 1;
        }
        if index != header.count || end != records.body().len() {
            return Err(wrong(index, "the batch does not end with its last record"));
        }
        Ok(records)
    }
}

/// The whole batches in `bytes`, one after the other. A batch cut off at the end (as a fetch may
/// return it) ends the iteration without an error; bytes that are no batch end it with one.
pub fn batches(bytes: &[u8]) -> impl Iterator<Item = Result<Batch<'_>, Error>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        match Batch::read(rest) {
            Ok(batch) => {
                rest = &rest[batch.bytes.len()..];
                Some(Ok(batch))
            }
            Err(Error::Short { .. }) => None,
            Err(error) => {
                rest = &[];
                Some(Err(error))
            }
        }
    })
}

/// Offset and timestamp of the first record of `batch` at or after `timestamp_ms`.
pub fn offset_at_or_after(batch: &[u8], timestamp_ms: i64) -> io::Result<Option<(i64, i64)>> {
    first_where(batch, |_, timestamp| timestamp >= timestamp_ms)
}

/// Offset and timestamp of the first record that has the batch's largest timestamp.
/// `RecordBatch.offsetOfMaxTimestamp` in Kafka.
pub fn offset_of_max_timestamp(batch: &[u8]) -> io::Result<Option<(i64, i64)>> {
    first_where(batch, |header, timestamp| timestamp == header.max_timestamp)
}

fn first_where(
    batch: &[u8],
    wanted: impl Fn(&Header, i64) -> bool,
) -> io::Result<Option<(i64, i64)>> {
    let batch = Batch::read(batch)?;
    let records = batch.records()?;
    for record in records.iter() {
        let record = record?;
        if wanted(&batch.header, record.timestamp) {
            return Ok(Some((record.offset, record.timestamp)));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
