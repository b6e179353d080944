//! Topics are created and deleted by the coordinator; what it agreed on comes back here as records
//! of the metadata log, and only then exists.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use uuid::Uuid;
use wire::ErrorCode;
use wire::topics::{
    CreatableTopic, CreatableTopicConfigs, CreatableTopicResult, CreateTopicsRequest,
    CreateTopicsResponse, DeletableTopicResult, DeleteTopicsRequest, DeleteTopicsResponse,
};

use super::configs::{TopicSettings, check_topic, describe_topic};
use super::partition::Partition;
use super::waiting::Then;
use super::{Broker, Event, Job, Now, Output, Refused, Ticket};
use crate::coordinator::{METADATA_DIR, MOST_PARTITIONS, NewTopic, Record};
use crate::labs::{self, partitions};

impl Broker {
    pub(super) fn create_topics(
        &mut self,
        now: Now,
        ticket: Ticket,
        request: CreateTopicsRequest,
        out: &mut Vec<Output>,
    ) {
        let mut seen = BTreeSet::new();
        let mut twice = BTreeSet::new();
        for topic in &request.topics {
            if !seen.insert(topic.name.clone()) {
                twice.insert(topic.name.clone());
            }
        }
        let results = request
            .topics
            .into_iter()
            .filter(|topic| seen.remove(&topic.name))
            .map(|topic| {
                let name = topic.name.clone();
                let created = if twice.contains(&name) {
                    Err(Refused::new(ErrorCode::INVALID_REQUEST, "The topic is named twice."))
                } else {
                    self.create_topic(now, topic, request.validate_only, out)
                };
                created.unwrap_or_else(|refused| CreatableTopicResult {
                    name,
                    error_code: refused.code,
                    error_message: Some(refused.why),
                    ..Default::default()
                })
            })
            .collect();
        let answer = CreateTopicsResponse { topics: results, ..Default::default() }.into();
        self.once_synced(Then::Answer { ticket, answer }, out);
    }

    fn create_topic(
        &mut self,
        now: Now,
        topic: CreatableTopic,
        validate_only: bool,
        out: &mut Vec<Output>,
    ) -> Result<CreatableTopicResult, Refused> {
        let mut configs = BTreeMap::new();
        for config in &topic.configs {
            let value = config.value.clone().ok_or_else(|| {
                let why = format!("{} has no value", config.name);
                Refused::new(ErrorCode::INVALID_CONFIG, why)
            })?;
            configs.insert(config.name.clone(), value);
        }
        check_topic(&configs).map_err(|why| Refused::new(ErrorCode::INVALID_CONFIG, why))?;
        let replicas = self.placed(&topic, out)?;
        let (partitions, factor) = (replicas.len(), replicas.first().map_or(0, Vec::len));
        let described = describe_topic(&self.config, &configs);
        let topic = NewTopic { name: topic.name, replicas, configs };
        let name = topic.name.clone();
        let id = self.coordinator.create_topic(now.wall_ms, topic, validate_only)?;
        Ok(CreatableTopicResult {
            name,
            topic_id: if validate_only { Uuid::nil() } else { id },
            num_partitions: partitions as i32,
            replication_factor: factor as i16,
            configs: Some(
                described
                    .into_iter()
                    .map(|config| CreatableTopicConfigs {
                        name: config.name,
                        value: config.value,
                        read_only: config.read_only,
                        config_source: config.config_source,
                        is_sensitive: config.is_sensitive,
                    })
                    .collect(),
            ),
            ..Default::default()
        })
    }

