//! What a produced batch must be, found out in its connection's task and not in the engine: looking
//! at every byte is the one part of a produce request that takes time, and it needs nobody else.
//!
//! Only the header and the checksum are looked at. The records inside are the clients' business, and
//! may be compressed. But a topic that is compacted needs a key in each of them.

use std::collections::{BTreeMap, BTreeSet};

use wire::produce::ProduceRequest;
use wire::{ErrorCode, Records, Request};

use crate::node::Refused;
use crate::records::Batch;
use crate::records::header::{ATTRIBUTES, CRC, Header, MAGIC};

/// What is wrong with the batches of a produce request, by the place of topic and partition in it.
/// Mostly empty.
pub type Verdicts = BTreeMap<(usize, usize), Refused>;

/// Looks at every batch of a request, and into those for `keyed` topics.
pub fn validate(request: &Request, keyed: &BTreeSet<String>) -> Verdicts {
    match request {
        Request::Produce(produce) => validate_produce(produce, keyed),
        _ => Verdicts::new(),
    }
}

fn validate_produce(request: &ProduceRequest, keyed: &BTreeSet<String>) -> Verdicts {
    let mut verdicts = Verdicts::new();
    for (t, topic) in request.topic_data.iter().enumerate() {
        let is_keyed = keyed.contains(&topic.name);
        for (p, partition) in topic.partition_data.iter().enumerate() {
            let checked = match &partition.records {
                Records::Here(batch) if is_keyed => check_batch(batch)
                    .and_then(|()| check_keys(batch, &topic.name, partition.index)),
                Records::Here(batch) => check_batch(batch),
                _ => Err(invalid("the request carries no records for this partition")),
            };
            if let Err(refused) = checked {
                verdicts.insert((t, p), refused);
            }
        }
    }
    verdicts
}

/// One whole batch of format 2 and nothing else, as a producer sends it.
pub fn check_batch(batch: &[u8]) -> Result<(), Refused> {
    if batch.is_empty() {
        return Err(invalid(
            "a produce request carries exactly one batch for a partition, not none",
        ));
    }
    let Some(magic) = batch.get(MAGIC) else {
        return Err(corrupt(format!("{} bytes are too few for a batch", batch.len())));
    };
    match magic {
        0 | 1 => {
            return Err(invalid(format!(
                "records of format (magic) {magic} are not taken: only format 2, which every client \
                 since Kafka 0.11 speaks"
            )));
        }
        2 => {}
        _ => return Err(corrupt(format!("unknown record format (magic) {magic}"))),
    }
    let header = Header::read(batch).map_err(|error| corrupt(error.to_string()))?;
    let (size, found) = (header.size(), batch.len());
    if size > found {
        return Err(corrupt(format!("the batch says it has {size} bytes, {found} are there")));
    }
    if size < found {
        return Err(invalid("a produce request carries exactly one batch for a partition"));
    }
    let crc = crc32c::crc32c(&batch[ATTRIBUTES..]);
    if crc != header.crc {
        let said = header.crc;
        return Err(corrupt(format!(
            "the checksum at byte {CRC} says {said:#010x}, the bytes say {crc:#010x}"
        )));
    }
    check_header(&header)
}

fn check_header(header: &Header) -> Result<(), Refused> {
    if header.base_offset != 0 {
        return Err(invalid(format!(
            "a producer's batch begins at offset 0, not {}: offsets are the broker's to give",
            header.base_offset
        )));
    }
    if header.count <= 0 {
        return Err(invalid(format!("a batch of {} records", header.count)));
    }
    if header.last_offset_delta != header.count - 1 {
        return Err(invalid(format!(
            "the header counts {} records, but the last has number {}",
            header.count, header.last_offset_delta
        )));
    }
    if header.is_control() {
        return Err(invalid("control records are written by brokers only"));
    }
    if header.is_transactional() {
        return Err(invalid("transactions are not supported"));
    }
    header.codec().map(|_| ()).map_err(|error| invalid(error.to_string()))
}

/// Compaction goes by the key and the offset, so every record needs its own of both. (Kafka:
/// `LogValidator`.)
fn check_keys(batch: &[u8], topic: &str, partition: i32) -> Result<(), Refused> {
    let records = Batch::read(batch).and_then(|batch| batch.checked_records());
    let records = records.map_err(|error| invalid(error.to_string()))?;
    match records.iter().flatten().position(|record| record.key.is_none()) {
        None => Ok(()),
        Some(number) => Err(invalid(format!(
            "Compacted topic cannot accept message without key in topic partition \
             {topic}-{partition}. (record {number} of the batch)"
        ))),
    }
}

fn corrupt(why: impl Into<String>) -> Refused {
    Refused::new(ErrorCode::CORRUPT_MESSAGE, why)
}

fn invalid(why: impl Into<String>) -> Refused {
    Refused::new(ErrorCode::INVALID_RECORD, why)
}
