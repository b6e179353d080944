//! The coordinator: it decides which topics there are and who leads their partitions, and keeps its
//! decisions as records in the metadata log, which is itself an offset log (KRaft's idea). A single
//! broker is a cluster of one and has its coordinator inside.
//!
//! A decision counts once its records are synced. Until then it stands in `proposed`, so that a
//! second request cannot have the same name, and nobody is told.

mod cluster;
mod records;

pub use cluster::{Assignment, Cluster, Topic};
pub use records::Record;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use offset_log_solution::{Config, OffsetLog, Slice};
use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;
use uuid::Uuid;
use wire::ErrorCode;

use crate::broker::{Files, Located, Refused};
use crate::records::{Batch, Builder, Codec};

/// The metadata log's topic and directory, under Kafka's names for them.
const METADATA_TOPIC: &str = "__cluster_metadata";
pub const METADATA_DIR: &str = "__cluster_metadata-0";

/// Producer ids are handed to a broker in blocks, so that not each one costs a sync.
pub const PRODUCER_ID_BLOCK: i64 = 1000;

/// More partitions than this in one topic are a mistake of whoever asks: each costs memory.
pub const MOST_PARTITIONS: usize = 10_000;

/// A topic as it is asked for, defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTopic {
    pub name: String,
    /// For each partition the brokers that keep it, the preferred leader first.
    pub replicas: Vec<Vec<i32>>,
    pub configs: BTreeMap<String, String>,
}

pub struct Coordinator {
    log: OffsetLog,
    proposed: Cluster,
    /// Records in the log that are not synced yet, with their offsets.
    unsynced: VecDeque<(u64, Record)>,
    /// Why nothing can be decided any more: the log could not be written.
    failed: Option<String>,
    ids: Pcg64,
}

impl Coordinator {
    /// Opens the metadata log and reads it from the start. The error is a sentence.
    pub fn open(files: &mut dyn Files, seed: u64) -> Result<(Self, Cluster), String> {
        // Never by time or size: forgetting a record would forget a topic.
        let config = Config { retention_ms: None, retention_bytes: None, ..Config::default() };
        let told = |error: &dyn fmt::Display| format!("the metadata log {METADATA_DIR}: {error}");
        let dir = files.metadata_dir(METADATA_DIR).map_err(|error| told(&error))?;
        let (log, _) = OffsetLog::open(dir, config, 0).map_err(|error| told(&error))?;
        let cluster = replay(&log, files).map_err(|why| told(&why))?;
        let coordinator = Self {
            log,
            proposed: cluster.clone(),
            unsynced: VecDeque::new(),
            failed: None,
            ids: Pcg64::new(seed.into(), 0x5eed),
        };
        Ok((coordinator, cluster))
    }

    /// Decides on a new topic and gives its id. With `validate_only` nothing is written.
    pub fn create_topic(
        &mut self,
        now_ms: u64,
        topic: NewTopic,
        validate_only: bool,
    ) -> Result<Uuid, Refused> {
        check_name(&topic.name)?;
        if self.proposed.topics.contains_key(&topic.name) {
            return Err(Refused::new(
                ErrorCode::TOPIC_ALREADY_EXISTS,
                format!("Topic '{}' already exists.", topic.name),
            ));
        }
        let flat = |name: &str| name.replace('.', "_");
        if let Some(other) =
            self.proposed.topics.keys().find(|name| flat(name) == flat(&topic.name))
        {
            return Err(Refused::new(
                ErrorCode::INVALID_TOPIC_EXCEPTION,
                format!("Topic '{}' collides with existing topic: {other}", topic.name),
            ));
        }
        if topic.replicas.is_empty() || topic.replicas.len() > MOST_PARTITIONS {
            return Err(Refused::new(
                ErrorCode::INVALID_PARTITIONS,
                format!("a topic has 1 to {MOST_PARTITIONS} partitions"),
            ));
        }
        let id = new_id(&mut self.ids);
        if validate_only {
            return Ok(id);
        }
        let mut records = vec![Record::Topic { name: topic.name.clone(), id }];
        records.extend(topic.configs.into_iter().map(|(name, value)| Record::Config {
            topic: topic.name.clone(),
            name,
            value: Some(value),
        }));
        records.extend(topic.replicas.into_iter().zip(0..).map(|(replicas, index)| {
            let (leader, isr) = (replicas[0], replicas.clone());
            Record::Partition { topic: id, index, replicas, isr, leader, epoch: 0 }
        }));
        self.append(now_ms, records)?;
        Ok(id)
    }

