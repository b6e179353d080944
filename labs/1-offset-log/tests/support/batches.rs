//! Record batches as a producer sends them: base offset 0, uncompressed, with a CRC that is right.

/// A batch of `records` records. It is as small as it can be, or `bytes` long if that is more (one or two bytes
/// less where the lengths in it do not add up).
pub fn batch(records: u32, bytes: usize, time_ms: i64) -> Vec<u8> {
    assert!(records > 0, "a producer sends no empty batch");
    let smallest = build(records, 0, time_ms);
    let mut value = bytes.saturating_sub(smallest.len());
    // The lengths that stand before the value grow with it, by a byte or two each.
    while value > 0 {
        let built = build(records, value, time_ms);
        match built.len().checked_sub(bytes) {
            None | Some(0) => return built,
            Some(over) => value = value.saturating_sub(over),
        }
    }
    smallest
}

/// A batch of one record that is gone: compaction has left the header.
pub fn header_only(time_ms: i64) -> Vec<u8> {
    let mut batch = batch(1, 0, time_ms);
    batch.truncate(61);
    batch[8..12].copy_from_slice(&49_u32.to_be_bytes()); // length of what follows
    batch[57..61].copy_from_slice(&0_u32.to_be_bytes()); // count
    let crc = crc32c::crc32c(&batch[21..]);
    batch[17..21].copy_from_slice(&crc.to_be_bytes());
    batch
}

/// A batch as it stands in a log: with its base offset and leader epoch.
pub fn placed(mut batch: Vec<u8>, base_offset: u64, leader_epoch: i32) -> Vec<u8> {
    batch[0..8].copy_from_slice(&base_offset.to_be_bytes());
    batch[12..16].copy_from_slice(&leader_epoch.to_be_bytes());
    batch
}

fn build(records: u32, last_value: usize, time_ms: i64) -> Vec<u8> {
    let mut body = Vec::new();
    for n in 0..records {
        let value = if n + 1 == records { last_value } else { 0 };
        let mut record = vec![0]; // attributes
        varint(&mut record, 0); // time, relative to the batch's
        varint(&mut record, n.into()); // offset, relative to the batch's
        varint(&mut record, -1); // no key
        varint(&mut record, value as i64);
        record.extend(std::iter::repeat_n(b'x', value));
        varint(&mut record, 0); // no headers
        varint(&mut body, record.len() as i64);
        body.extend(record);
    }
    let mut batch = Vec::new();
    batch.extend(0_u64.to_be_bytes()); // base offset
    batch.extend((49 + body.len() as u32).to_be_bytes()); // length of what follows
    batch.extend((-1_i32).to_be_bytes()); // leader epoch
    batch.push(2); // magic
    batch.extend([0; 4]); // CRC, below
    batch.extend(0_u16.to_be_bytes()); // attributes
    batch.extend((records - 1).to_be_bytes()); // last offset delta
    batch.extend(time_ms.to_be_bytes()); // base timestamp
    batch.extend(time_ms.to_be_bytes()); // max timestamp
    batch.extend((-1_i64).to_be_bytes()); // producer id
    batch.extend((-1_i16).to_be_bytes()); // producer epoch
    batch.extend((-1_i32).to_be_bytes()); // base sequence
    batch.extend(records.to_be_bytes());
    batch.extend(body);
    let crc = crc32c::crc32c(&batch[21..]);
    batch[17..21].copy_from_slice(&crc.to_be_bytes());
    batch
}

/// Kafka's variable length integer: sign folded in, seven bits a byte, lowest first.
fn varint(into: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        into.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    into.push(rest as u8);
}
