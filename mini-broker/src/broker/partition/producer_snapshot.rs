//! A snapshot of what a partition knows of its producers, in Kafka's layout. Of each producer it keeps
//! the newest batch only. (`ProducerStateManager.writeSnapshot`.)

use std::io;

use bytes::{Buf, BufMut};

use crate::labs::acks::{Producer, Stored};
use crate::labs::offset_log::Dir;

const VERSION: i16 = 1;
/// The version and the checksum of all that follows.
const HEAD: usize = 2 + 4;
const NO_OFFSET: i64 = -1;

pub fn bytes<'a>(producers: impl Iterator<Item = &'a Producer>) -> Vec<u8> {
    let known: Vec<_> =
        producers.filter_map(|known| Some((known, known.batches.back()?))).collect();
    let mut out = vec![0; HEAD];
    out.put_i32(known.len() as i32);
    for (producer, newest) in known {
        out.put_i64(producer.id);
        out.put_i16(producer.epoch);
        out.put_i32(newest.last_sequence);
        out.put_i64(newest.last_offset as i64);
        out.put_i32((newest.last_offset - newest.first_offset) as i32);
        out.put_i64(newest.timestamp_ms);
        out.put_i32(-1); // the epoch of a transaction coordinator: there is none
        out.put_i64(NO_OFFSET); // where an open transaction begins
    }
    let crc = crc32c::crc32c(&out[HEAD..]);
    out[..2].copy_from_slice(&VERSION.to_be_bytes());
    out[2..HEAD].copy_from_slice(&crc.to_be_bytes());
    out
}

/// What a snapshot says; `None` if it is damaged.
pub fn read(dir: &dyn Dir, file: &str) -> io::Result<Option<Vec<Producer>>> {
    let files = dir.list()?;
    let len = files.iter().find(|(name, _)| name == file).map_or(0, |(_, len)| *len);
    let mut bytes = vec![0; len as usize];
    let read = dir.read_at(file, 0, &mut bytes)?;
    Ok(parse(&bytes[..read]))
}

fn parse(mut bytes: &[u8]) -> Option<Vec<Producer>> {
    if bytes.try_get_i16().ok()? != VERSION || bytes.try_get_u32().ok()? != crc32c::crc32c(bytes) {
        return None;
    }
    let mut producers = Vec::new();
    for _ in 0..bytes.try_get_i32().ok()? {
        let (id, epoch) = (bytes.try_get_i64().ok()?, bytes.try_get_i16().ok()?);
        let (last_sequence, last_offset) = (bytes.try_get_i32().ok()?, bytes.try_get_i64().ok()?);
        let (delta, timestamp_ms) = (bytes.try_get_i32().ok()?, bytes.try_get_i64().ok()?);
        let (_coordinator_epoch, _open) = (bytes.try_get_i32().ok()?, bytes.try_get_i64().ok()?);
        let newest = Stored {
            first_sequence: back(last_sequence, delta),
            last_sequence,
            first_offset: (last_offset - i64::from(delta)) as u64,
            last_offset: last_offset as u64,
            timestamp_ms,
        };
        producers.push(Producer {
            id,
            epoch,
            next_sequence: back(last_sequence, -1),
            timestamp_ms,
            batches: [newest].into(),
        });
    }
    Some(producers)
}

/// The sequence so many records before. Before 0 comes the largest `i32`.
fn back(sequence: i32, records: i32) -> i32 {
    const SEQUENCES: i64 = 1 << 31;
    (i64::from(sequence) - i64::from(records)).rem_euclid(SEQUENCES) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn producer(id: i64, first: i32, last: i32, offset: u64) -> Producer {
        let newest = Stored {
            first_sequence: first,
            last_sequence: last,
            first_offset: offset,
            last_offset: offset + back(last, first) as u64,
            timestamp_ms: 7,
        };
        let next_sequence = back(last, -1);
        Producer { id, epoch: 3, next_sequence, timestamp_ms: 7, batches: [newest].into() }
    }

    #[test]
    fn what_was_written_is_read_also_where_sequences_begin_again() {
        let all =
            [producer(1, 0, 0, 0), producer(2, i32::MAX - 1, 2, 90), producer(9, 5, i32::MAX, 4)];
        assert_eq!(parse(&bytes(all.iter())).unwrap(), all);
    }

    #[test]
    fn a_damaged_one_says_nothing() {
        let whole = bytes([producer(1, 0, 9, 10)].iter());
        for cut in 0..whole.len() {
            assert_eq!(parse(&whole[..cut]), None, "cut at {cut}");
        }
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            assert_eq!(parse(&damaged), None, "byte {at}");
        }
    }
}
