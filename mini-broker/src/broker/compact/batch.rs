//! What is left of one batch: all of it, byte for byte; a new one with some of its records; only
//! its header; or nothing. (Kafka: `MemoryRecords.filterTo`, `Cleaner.shouldRetainRecord`.)

use super::newest::Newest;
use crate::records::header::{
    ATTRIBUTES, BASE_TIMESTAMP, COUNT, CRC, DELETE_HORIZON, LENGTH_END, LOG_APPEND_TIME,
    MAX_TIMESTAMP,
};
use crate::records::{Batch, Codec, HEADER_LEN, Record, Records, varint};

/// What a pass knows, and the times it goes by.
pub struct Rules<'a> {
    pub newest: &'a Newest,
    /// The part of the log in which every key was looked at.
    pub dirty_from: i64,
    pub mapped_to: i64,
    pub now_ms: i64,
    /// From when on the tombstones that this pass is the first to see may go.
    pub horizon_ms: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// Every byte.
    All,
    /// Not to be understood: every byte, and its keys count for nothing.
    Unreadable,
    Some,
    Nothing,
}

/// The records, if they are understood and whole.
///
/// Damaged bytes must not get a checksum that is right. And what this broker does not know
/// (transactions: whether a record counts stands elsewhere) neither replaces anything nor goes.
pub fn readable<'a>(batch: &Batch<'a>) -> Option<Records<'a>> {
    let header = &batch.header;
    let known = batch.crc_matches() && !header.is_control() && !header.is_transactional();
    if known { batch.checked_records().ok() } else { None }
}

impl Rules<'_> {
    /// Adds what is left of a batch to `into`.
    ///
    /// Of the `last` batch of a pass at least the header is left: it tells readers and followers
    /// that there is nothing more before its last offset. (Kafka also keeps the header of the last
    /// batch of each producer, because its sequence goes on from there. This broker does not check
    /// sequences yet.)
    pub fn clean(&self, batch: &Batch, last: bool, into: &mut Vec<u8>) -> Left {
        let all = |into: &mut Vec<u8>, left| {
            into.extend_from_slice(batch.bytes);
            left
        };
        let header = &batch.header;
        if header.last_offset() >= self.mapped_to {
            return all(into, Left::All);
        }
        let Some(records) = readable(batch) else { return all(into, Left::Unreadable) };
        let kept: Vec<bool> =
            records.iter().flatten().map(|record| self.keeps(batch, &record)).collect();
        let mut tombstones = left(&records, &kept).filter(|record| record.value.is_none());
        // Only where every key was looked at is nothing older of it left.
        let mut seen = tombstones.clone().all(|record| record.offset >= self.dirty_from);
        seen &= tombstones.next().is_some();
        let horizon = header.delete_horizon().or(seen.then_some(self.horizon_ms));
        if !kept.contains(&true) {
            return match (last, header.count) {
                (true, 0) => all(into, Left::All),
                (true, _) => {
                    only_header(batch, into);
                    Left::Some
                }
                (false, _) => Left::Nothing,
            };
        }
        if !kept.contains(&false) && horizon == header.delete_horizon() {
            return all(into, Left::All);
        }
        rewrite(batch, left(&records, &kept), horizon, into);
        Left::Some
    }

    /// A record without a key can be replaced by none, so it cannot stay for ever.
    fn keeps(&self, batch: &Batch, record: &Record) -> bool {
        let Some(key) = record.key else { return false };
        let is_newest = self.newest.get(key).is_none_or(|newest| newest <= record.offset);
        let over = batch.header.delete_horizon().is_some_and(|horizon| horizon <= self.now_ms);
        is_newest && (record.value.is_some() || !over)
    }
}

fn left<'a>(records: &'a Records, kept: &'a [bool]) -> impl Iterator<Item = Record<'a>> + Clone {
    records.iter().flatten().zip(kept).filter(|(_, kept)| **kept).map(|(record, _)| record)
}

/// The same batch with fewer records: offsets, leader epoch, producer, codec and kind of time stay.
///
/// A record's time stands relative to the base timestamp. That is the first record's, or in a batch
/// with tombstones the time from which on they may go.
fn rewrite<'a>(
    batch: &Batch,
    left: impl Iterator<Item = Record<'a>> + Clone,
    horizon: Option<i64>,
    into: &mut Vec<u8>,
) {
    let header = &batch.header;
    let times = left.clone().map(|record| record.timestamp);
    let base = horizon.or(times.clone().next()).unwrap_or(header.base_timestamp);
    let max = times.max().unwrap_or(header.max_timestamp);
    let horizon_bit = if horizon.is_some() { DELETE_HORIZON } else { 0 };
    let mut body = Vec::new();
    let mut fields = Vec::new();
    let mut count = 0;
    for record in left {
        fields.clear();
        fields.push(0); // no attributes
        varint::put(&mut fields, record.timestamp.wrapping_sub(base));
        fields.extend_from_slice(record.from_offset_on);
        varint::put(&mut body, fields.len() as i64);
        body.extend_from_slice(&fields);
        count += 1;
    }
    let codec = header.codec().unwrap_or_default();
    let start = into.len();
    into.extend_from_slice(&batch.bytes[..HEADER_LEN]);
    match codec {
        Codec::None => into.append(&mut body),
        codec => into.append(&mut codec.pack(&body)),
    }
    seal(&mut into[start..], header.attributes | horizon_bit, base, max, count);
}

/// A batch of no records, as Kafka writes it: without a codec and a base timestamp.
fn only_header(batch: &Batch, into: &mut Vec<u8>) {
    let start = into.len();
    into.extend_from_slice(&batch.bytes[..HEADER_LEN]);
    let header = &batch.header;
    seal(&mut into[start..], header.attributes & LOG_APPEND_TIME, -1, header.max_timestamp, 0);
}

/// Writes what has changed into a batch's header.
fn seal(batch: &mut [u8], attributes: i16, base_ms: i64, max_ms: i64, count: i32) {
    let length = (batch.len() - LENGTH_END) as i32;
    let mut put = |at: usize, bytes: &[u8]| batch[at..at + bytes.len()].copy_from_slice(bytes);
    put(LENGTH_END - 4, &length.to_be_bytes());
    put(ATTRIBUTES, &attributes.to_be_bytes());
    put(BASE_TIMESTAMP, &base_ms.to_be_bytes());
    put(MAX_TIMESTAMP, &max_ms.to_be_bytes());
    put(COUNT, &count.to_be_bytes());
    let crc = crc32c::crc32c(&batch[ATTRIBUTES..]);
    batch[CRC..ATTRIBUTES].copy_from_slice(&crc.to_be_bytes());
}
