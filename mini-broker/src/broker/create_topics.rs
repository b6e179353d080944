//! CreateTopics: what is asked for is checked in Kafka's order, and decided by the coordinator. Where
//! the partitions of a topic go is the business of lab 2's organ, or of whoever asks.
//! (`ReplicationControlManager.createTopics`.)

use std::collections::{BTreeMap, BTreeSet};

use wire::ErrorCode;
use wire::topics::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicResult, CreateTopicsRequest,
    CreateTopicsResponse,
};

use super::configs::{check_topic, describe_created};
use super::waiting::Then;
use super::{Broker, Event, Now, Output, Refused, Ticket};
use crate::coordinator::{MOST_PARTITIONS, NewTopic, Settings};
use crate::labs::{self, partitions};

/// What a count may be that the broker is to fill in.
const DEFAULT: i32 = -1;

impl Broker {
    pub(super) fn create_topics(
        &mut self,
        now: Now,
        ticket: Ticket,
        request: CreateTopicsRequest,
        out: &mut Vec<Output>,
    ) {
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
        let answer = CreateTopicsResponse { topics, ..Default::default() }.into();
        self.once_synced(Then::Answer { ticket, answer }, out);
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
        self.coordinator.may_create(&topic.name)?;
        let configs = own_settings(&topic)?;
        let replicas = self.placed(&topic, out)?;
        let (partitions, factor) = (replicas.len(), replicas.first().map_or(0, Vec::len));
        let described = describe_created(&self.config, &configs);
        let topic = NewTopic { name: topic.name, replicas, configs };
        let name = topic.name.clone();
        let id = self.coordinator.create_topic(now.wall_ms, topic, validate_only)?;
        Ok(CreatableTopicResult {
            name,
            topic_id: id,
            num_partitions: partitions as i32,
            replication_factor: factor as i16,
            configs: Some(described),
            ..Default::default()
        })
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
            num_partitions: DEFAULT,
            replication_factor: DEFAULT as i16,
            ..Default::default()
        };
        self.create_topic(now, topic, false, out).map(|_| ())
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
        let stranger = sorted.iter().find(|broker| **broker != self.config.node_id);
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
        let brokers = [self.config.node_id];
        let placed = labs::fenced(|| partitions::spread(&brokers, have, add, replicas));
        let placed = placed.map_err(|broken| {
            let (what, lab) = (format!("topic {topic}"), "partitions");
            out.push(Output::Tell(Event::OrganBroke { lab, what, broken: broken.clone() }));
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
