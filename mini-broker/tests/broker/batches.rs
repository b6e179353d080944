//! Batches as producers send them, and requests around them.

use bytes::BytesMut;
use mini_broker::records::{self, Builder, Codec};
use wire::Records;
use wire::fetch::{FetchPartition, FetchRequest, FetchTopic};
use wire::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};

/// A batch of records without keys, with these values, one millisecond apart.
pub fn batch(first_ms: i64, values: &[&str]) -> BytesMut {
    packed(Codec::None, first_ms, values)
}

pub fn packed(codec: Codec, first_ms: i64, values: &[&str]) -> BytesMut {
    let mut builder = Builder::new(codec);
    for (value, at) in values.iter().zip(first_ms..) {
        builder.push(at, None, Some(value.as_bytes()), std::iter::empty());
    }
    builder.finish().expect("at least one record")
}

/// The checksum made right again, after the bytes were made wrong.
pub fn resealed(mut batch: BytesMut) -> BytesMut {
    let crc = crc32c::crc32c(&batch[21..]);
    batch[17..21].copy_from_slice(&crc.to_be_bytes());
    batch
}

pub fn produce(topic: &str, index: i32, acks: i16, batch: BytesMut) -> ProduceRequest {
    ProduceRequest {
        acks,
        timeout_ms: 5_000,
        topic_data: vec![TopicProduceData {
            name: topic.into(),
            partition_data: vec![PartitionProduceData { index, records: Records::Here(batch) }],
        }],
        ..Default::default()
    }
}

/// Asks for everything from `offset` on, and does not wait.
pub fn fetch(topic: &str, partition: i32, offset: i64) -> FetchRequest {
    FetchRequest {
        min_bytes: 1,
        max_bytes: 50 << 20,
        topics: vec![FetchTopic {
            topic: topic.into(),
            partitions: vec![FetchPartition {
                partition,
                fetch_offset: offset,
                partition_max_bytes: 1 << 20,
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// Offset and value of each record, as a consumer sees them.
pub fn values(bytes: &[u8]) -> Vec<(i64, String)> {
    let mut values = Vec::new();
    for batch in records::batches(bytes) {
        let batch = batch.unwrap();
        assert!(batch.crc_matches());
        for record in batch.records().unwrap().iter() {
            let record = record.unwrap();
            let value = String::from_utf8(record.value.unwrap().to_vec()).unwrap();
            values.push((record.offset, value));
        }
    }
    values
}
