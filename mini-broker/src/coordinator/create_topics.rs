//! CreateTopics: what is asked for is checked in Kafka's order. Where
//! the partitions of a topic go is the business of lab 2's organ, or of whoever asks.
//! (`ReplicationControlManager.createTopics`.)

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;
use wire::ErrorCode;
use wire::topics::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicResult, CreateTopicsRequest,
    CreateTopicsResponse,
};

use super::{Coordinator, METADATA_TOPIC, Record, Resource, Settings, new_id};
use crate::configs::{check_topic, describe_created};
use crate::labs::{self, partitions};
use crate::node::{Event, Now, Output, Refused};

/// More partitions than this in one topic are a mistake of whoever asks: each costs memory. Kafka takes
/// no more in one request. (`ReplicationControlManager.MAX_PARTITIONS_PER_BATCH`.)
pub const MOST_PARTITIONS: usize = 10_000;

/// What a count may be that the coordinator is to fill in.
const DEFAULT: i32 = -1;

impl Coordinator {
    pub(super) fn create_topics(
        &mut self,
        now: Now,
        request: CreateTopicsRequest,
        out: &mut Vec<Output>,
    ) -> CreateTopicsResponse {
        let twice = named_twice(request.topics.iter().map(|topic| &topic.name));
        let (_, once): (Vec<_>, Vec<_>) =
            request.topics.into_iter().partition(|topic| twice.contains(&topic.name));
        let too_many = self.count_partitions(&once) > MOST_PARTITIONS as u64;
        let mut topics = Vec::with_capacity(once.len() + twice.len());
        for topic in once {
            let name = topic.name.clone();
            let created = match too_many {
                true => Err(Refused::new(
                    ErrorCode::POLICY_VIOLATION,
                    "Excessively large number of partitions per request.",
                )),
                false => self.create_topic(now, topic, request.validate_only, out),
            };
            topics.push(created.unwrap_or_else(|refused| not_created(name, refused)));
        }
        topics.extend(twice.into_iter().map(|name| not_created(name, Refused::named_twice())));
        CreateTopicsResponse { topics, ..Default::default() }
    }

    /// The partitions of all the topics together: nothing is placed if there are too many of them.
    fn count_partitions(&self, topics: &[CreatableTopic]) -> u64 {
        let count = |topic: &CreatableTopic| match topic.num_partitions {
            _ if !topic.assignments.is_empty() => topic.assignments.len() as u64,
            DEFAULT => self.config.number("num.partitions") as u64,
            count => count.max(0) as u64,
        };
        topics.iter().map(count).sum()
    }

    fn create_topic(
        &mut self,
        now: Now,
        topic: CreatableTopic,
        validate_only: bool,
        out: &mut Vec<Output>,
    ) -> Result<CreatableTopicResult, Refused> {
        self.may_create(&topic.name)?;
        let configs = own_settings(&topic)?;
        let replicas = self.placed(&topic, out)?;
        check_count(replicas.len())?;
        let (partitions, factor) = (replicas.len(), replicas.first().map_or(0, Vec::len));
        let described = describe_created(&self.config, &configs);
        let (name, id) = (topic.name, new_id(&mut self.ids));
        let mut records = vec![Record::Topic { name: name.clone(), id, created: None }];
        records.extend(configs.into_iter().map(|(setting, value)| Record::Config {
            resource: Resource::Topic(name.clone()),
            name: setting,
            value: Some(value),
        }));
        for (replicas, index) in replicas.into_iter().zip(0..) {
            records.push(self.new_partition(id, index, replicas)?);
        }
        if !validate_only {
            self.append(now, records)?;
        }
        Ok(CreatableTopicResult {
            name,
            topic_id: id,
            num_partitions: partitions as i32,
            replication_factor: factor as i16,
            configs: Some(described),
            ..Default::default()
        })
    }

