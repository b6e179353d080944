//! What is known of the cluster: the fold over the metadata log. The coordinator keeps one that
//! includes what is not synced yet, to refuse a name twice; every broker keeps one of what is agreed.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{Record, Resource};

/// Settings that are set, by name.
pub type Settings = BTreeMap<String, String>;

#[derive(Debug, Clone, Default)]
pub struct Cluster {
    pub topics: BTreeMap<String, Topic>,
    /// What is set for brokers while they run. Only [`Resource::Broker`] and
    /// [`Resource::AllBrokers`] stand here; a topic's settings go with the topic.
    pub brokers: BTreeMap<Resource, Settings>,
    /// Topics that once were: their directories may still lie about after a kill.
    pub removed: BTreeSet<Uuid>,
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
    pub replicas: Vec<i32>,
    pub isr: Vec<i32>,
    pub leader: i32,
    pub epoch: i32,
}

impl Cluster {
    /// Takes one more record into account, the one at this offset of the metadata log. A record about
    /// a topic that is gone changes nothing.
    pub fn apply(&mut self, offset: u64, record: &Record) {
        match record {
            Record::Topic { name, id } => {
                let topic = Topic { id: *id, created: offset, ..Topic::default() };
                self.topics.insert(name.clone(), topic);
                self.names.insert(*id, name.clone());
            }
            Record::Partition { topic, index, replicas, isr, leader, epoch } => {
                let Some(topic) = self.names.get(topic).and_then(|name| self.topics.get_mut(name))
                else {
                    return;
                };
                let assignment = Assignment {
                    replicas: replicas.clone(),
                    isr: isr.clone(),
                    leader: *leader,
                    epoch: *epoch,
                };
                let index = *index as usize;
                if index < topic.partitions.len() {
                    topic.partitions[index] = assignment;
                } else {
                    topic.partitions.push(assignment);
                }
            }
            Record::Config { resource, name, value } => {
                let settings = match resource {
                    Resource::Topic(topic) => {
                        self.topics.get_mut(topic).map(|topic| &mut topic.configs)
                    }
                    _ => Some(self.brokers.entry(resource.clone()).or_default()),
                };
                let Some(settings) = settings else { return };
                match value {
                    Some(value) => settings.insert(name.clone(), value.clone()),
                    None => settings.remove(name),
                };
            }
            Record::RemoveTopic { id } => {
                if let Some(name) = self.names.remove(id) {
                    self.topics.remove(&name);
                }
                self.removed.insert(*id);
            }
            Record::ProducerIds { next } => self.next_producer_id = *next,
        }
    }

    /// What is set for a topic or for brokers. `None` if there is no such topic.
    pub fn settings(&self, resource: &Resource) -> Option<&Settings> {
        static NOTHING: Settings = Settings::new();
        match resource {
            Resource::Topic(name) => self.topics.get(name).map(|topic| &topic.configs),
            _ => Some(self.brokers.get(resource).unwrap_or(&NOTHING)),
        }
    }

    pub fn name_of(&self, id: Uuid) -> Option<&str> {
        self.names.get(&id).map(String::as_str)
    }
}
