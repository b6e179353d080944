//! What is known of the cluster: the fold over the metadata log. The coordinator keeps one that
//! includes what is not synced yet, to refuse a name twice; every broker keeps one of what is agreed.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use super::{Record, Resource};

/// Settings that are set, by name.
pub type Settings = BTreeMap<String, String>;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cluster {
    pub topics: BTreeMap<String, Topic>,
    /// Every broker that ever registered, by node id.
    pub brokers: BTreeMap<i32, Registration>,
    /// What is set for brokers while they run. Only [`Resource::Broker`] and
    /// [`Resource::AllBrokers`] stand here; a topic's settings go with the topic.
    pub broker_settings: BTreeMap<Resource, Settings>,
    /// The first producer id that was never handed out.
    pub next_producer_id: i64,
    names: BTreeMap<Uuid, String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Topic {
    pub id: Uuid,
    /// Where in the metadata log the topic begins. Whoever noted something about a topic of this name
    /// when the log had not come so far meant another one.
    pub created: u64,
    /// By partition number, without holes.
    pub partitions: Vec<Assignment>,
    pub configs: Settings,
}

/// Who keeps a partition, and who leads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The preferred leader first.
    pub replicas: Vec<i32>,
    pub isr: Vec<i32>,
    /// [`NO_LEADER`] if nobody may.
    pub leader: i32,
    /// Counts leaders.
    pub epoch: i32,
    /// Counts every change.
    pub partition_epoch: i32,
}

/// In place of a leader's node id.
pub const NO_LEADER: i32 = -1;

/// A broker as it has registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    pub incarnation: Uuid,
    pub epoch: i64,
    pub host: Arc<str>,
    pub port: u16,
    /// It leads nothing: it has not caught up yet, or it is gone.
    pub fenced: bool,
}

impl Cluster {
    /// Takes one more record into account, the one at this offset of the metadata log. A record about
    /// a topic that is gone changes nothing.
    pub fn apply(&mut self, offset: u64, record: &Record) {
        match record {
            Record::Topic { name, id, created } => {
                let created = created.unwrap_or(offset);
                let topic = Topic { id: *id, created, ..Topic::default() };
                self.topics.insert(name.clone(), topic);
                self.names.insert(*id, name.clone());
            }
            Record::Partition { topic, index, replicas, isr, leader, epoch, partition_epoch } => {
                let Some(topic) = self.names.get(topic).and_then(|name| self.topics.get_mut(name))
                else {
                    return;
                };
                let assignment = Assignment {
                    replicas: replicas.clone(),
                    isr: isr.clone(),
                    leader: *leader,
                    epoch: *epoch,
                    partition_epoch: *partition_epoch,
                };
                let index = *index as usize;
                if index < topic.partitions.len() {
                    topic.partitions[index] = assignment;
                } else {
                    topic.partitions.push(assignment);
                }
            }
            Record::PartitionChange { topic, index, isr, leader } => {
                let topic = self.names.get(topic).and_then(|name| self.topics.get_mut(name));
                let partition = topic.and_then(|topic| topic.partitions.get_mut(*index as usize));
                let Some(partition) = partition else { return };
                if let Some(isr) = isr {
                    partition.isr.clone_from(isr);
                }
                if let Some(leader) = leader {
                    partition.leader = *leader;
                    partition.epoch += 1;
                }
                partition.partition_epoch += 1;
            }
            Record::RegisterBroker { id, incarnation, epoch, host, port } => {
                let registration = Registration {
                    incarnation: *incarnation,
                    epoch: *epoch,
                    host: host.as_str().into(),
                    port: *port,
                    fenced: true,
                };
                self.brokers.insert(*id, registration);
            }
            Record::BrokerChange { id, epoch, fenced } => {
                let broker = self.brokers.get_mut(id).filter(|broker| broker.epoch == *epoch);
                if let Some(broker) = broker {
                    broker.fenced = *fenced;
                }
            }
            Record::Config { resource, name, value } => {
                let settings = match resource {
                    Resource::Topic(topic) => {
                        self.topics.get_mut(topic).map(|topic| &mut topic.configs)
                    }
                    _ => Some(self.broker_settings.entry(resource.clone()).or_default()),
                };
                let Some(settings) = settings else { return };
                match value {
                    Some(value) => settings.insert(name.clone(), value.clone()),
                    None => settings.remove(name),
                };
                // Nothing set is the same as never set.
                self.broker_settings.retain(|_, settings| !settings.is_empty());
            }
            Record::RemoveTopic { id } => {
                if let Some(name) = self.names.remove(id) {
                    self.topics.remove(&name);
                }
            }
            Record::ProducerIds { next } => self.next_producer_id = *next,
        }
    }

    /// What is set for a topic or for brokers. `None` if there is no such topic.
    pub fn settings(&self, resource: &Resource) -> Option<&Settings> {
        static NOTHING: Settings = Settings::new();
        match resource {
            Resource::Topic(name) => self.topics.get(name).map(|topic| &topic.configs),
            _ => Some(self.broker_settings.get(resource).unwrap_or(&NOTHING)),
        }
    }

    /// The brokers that may lead and take part, by node id.
    pub fn live_brokers(&self) -> impl Iterator<Item = (i32, &Registration)> {
        self.brokers.iter().filter(|(_, broker)| !broker.fenced).map(|(id, broker)| (*id, broker))
    }

    pub fn is_live(&self, id: i32) -> bool {
        self.brokers.get(&id).is_some_and(|broker| !broker.fenced)
    }

    /// Their node ids.
    pub fn live(&self) -> Vec<i32> {
        self.live_brokers().map(|(id, _)| id).collect()
    }

    /// The partition of a topic, by the topic's name.
    pub fn partition(&self, topic: &str, index: i32) -> Option<&Assignment> {
        self.topics.get(topic)?.partitions.get(usize::try_from(index).ok()?)
    }

    pub fn name_of(&self, id: Uuid) -> Option<&str> {
        self.names.get(&id).map(String::as_str)
    }
}