    /// Whether there may be a new topic of this name.
    fn may_create(&self, name: &str) -> Result<(), Refused> {
        if name == METADATA_TOPIC {
            let why = format!("Creation of internal topic {name} is prohibited.");
            return Err(Refused::new(ErrorCode::INVALID_REQUEST, why));
        }
        check_name(name)?;
        if self.cluster.topics.contains_key(name) {
            let why = format!("Topic '{name}' already exists.");
            return Err(Refused::new(ErrorCode::TOPIC_ALREADY_EXISTS, why));
        }
        // The names of metrics have '_' where a topic has '.'.
        let flat = |name: &str| name.replace('.', "_");
        if !name.contains(['.', '_']) {
            return Ok(());
        }
        match self.cluster.topics.keys().find(|other| flat(other) == flat(name)) {
            None => Ok(()),
            Some(other) => {
                let why = format!("Topic '{name}' collides with existing topic: {other}");
                Err(Refused::new(ErrorCode::INVALID_TOPIC_EXCEPTION, why))
            }
        }
    }

    /// For each partition the brokers that keep it: as asked for, or where the organ puts them.
    fn placed(
        &mut self,
        topic: &CreatableTopic,
        out: &mut Vec<Output>,
    ) -> Result<Vec<Vec<i32>>, Refused> {
        if !topic.assignments.is_empty() {
            for (given, what) in [
                (topic.replication_factor.into(), "replication factor"),
                (topic.num_partitions, "numPartitions"),
            ] {
                if given != DEFAULT {
                    let why = format!(
                        "A manual partition assignment was specified, but {what} was not set to -1."
                    );
                    return Err(Refused::new(ErrorCode::INVALID_REQUEST, why));
                }
            }
            return self.assigned(&topic.assignments);
        }
        let factor = match i32::from(topic.replication_factor) {
            DEFAULT => self.config.number("default.replication.factor").min(i16::MAX.into()) as u16,
            factor => u16::try_from(factor).ok().filter(|factor| *factor > 0).ok_or_else(|| {
                let why =
                    "Replication factor must be larger than 0, or -1 to use the default value.";
                Refused::new(ErrorCode::INVALID_REPLICATION_FACTOR, why)
            })?,
        };
        let partitions = match topic.num_partitions {
            DEFAULT => self.config.number("num.partitions") as u32,
            count => u32::try_from(count).ok().filter(|count| *count > 0).ok_or_else(|| {
                let why = "Number of partitions was set to an invalid non-positive value.";
                Refused::new(ErrorCode::INVALID_PARTITIONS, why)
            })?,
        };
        self.spread(&topic.name, &[], partitions, factor, out)
    }

    fn assigned(&self, all: &[CreatableReplicaAssignment]) -> Result<Vec<Vec<i32>>, Refused> {
        let invalid = |why: String| Refused::new(ErrorCode::INVALID_REPLICA_ASSIGNMENT, why);
        let mut placed = BTreeMap::new();
        let mut factor = None;
        for assignment in all {
            let (index, brokers) = (assignment.partition_index, &assignment.broker_ids);
            if placed.contains_key(&index) {
                return Err(invalid(format!(
                    "Found multiple manual partition assignments for partition {index}"
                )));
            }
            self.check_assignment(brokers, factor)?;
            factor = Some(brokers.len());
            placed.insert(index, brokers.clone());
        }
        if !placed.keys().copied().eq(0..all.len() as i32) {
            let why = "partitions should be a consecutive 0-based integer sequence";
            return Err(invalid(why.into()));
        }
        Ok(placed.into_values().collect())
    }

    /// Whether a partition may lie on just these brokers: each is there, none is named twice, and
    /// there are as many as for the partitions before.
    pub(super) fn check_assignment(
        &self,
        replicas: &[i32],
        factor: Option<usize>,
    ) -> Result<(), Refused> {
        let mut sorted = replicas.to_vec();
        sorted.sort_unstable();
        let stranger = sorted.iter().find(|broker| !self.cluster.brokers.contains_key(broker));
        let twice = sorted.windows(2).find(|pair| pair[0] == pair[1]);
        let count = sorted.len();
        let what = if sorted.is_empty() {
            "an empty replica list.".into()
        } else if let Some(broker) = stranger {
            format!("broker {broker}, but no such broker is registered.")
        } else if let Some(pair) = twice {
            format!("the broker {} more than once.", pair[0])
        } else if let Some(before) = factor.filter(|before| *before != count) {
            format!(
                "a partition with {count} replica(s), but this is not consistent with previous \
                 partitions, which have {before} replica(s)."
            )
        } else {
            return Ok(());
        };
        let why = format!("The manual partition assignment includes {what}");
        Err(Refused::new(ErrorCode::INVALID_REPLICA_ASSIGNMENT, why))
    }

