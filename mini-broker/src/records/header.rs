//! The 61 bytes before the records. Where a field stands is Kafka's `DefaultRecordBatch`.

use super::build::Producer;
use super::{Codec, Error};

pub const HEADER_LEN: usize = 61;
/// Base offset and length itself: what the length field does not count.
pub const LENGTH_END: usize = 12;
pub const MAGIC: usize = 16;
pub const CRC: usize = 17;
/// The CRC covers everything from here to the end.
pub const ATTRIBUTES: usize = 21;
pub const BASE_TIMESTAMP: usize = 27;
pub const MAX_TIMESTAMP: usize = 35;
pub const PRODUCER_ID: usize = 43;
pub const PRODUCER_EPOCH: usize = 51;
pub const BASE_SEQUENCE: usize = 53;
pub const COUNT: usize = 57;

/// What a record's timestamp is that has none.
pub const NO_TIMESTAMP: i64 = -1;

const CODEC_MASK: i16 = 0b111;
pub const LOG_APPEND_TIME: i16 = 1 << 3;
const TRANSACTIONAL: i16 = 1 << 4;
pub const CONTROL: i16 = 1 << 5;
pub const DELETE_HORIZON: i16 = 1 << 6;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    pub base_offset: i64,
    /// Bytes after this field.
    pub batch_length: i32,
    pub leader_epoch: i32,
    pub magic: i8,
    pub crc: u32,
    pub attributes: i16,
    pub last_offset_delta: i32,
    pub base_timestamp: i64,
    pub max_timestamp: i64,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    pub count: i32,
}

impl Header {
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let short = |wanted| Error::Short { wanted, found: bytes.len() };
        // The old formats are shorter than 61 bytes: look at the magic before asking for a header.
        match bytes.get(MAGIC) {
            None => return Err(short(HEADER_LEN)),
            Some(2) => {}
            Some(&magic) => return Err(Error::Magic(magic as i8)),
        }
        if bytes.len() < HEADER_LEN {
            return Err(short(HEADER_LEN));
        }
        let batch_length = i32::from_be_bytes(at(bytes, 8));
        if batch_length < (HEADER_LEN - LENGTH_END) as i32 {
            return Err(Error::Length(batch_length));
        }
        Ok(Header {
            base_offset: i64::from_be_bytes(at(bytes, 0)),
            batch_length,
            leader_epoch: i32::from_be_bytes(at(bytes, 12)),
            magic: bytes[MAGIC] as i8,
            crc: u32::from_be_bytes(at(bytes, CRC)),
            attributes: i16::from_be_bytes(at(bytes, ATTRIBUTES)),
            last_offset_delta: i32::from_be_bytes(at(bytes, 23)),
            base_timestamp: i64::from_be_bytes(at(bytes, BASE_TIMESTAMP)),
            max_timestamp: i64::from_be_bytes(at(bytes, MAX_TIMESTAMP)),
            producer_id: i64::from_be_bytes(at(bytes, PRODUCER_ID)),
            producer_epoch: i16::from_be_bytes(at(bytes, PRODUCER_EPOCH)),
            base_sequence: i32::from_be_bytes(at(bytes, BASE_SEQUENCE)),
            count: i32::from_be_bytes(at(bytes, COUNT)),
        })
    }

    /// Bytes of the whole batch.
    pub fn size(&self) -> usize {
        LENGTH_END + self.batch_length as usize
    }

    pub fn last_offset(&self) -> i64 {
        self.base_offset.wrapping_add(self.last_offset_delta.into())
    }

    pub fn codec(&self) -> Result<Codec, Error> {
        Codec::from_attributes(self.attributes & CODEC_MASK)
    }

    pub fn is_log_append_time(&self) -> bool {
        self.attributes & LOG_APPEND_TIME != 0
    }

    pub fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL != 0
    }

    /// Commit and abort markers of transactions: no consumer shows them.
    pub fn is_control(&self) -> bool {
        self.attributes & CONTROL != 0
    }

    /// With this bit the base timestamp is the time at which compaction may drop tombstones.
    pub fn delete_horizon(&self) -> Option<i64> {
        (self.attributes & DELETE_HORIZON != 0).then_some(self.base_timestamp)
    }

    /// Sequence of the record at `offset_delta`; it wraps to 0 after `i32::MAX`, −1 means none.
    pub fn sequence(&self, offset_delta: i32) -> i32 {
        if self.base_sequence < 0 {
            return -1;
        }
        ((i64::from(self.base_sequence) + i64::from(offset_delta)) & i64::from(i32::MAX)) as i32
    }
}

/// Writes into a whole batch whose time it carries: the broker's, with the time that counts for every
/// record of it, or the producers'. The records stay as they are, compressed or not; the checksum is
/// made right again. (`DefaultRecordBatch.setMaxTimestamp`.)
pub fn stamp(batch: &mut [u8], log_append_time_ms: Option<i64>) {
    let attributes = i16::from_be_bytes(at(batch, ATTRIBUTES));
    let attributes = match log_append_time_ms {
        Some(time) => {
            batch[MAX_TIMESTAMP..MAX_TIMESTAMP + 8].copy_from_slice(&time.to_be_bytes());
            attributes | LOG_APPEND_TIME
        }
        None => attributes & !LOG_APPEND_TIME,
    };
    batch[ATTRIBUTES..ATTRIBUTES + 2].copy_from_slice(&attributes.to_be_bytes());
    make_right(batch);
}

/// Writes into a whole batch who produced it, and the number of its first record.
/// (`MemoryRecordsBuilder.setProducerState`.)
pub fn number(batch: &mut [u8], producer: Producer) {
    let Producer { id, epoch, first_sequence } = producer;
    batch[PRODUCER_ID..PRODUCER_EPOCH].copy_from_slice(&id.to_be_bytes());
    batch[PRODUCER_EPOCH..BASE_SEQUENCE].copy_from_slice(&epoch.to_be_bytes());
    batch[BASE_SEQUENCE..COUNT].copy_from_slice(&first_sequence.to_be_bytes());
    make_right(batch);
}

/// The checksum, after a change to what it covers.
fn make_right(batch: &mut [u8]) {
    let crc = crc32c::crc32c(&batch[ATTRIBUTES..]);
    batch[CRC..ATTRIBUTES].copy_from_slice(&crc.to_be_bytes());
}

fn at<const N: usize>(bytes: &[u8], position: usize) -> [u8; N] {
    let mut field = [0; N];
    field.copy_from_slice(&bytes[position..position + N]);
    field
}
