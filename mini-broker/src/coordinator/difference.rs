//! The way from what is known of a cluster to what is known later, as records. From nothing it gives a
//! snapshot; from an old state it gives what a broker that was away for long has missed.

use super::{Cluster, Record, Resource, Settings, Topic};

impl Cluster {
    /// The records that make this cluster the other one, which has come from it by records of the same
    /// log: of what came and went in between they say nothing. What went comes before what came: a topic may
    /// have an old one's name.
    pub fn towards(&self, new: &Cluster) -> Vec<Record> {
        let mut records = Vec::new();
        let known = self.topics.values().map(|topic| topic.id);
        let gone = known.filter(|id| new.name_of(*id).is_none());
        records.extend(gone.map(|id| Record::RemoveTopic { id }));
        self.brokers_towards(new, &mut records);
        for resource in self.broker_settings.keys().chain(new.broker_settings.keys()) {
            let (old, new) = (self.settings(resource), new.settings(resource));
            let both = old.zip(new).expect("brokers always have some");
            settings_towards(resource, both.0, both.1, &mut records);
        }
        for (name, topic) in &new.topics {
            let known = self.topics.get(name).filter(|known| known.id == topic.id);
            topic_towards(name, known, topic, &mut records);
        }
        if self.next_producer_id != new.next_producer_id {
            records.push(Record::ProducerIds { next: new.next_producer_id });
        }
        records
    }

    fn brokers_towards(&self, new: &Cluster, records: &mut Vec<Record>) {
        for (id, broker) in &new.brokers {
            let known = self.brokers.get(id).filter(|known| known.epoch == broker.epoch);
            if known.is_none() {
                records.push(Record::RegisterBroker {
                    id: *id,
                    incarnation: broker.incarnation,
                    epoch: broker.epoch,
                    host: broker.host.to_string(),
                    port: broker.port,
                });
            }
            if broker.fenced != known.is_none_or(|known| known.fenced) {
                let (epoch, fenced) = (broker.epoch, broker.fenced);
                records.push(Record::BrokerChange { id: *id, epoch, fenced });
            }
        }
    }
}

fn topic_towards(name: &str, old: Option<&Topic>, new: &Topic, records: &mut Vec<Record>) {
    if old.is_none() {
        let created = Some(new.created);
        records.push(Record::Topic { name: name.into(), id: new.id, created });
    }
    let nothing = Topic::default();
    let old = old.unwrap_or(&nothing);
    let resource = Resource::Topic(name.into());
    settings_towards(&resource, &old.configs, &new.configs, records);
    for (partition, index) in new.partitions.iter().zip(0..) {
        if old.partitions.get(index as usize) != Some(partition) {
            records.push(Record::Partition {
                topic: new.id,
                index,
                replicas: partition.replicas.clone(),
                isr: partition.isr.clone(),
                leader: partition.leader,
                epoch: partition.epoch,
                partition_epoch: partition.partition_epoch,
            });
        }
    }
}

fn settings_towards(
    resource: &Resource,
    old: &Settings,
    new: &Settings,
    records: &mut Vec<Record>,
) {
    let gone = old.keys().filter(|name| !new.contains_key(*name)).map(|name| (name, None));
    let set = new.iter().filter(|(name, value)| old.get(*name) != Some(value));
    let set = set.map(|(name, value)| (name, Some(value.clone())));
    records.extend(gone.chain(set).map(|(name, value)| Record::Config {
        resource: resource.clone(),
        name: name.clone(),
        value,
    }));
}