    /// Asks the organ of lab 2 where new partitions go. What it says is checked: a replica on a
    /// broker that does not exist would never be written.
    pub(super) fn spread(
        &mut self,
        topic: &str,
        have: &[Vec<i32>],
        add: u32,
        replicas: u16,
        out: &mut Vec<Output>,
    ) -> Result<Vec<Vec<i32>>, Refused> {
        let brokers = self.eligible(replicas);
        let placed = labs::fenced(|| partitions::spread(&brokers, have, add, replicas));
        let placed = placed.map_err(|broken| {
            let (what, lab) = (format!("topic {topic}"), "partitions");
            let (so, broken_too) = ("gets no partitions", broken.clone());
            out.push(Output::Tell(Event::OrganBroke { lab, what, so, broken: broken_too }));
            Refused::from(broken)
        })??;
        let factor = Some(usize::from(replicas));
        let right = placed.iter().all(|replicas| self.check_assignment(replicas, factor).is_ok());
        if placed.len() != add as usize || !right {
            let why = format!("the lab partitions placed {add} partitions on {placed:?}");
            return Err(Refused::new(ErrorCode::UNKNOWN_SERVER_ERROR, why));
        }
        Ok(placed)
    }

    /// The brokers that may get a replica. Those that are fenced do only if there are not enough others.
    fn eligible(&self, replicas: u16) -> Vec<i32> {
        match self.cluster.live() {
            live if live.len() >= usize::from(replicas) => live,
            mut live => {
                let fenced = self.cluster.brokers.iter().filter(|(_, broker)| broker.fenced);
                live.extend(fenced.map(|(id, _)| *id));
                live
            }
        }
    }

    /// A new partition: those of its replicas that live are in sync, and the first of them leads.
    pub(super) fn new_partition(
        &self,
        topic: Uuid,
        index: i32,
        replicas: Vec<i32>,
    ) -> Result<Record, Refused> {
        let live = replicas.iter().copied().filter(|id| self.cluster.is_live(*id));
        let isr: Vec<i32> = live.collect();
        let leader = *isr.first().ok_or_else(|| {
            let why = format!("All brokers that partition {index} would lie on are fenced.");
            Refused::new(ErrorCode::INVALID_REPLICA_ASSIGNMENT, why)
        })?;
        let (epoch, partition_epoch) = (0, 0);
        Ok(Record::Partition { topic, index, replicas, isr, leader, epoch, partition_epoch })
    }
}

/// The settings that a new topic is to have of its own.
fn own_settings(topic: &CreatableTopic) -> Result<Settings, Refused> {
    let invalid = |why: String| Refused::new(ErrorCode::INVALID_CONFIG, why);
    let mut without = Vec::new();
    let mut settings = Settings::new();
    for config in &topic.configs {
        match &config.value {
            Some(value) => drop(settings.insert(config.name.clone(), value.clone())),
            None => without.push(config.name.as_str()),
        }
    }
    if !without.is_empty() {
        let why = format!("Null value not supported for topic configs: {}", without.join(","));
        return Err(invalid(why));
    }
    check_topic(&settings).map_err(invalid)
}

/// The names that stand more than once in a request.
pub(super) fn named_twice<'a>(names: impl Iterator<Item = &'a String>) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    names.filter(|name| !seen.insert(*name)).cloned().collect()
}

fn not_created(name: String, refused: Refused) -> CreatableTopicResult {
    CreatableTopicResult {
        name,
        error_code: refused.code,
        error_message: Some(refused.why),
        ..Default::default()
    }
}

pub(super) fn check_count(partitions: usize) -> Result<(), Refused> {
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