    /// For each partition the brokers that keep it: as asked for, or all on this one.
    fn placed(
        &mut self,
        topic: &CreatableTopic,
        out: &mut Vec<Output>,
    ) -> Result<Vec<Vec<i32>>, Refused> {
        let invalid = |why: &str| Refused::new(ErrorCode::INVALID_REPLICA_ASSIGNMENT, why);
        if !topic.assignments.is_empty() {
            if topic.num_partitions != -1 || topic.replication_factor != -1 {
                return Err(Refused::new(
                    ErrorCode::INVALID_REQUEST,
                    "With an assignment of replicas, the counts of partitions and replicas are -1.",
                ));
            }
            let mut placed = BTreeMap::new();
            for assignment in &topic.assignments {
                if !is_placement(&assignment.broker_ids, &[self.config.node_id]) {
                    return Err(invalid("Each partition needs brokers that exist, each once."));
                }
                placed.insert(assignment.partition_index, assignment.broker_ids.clone());
            }
            let count = topic.assignments.len();
            if placed.len() != count || !placed.keys().copied().eq(0..count as i32) {
                return Err(invalid("The partitions must be numbered from 0, each once."));
            }
            return Ok(placed.into_values().collect());
        }
        let partitions = match topic.num_partitions {
            -1 => self.config.number("num.partitions"),
            count => count.into(),
        };
        let factor = match topic.replication_factor {
            -1 => self.config.number("default.replication.factor"),
            factor => factor.into(),
        };
        if partitions < 1 {
            return Err(Refused::new(
                ErrorCode::INVALID_PARTITIONS,
                "Number of partitions must be larger than 0.",
            ));
        }
        // One too many is enough for the coordinator to refuse, and costs little memory.
        let partitions = partitions.min(MOST_PARTITIONS as i64 + 1) as u32;
        self.spread(&topic.name, &[], partitions, factor, out)
    }

    /// Asks the organ of lab 2 where new partitions go. What it says is checked: a replica on a
    /// broker that does not exist would never be written.
    fn spread(
        &mut self,
        topic: &str,
        have: &[Vec<i32>],
        add: u32,
        replicas: i64,
        out: &mut Vec<Output>,
    ) -> Result<Vec<Vec<i32>>, Refused> {
        let brokers = [self.config.node_id];
        let factor = u16::try_from(replicas).map_err(|_| {
            let why = format!("A replication factor of {replicas}: it must be at least 1.");
            Refused::new(ErrorCode::INVALID_REPLICATION_FACTOR, why)
        })?;
        let placed = labs::fenced(|| partitions::spread(&brokers, have, add, factor));
        let placed = placed.map_err(|broken| {
            let (what, lab) = (format!("topic {topic}"), "partitions");
            out.push(Output::Tell(Event::OrganBroke { lab, what, broken: broken.clone() }));
            Refused::from(broken)
        })??;
        let right = |replicas: &Vec<i32>| {
            replicas.len() == usize::from(factor) && is_placement(replicas, &brokers)
        };
        if placed.len() != add as usize || !placed.iter().all(right) {
            let why = format!("the lab partitions placed {add} partitions on {placed:?}");
            return Err(Refused::new(ErrorCode::UNKNOWN_SERVER_ERROR, why));
        }
        Ok(placed)
    }

    /// Creates a topic that somebody asked about, with all the defaults.
    pub(super) fn create_on_demand(
        &mut self,
        now: Now,
        name: &str,
        out: &mut Vec<Output>,
    ) -> Result<(), Refused> {
        let topic = CreatableTopic {
            name: name.into(),
            num_partitions: -1,
            replication_factor: -1,
            ..Default::default()
        };
        self.create_topic(now, topic, false, out).map(|_| ())
    }

    pub(super) fn delete_topics(
        &mut self,
        now: Now,
        ticket: Ticket,
        request: DeleteTopicsRequest,
        out: &mut Vec<Output>,
    ) {
        let mut responses = Vec::new();
        for name in request.topic_names {
            let deleted = if self.config.flag("delete.topic.enable") {
                self.coordinator.delete_topic(now.wall_ms, &name)
            } else {
                Err(Refused::new(
                    ErrorCode::TOPIC_DELETION_DISABLED,
                    "Topic deletion is disabled: delete.topic.enable is false.",
                ))
            };
            let (error_code, error_message) = match deleted {
                Ok(()) => (ErrorCode::NONE, None),
                Err(refused) => (refused.code, Some(refused.why)),
            };
            responses.push(DeletableTopicResult { name, error_code, error_message });
        }
        let answer = DeleteTopicsResponse { responses, ..Default::default() }.into();
        self.once_synced(Then::Answer { ticket, answer }, out);
    }

