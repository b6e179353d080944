//! Builds one batch, as a producer sends it: base offset 0, no leader epoch.

use bytes::BytesMut;

use super::header::{ATTRIBUTES, CONTROL, HEADER_LEN, LENGTH_END};
use super::{Codec, varint};

/// Collects records; `finish` makes the batch.
#[derive(Debug, Default)]
pub struct Builder {
    codec: Codec,
    body: Vec<u8>,
    count: i32,
    base_timestamp: i64,
    max_timestamp: i64,
    producer: Option<Producer>,
    attributes: i16,
    /// Kept for its capacity: one record before its length is known.
    record: Vec<u8>,
}

/// Who wrote the batch, for an idempotent producer.
#[derive(Debug, Clone, Copy)]
pub struct Producer {
    pub id: i64,
    pub epoch: i16,
    pub first_sequence: i32,
}

impl Builder {
    pub fn new(codec: Codec) -> Self {
        Builder { codec, ..Self::default() }
    }

    pub fn producer(mut self, producer: Producer) -> Self {
        self.producer = Some(producer);
        self
    }

    /// Its records say something about the log, not in it.
    pub fn control(mut self) -> Self {
        self.attributes |= CONTROL;
        self
    }

    pub fn push<'h>(
        &mut self,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: impl ExactSizeIterator<Item = (&'h [u8], Option<&'h [u8]>)>,
    ) {
        if self.count == 0 {
            self.base_timestamp = timestamp;
            self.max_timestamp = timestamp;
        }
        self.max_timestamp = self.max_timestamp.max(timestamp);
        let record = &mut self.record;
        record.clear();
        record.push(0);
        varint::put(record, timestamp.wrapping_sub(self.base_timestamp));
        varint::put(record, self.count.into());
        put_bytes(record, key);
        put_bytes(record, value);
        varint::put(record, headers.len() as i64);
        for (key, value) in headers {
            put_bytes(record, Some(key));
            put_bytes(record, value);
        }
        varint::put(&mut self.body, record.len() as i64);
        self.body.extend_from_slice(record);
        self.count += 1;
    }

    pub fn count(&self) -> i32 {
        self.count
    }

    /// Bytes of the batch so far, before compression.
    pub fn size(&self) -> usize {
        HEADER_LEN + self.body.len()
    }

    /// The batch; the builder is empty again. `None` if nothing was pushed: Kafka refuses an empty
    /// batch.
    pub fn finish(&mut self) -> Option<BytesMut> {
        if self.count == 0 {
            return None;
        }
        let packed;
        let body = match self.codec {
            Codec::None => &self.body,
            codec => {
                packed = codec.pack(&self.body);
                &packed
            }
        };
        let producer = self.producer.unwrap_or(Producer { id: -1, epoch: -1, first_sequence: -1 });
        let mut batch = BytesMut::with_capacity(HEADER_LEN + body.len());
        batch.extend_from_slice(&0i64.to_be_bytes());
        batch.extend_from_slice(&((HEADER_LEN - LENGTH_END + body.len()) as i32).to_be_bytes());
        batch.extend_from_slice(&(-1i32).to_be_bytes());
        batch.extend_from_slice(&[2]);
        batch.extend_from_slice(&[0; 4]);
        batch.extend_from_slice(&(self.codec.attributes() | self.attributes).to_be_bytes());
        batch.extend_from_slice(&(self.count - 1).to_be_bytes());
        batch.extend_from_slice(&self.base_timestamp.to_be_bytes());
        batch.extend_from_slice(&self.max_timestamp.to_be_bytes());
        batch.extend_from_slice(&producer.id.to_be_bytes());
        batch.extend_from_slice(&producer.epoch.to_be_bytes());
        batch.extend_from_slice(&producer.first_sequence.to_be_bytes());
        batch.extend_from_slice(&self.count.to_be_bytes());
        batch.extend_from_slice(body);
        let crc = crc32c::crc32c(&batch[ATTRIBUTES..]);
        batch[super::header::CRC..ATTRIBUTES].copy_from_slice(&crc.to_be_bytes());
        self.body.clear();
        self.count = 0;
        Some(batch)
    }
}

fn put_bytes(into: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        None => varint::put(into, -1),
        Some(bytes) => {
            varint::put(into, bytes.len() as i64);
            into.extend_from_slice(bytes);
        }
    }
}
