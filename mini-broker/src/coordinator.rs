//! The coordinator: it decides which topics there are and who leads their partitions, and keeps its
//! decisions as records in the metadata log, which is itself an offset log (KRaft's idea). A single
//! broker is a cluster of one and has its coordinator inside.
//!
//! A decision counts once its records are synced. Until then it stands in `proposed`, so that a
//! second request cannot have the same name, and nobody is told.

mod cluster;
mod records;

pub use cluster::{Assignment, Cluster, Settings, Topic};
pub use records::{Record, Resource};

use std::collections::VecDeque;
use std::fmt;

use offset_log_solution::{Config, OffsetLog, Slice};
use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;
use uuid::Uuid;
use wire::ErrorCode;

use crate::broker::{Files, Located, Refused};
use crate::records::{Batch, Builder, Codec};

/// The metadata log's topic and directory, under Kafka's names for them.
pub const METADATA_TOPIC: &str = "__cluster_metadata";
pub const METADATA_DIR: &str = "__cluster_metadata-0";

/// Producer ids are handed to a broker in blocks, so that not each one costs a sync.
pub const PRODUCER_ID_BLOCK: i64 = 1000;

/// More partitions than this in one topic are a mistake of whoever asks: each costs memory. Kafka takes
/// no more in one request. (`ReplicationControlManager.MAX_PARTITIONS_PER_BATCH`.)
pub const MOST_PARTITIONS: usize = 10_000;

/// A topic as it is asked for, defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTopic {
    pub name: String,
    /// For each partition the brokers that keep it, the preferred leader first.
    pub replicas: Vec<Vec<i32>>,
    pub configs: Settings,
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

    /// Whether there may be a new topic of this name.
    pub fn may_create(&self, name: &str) -> Result<(), Refused> {
        if name == METADATA_TOPIC {
            let why = format!("Creation of internal topic {name} is prohibited.");
            return Err(Refused::new(ErrorCode::INVALID_REQUEST, why));
        }
        check_name(name)?;
        if self.proposed.topics.contains_key(name) {
            let why = format!("Topic '{name}' already exists.");
            return Err(Refused::new(ErrorCode::TOPIC_ALREADY_EXISTS, why));
        }
        // The names of metrics have '_' where a topic has '.'.
        let flat = |name: &str| name.replace('.', "_");
        if !name.contains(['.', '_']) {
            return Ok(());
        }
        match self.proposed.topics.keys().find(|other| flat(other) == flat(name)) {
            None => Ok(()),
            Some(other) => {
                let why = format!("Topic '{name}' collides with existing topic: {other}");
                Err(Refused::new(ErrorCode::INVALID_TOPIC_EXCEPTION, why))
            }
        }
    }

    /// Decides on a new topic and gives its id. With `validate_only` nothing is written.
    pub fn create_topic(
        &mut self,
        now_ms: u64,
        topic: NewTopic,
        validate_only: bool,
    ) -> Result<Uuid, Refused> {
        self.may_create(&topic.name)?;
        check_count(topic.replicas.len())?;
        let id = new_id(&mut self.ids);
        if validate_only {
            return Ok(id);
        }
        let mut records = vec![Record::Topic { name: topic.name.clone(), id }];
        records.extend(topic.configs.into_iter().map(|(name, value)| Record::Config {
            resource: Resource::Topic(topic.name.clone()),
            name,
            value: Some(value),
        }));
        let partitions = topic.replicas.into_iter().zip(0..);
        records.extend(partitions.map(|(replicas, index)| new_partition(id, index, replicas)));
        self.append(now_ms, records)?;
        Ok(id)
    }

    /// Where the partitions of a topic are, what is not agreed on yet included.
    pub fn replicas(&self, topic: &str) -> Result<Vec<Vec<i32>>, Refused> {
        let topic = self.proposed.topics.get(topic).ok_or_else(Refused::unknown_topic)?;
        Ok(topic.partitions.iter().map(|partition| partition.replicas.clone()).collect())
    }

    /// Decides on more partitions of a topic, behind those that it has.
    pub fn create_partitions(
        &mut self,
        now_ms: u64,
        topic: &str,
        replicas: Vec<Vec<i32>>,
        validate_only: bool,
    ) -> Result<(), Refused> {
        let known = self.proposed.topics.get(topic).ok_or_else(Refused::unknown_topic)?;
        let (id, have) = (known.id, known.partitions.len());
        check_count(have + replicas.len())?;
        if validate_only {
            return Ok(());
        }
        let new = replicas.into_iter().zip(have as i32..);
        let records = new.map(|(replicas, index)| new_partition(id, index, replicas)).collect();
        self.append(now_ms, records)
    }

    /// What is set for a topic or for brokers, what is not agreed on yet included. `None` if there is
    /// no such topic.
    pub fn settings(&self, resource: &Resource) -> Option<&Settings> {
        self.proposed.settings(resource)
    }

    /// Decides on settings: a value, or `None` to set it no longer.
    pub fn alter_settings(
        &mut self,
        now_ms: u64,
        resource: &Resource,
        changes: Vec<(String, Option<String>)>,
    ) -> Result<(), Refused> {
        if changes.is_empty() {
            return Ok(());
        }
        let record = |(name, value)| Record::Config { resource: resource.clone(), name, value };
        self.append(now_ms, changes.into_iter().map(record).collect())
    }

    pub fn delete_topic(&mut self, now_ms: u64, name: &str) -> Result<(), Refused> {
        let topic = self.proposed.topics.get(name).ok_or_else(Refused::unknown_topic)?;
        let id = topic.id;
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

    /// The log is on the disk below `to`: the records that count from now on, in order, with their
    /// offsets.
    pub fn synced(&mut self, to: u64) -> Vec<(u64, Record)> {
        let count = self.unsynced.partition_point(|(offset, _)| *offset < to);
        self.unsynced.drain(..count).collect()
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
            self.proposed.apply(offset, &record);
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
                cluster.apply(record.offset as u64, &fact);
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

/// A new partition: all its replicas are in sync, and the first of them leads.
fn new_partition(topic: Uuid, index: i32, replicas: Vec<i32>) -> Record {
    let (leader, isr) = (replicas[0], replicas.clone());
    Record::Partition { topic, index, replicas, isr, leader, epoch: 0 }
}

fn check_count(partitions: usize) -> Result<(), Refused> {
    if (1..=MOST_PARTITIONS).contains(&partitions) {
        return Ok(());
    }
    let why = format!("A topic has 1 to {MOST_PARTITIONS} partitions, not {partitions}.");
    Err(Refused::new(ErrorCode::POLICY_VIOLATION, why))
}

/// Kafka's rule for a topic's name, in the words of its own message.
pub fn check_name(name: &str) -> Result<(), Refused> {
    const MOST: usize = 249;
    let why = if name.is_empty() {
        "the empty string is not allowed".into()
    } else if name == "." || name == ".." {
        format!("'{name}' is not allowed")
    } else if name.chars().count() > MOST {
        format!("the length of '{name}' is longer than the max allowed length {MOST}")
    } else if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) {
        format!(
            "'{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and \
             '-'"
        )
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