    pub fn delete_topic(&mut self, now_ms: u64, name: &str) -> Result<(), Refused> {
        let id = self.proposed.topics.get(name).map(|topic| topic.id).ok_or_else(|| {
            Refused::new(
                ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                format!("There is no topic '{name}'."),
            )
        })?;
        self.append(now_ms, vec![Record::RemoveTopic { id }])
    }

    /// Hands out the next block of producer ids and gives its first.
    pub fn allocate_producer_ids(&mut self, now_ms: u64) -> Result<i64, Refused> {
        let first = self.proposed.next_producer_id;
        self.append(now_ms, vec![Record::ProducerIds { next: first + PRODUCER_ID_BLOCK }])?;
        Ok(first)
    }

    /// The offset up to which the log must be synced before what was decided so far counts.
    pub fn log_end(&self) -> u64 {
        self.log.log_end()
    }

    /// Whether something waits for a sync.
    pub fn unsynced(&self) -> bool {
        !self.unsynced.is_empty()
    }

    /// The log is on the disk below `to`: the records that count from now on, in order.
    pub fn synced(&mut self, to: u64) -> Vec<Record> {
        let count = self.unsynced.partition_point(|(offset, _)| *offset < to);
        self.unsynced.drain(..count).map(|(_, record)| record).collect()
    }

    /// The log could not be synced. What was proposed is unknown to the disk; a sync that failed is
    /// never tried again, because the system may have dropped the very pages.
    pub fn sync_failed(&mut self, why: String) {
        self.failed = Some(why);
        self.unsynced.clear();
    }

    fn append(&mut self, now_ms: u64, records: Vec<Record>) -> Result<(), Refused> {
        let storage = |why: String| {
            Refused::new(
                ErrorCode::KAFKA_STORAGE_ERROR,
                format!("the coordinator cannot write its metadata log: {why}"),
            )
        };
        if let Some(why) = &self.failed {
            return Err(storage(why.clone()));
        }
        let mut builder = Builder::new(Codec::None);
        for record in &records {
            let none = std::iter::empty::<(&[u8], Option<&[u8]>)>();
            builder.push(now_ms as i64, None, Some(&record.encode()), none);
        }
        let mut batch = builder.finish().expect("at least one record");
        // Appended first: a full disk must leave what is proposed as it was.
        let appended =
            self.log.append(now_ms, 0, &mut batch).map_err(|e| storage(e.to_string()))?;
        for (offset, record) in (appended.first..).zip(records) {
            self.proposed.apply(&record);
            self.unsynced.push_back((offset, record));
        }
        Ok(())
    }
}

fn replay(log: &OffsetLog, files: &dyn Files) -> Result<Cluster, String> {
    const CHUNK: u32 = 1 << 20;
    let mut cluster = Cluster::default();
    let mut offset = log.log_start();
    while offset < log.log_end() {
        let slice = log.read(offset, log.log_end(), CHUNK).map_err(|error| error.to_string())?;
        let mut bytes = vec![0; slice.len as usize];
        let Slice { segment, position, len, .. } = slice;
        let located = Located { dir: METADATA_DIR.into(), segment, position, len };
        let read = files.read_at(&located, &mut bytes).map_err(|error| error.to_string())?;
        let mut next = offset;
        let mut rest = &bytes[..read];
        while let Ok(batch) = Batch::read(rest) {
            let records = batch.records().map_err(|error| error.to_string())?;
            for record in records.iter() {
                let record = record.map_err(|error| error.to_string())?;
                let fact = Record::decode(record.value.unwrap_or_default())
                    .map_err(|error| format!("offset {}: {error}", record.offset))?;
                cluster.apply(&fact);
            }
            next = batch.header.last_offset() as u64 + 1;
            rest = &rest[batch.bytes.len()..];
        }
        if next == offset {
            return Err(format!("no whole batch at offset {offset}"));
        }
        offset = next;
    }
    Ok(cluster)
}

/// Kafka's rule for a topic's name, in the words of its own message.
pub fn check_name(name: &str) -> Result<(), Refused> {
    let why = if name.is_empty() {
        "the empty string is not allowed"
    } else if name == "." || name == ".." {
        "'.' or '..' is not allowed"
    } else if name == METADATA_TOPIC {
        "it is the metadata log's"
    } else if name.len() > 249 {
        "the length of a topic's name is at most 249 characters"
    } else if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) {
        "it contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
    } else {
        return Ok(());
    };
    Err(Refused::new(ErrorCode::INVALID_TOPIC_EXCEPTION, format!("Topic name is invalid: {why}")))
}

/// A random UUID of version 4, from the seed.
pub fn new_id(ids: &mut Pcg64) -> Uuid {
    let mut bytes = [0; 16];
    ids.fill_bytes(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}