    /// Goes on once everything the coordinator has decided so far is on the disk.
    pub(super) fn once_synced(&mut self, then: Then, out: &mut Vec<Output>) {
        if !self.coordinator.unsynced() {
            match then {
                Then::Answer { ticket, answer } => out.push(Output::Answer { ticket, answer }),
                Then::Again { .. } => unreachable!("nothing was decided, so nothing is new"),
            }
            return;
        }
        self.after_sync.entry(self.coordinator.log_end()).or_default().push(then);
        self.sync_metadata(out);
    }

    fn sync_metadata(&mut self, out: &mut Vec<Output>) {
        if !self.metadata_syncing && self.coordinator.unsynced() {
            self.metadata_syncing = true;
            let to = self.coordinator.log_end();
            self.start_job(Job::Sync { dir: METADATA_DIR.into(), to }, None, out);
        }
    }

    pub(super) fn metadata_synced(
        &mut self,
        now: Now,
        synced: io::Result<u64>,
        out: &mut Vec<Output>,
    ) {
        self.metadata_syncing = false;
        match synced {
            Ok(to) => {
                for record in self.coordinator.synced(to) {
                    self.apply(&record, out);
                }
                self.after_sync(now, to, out);
                self.sync_metadata(out);
            }
            Err(error) => {
                let why = format!("fsync of the metadata log failed: {error}");
                self.coordinator.sync_failed(why.clone());
                self.abandon_waiting(&why, out);
                let partition = METADATA_DIR.into();
                out.push(Output::Tell(Event::Storage { partition, why, offline: true }));
            }
        }
    }

    /// Takes a record of the metadata log into account.
    fn apply(&mut self, record: &Record, out: &mut Vec<Output>) {
        let gone = match record {
            Record::RemoveTopic { id } => self.cluster.name_of(*id).map(str::to_string),
            _ => None,
        };
        self.cluster.apply(record);
        match record {
            Record::Topic { name, .. } => {
                self.topics.insert(name.clone(), Vec::new());
                out.push(Output::Tell(Event::TopicCreated { topic: name.clone() }));
            }
            Record::Partition { topic, index, .. } => self.add_partition(*topic, *index),
            Record::RemoveTopic { .. } => {
                if let Some(name) = gone {
                    self.remove_topic(&name, out);
                }
            }
            Record::Config { .. } | Record::ProducerIds { .. } => {}
        }
    }

    pub(super) fn add_partition(&mut self, topic: Uuid, index: i32) {
        let Some(name) = self.cluster.name_of(topic) else { return };
        let known = &self.cluster.topics[name];
        let epoch = known.partitions[index as usize].epoch;
        let settings = TopicSettings::new(&self.config, &known.configs);
        let partitions = self.topics.entry(name.into()).or_default();
        let shared = partitions.first().map(|first| Arc::clone(&first.topic));
        let shared = shared.unwrap_or_else(|| name.into());
        partitions.push(Partition::new(shared, index, topic, epoch, settings));
    }

    /// The directories are renamed at once, so that a new topic may have the name, and removed by
    /// jobs. Whoever waits for one of the partitions learns now that there is none.
    fn remove_topic(&mut self, name: &str, out: &mut Vec<Output>) {
        for mut partition in self.topics.remove(name).unwrap_or_default() {
            self.woken.append(&mut partition.waiting);
            if partition.recovery_point().is_none() {
                continue;
            }
            let dir = partition.dir.to_string();
            drop(partition);
            self.discard(&dir, out);
        }
        out.push(Output::Tell(Event::TopicDeleted { topic: name.into() }));
    }

    pub(super) fn discard(&mut self, dir: &str, out: &mut Vec<Output>) {
        match self.files.set_aside(dir) {
            Ok(aside) => self.start_job(Job::Remove { dir: aside }, None, out),
            Err(error) => out.push(Output::Tell(Event::Storage {
                partition: dir.into(),
                why: format!("cannot be set aside: {error}"),
                offline: false,
            })),
        }
    }
}

/// Brokers that exist, at least one, none of them twice.
fn is_placement(replicas: &[i32], brokers: &[i32]) -> bool {
    let distinct: BTreeSet<&i32> = replicas.iter().collect();
    !replicas.is_empty()
        && distinct.len() == replicas.len()
        && replicas.iter().all(|broker| brokers.contains(broker))
}
