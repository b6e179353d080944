//! What the coordinator has agreed on comes back here as records of the metadata log, and only then
//! exists: topics with their partitions, settings, and deletions.

use std::collections::BTreeSet;
use std::sync::Arc;

use uuid::Uuid;

use super::partition::{Partition, Turn};
use super::waiting::Owner;
use super::{Broker, Event, Job, Now, Output, Refused, find};
use crate::configs::TopicSettings;
use crate::coordinator::{Record, Resource};
use crate::node::files::DELETE;

impl Broker {
    /// Takes a record of the metadata log into account. Whose settings have changed is noted: what
    /// follows from that is seen to once for all the records.
    pub(super) fn apply(
        &mut self,
        now: Now,
        offset: u64,
        record: &Record,
        changed: &mut BTreeSet<Resource>,
        out: &mut Vec<Output>,
    ) {
        let gone = match record {
            Record::RemoveTopic { id } => self.cluster.name_of(*id).map(str::to_string),
            _ => None,
        };
        self.cluster.apply(offset, record);
        self.applied = offset + 1;
        match record {
            Record::Topic { name, .. } => {
                self.topics.insert(name.clone(), Vec::new());
                out.push(Output::Tell(Event::TopicCreated { topic: name.clone() }));
            }
            Record::Partition { topic, index, .. } => match self.has_partition(*topic, *index) {
                true => self.partition_changed(now, *topic, *index, out),
                false => {
                    self.add_partition(*topic, *index);
                    let name = self.cluster.name_of(*topic).unwrap_or_default().to_string();
                    self.coordinate(&name, *index, out);
                }
            },
            Record::PartitionChange { topic, index, .. } => {
                self.partition_changed(now, *topic, *index, out);
            }
            Record::RemoveTopic { .. } => {
                if let Some(name) = gone {
                    self.remove_topic(now, &name, out);
                }
            }
            Record::Config { resource, .. } => drop(changed.insert(resource.clone())),
            Record::BrokerChange { id, fenced: true, .. } => self.broker_gone(now, *id, out),
            Record::BrokerChange { id, fenced: false, .. } => self.broker_back(now, *id, out),
            Record::RegisterBroker { .. } | Record::ProducerIds { .. } => {}
        }
    }

    /// New settings count from now on: for one topic, or for all of them when they are the broker's.
    pub(super) fn configure(
        &mut self,
        now: Now,
        changed: BTreeSet<Resource>,
        out: &mut Vec<Output>,
    ) {
        let mut topics = BTreeSet::new();
        for resource in changed {
            match &resource {
                Resource::Topic(name) if self.topics.contains_key(name) => {
                    topics.insert(name.clone());
                }
                Resource::Topic(_) => continue, // deleted since
                _ => {
                    let settings =
                        self.cluster.settings(&resource).expect("brokers always have some");
                    if self.config.set_running(&resource, settings) {
                        topics.extend(self.topics.keys().cloned());
                    }
                }
            }
            out.push(Output::Tell(Event::SettingsChanged { resource }));
        }
        for topic in topics {
            let settings = TopicSettings::new(&self.config, &self.cluster.topics[&topic].configs);
            let Broker { topics, files, .. } = self;
            let partitions = topics.get_mut(&topic).expect("the same topics as in the cluster");
            let mut turn = Turn { now, files: files.as_mut(), out };
            let mut rearm = Vec::new();
            for partition in partitions {
                if partition.configure(&mut turn, settings) {
                    rearm.push(partition.index);
                }
            }
            for index in rearm {
                self.touched(now, &topic, index, out);
                self.rearm(now, &topic, index);
            }
        }
    }

    fn has_partition(&self, topic: Uuid, index: i32) -> bool {
        let partitions = self.cluster.name_of(topic).and_then(|name| self.topics.get(name));
        partitions.is_some_and(|partitions| partitions.len() > index as usize)
    }

    pub(super) fn add_partition(&mut self, topic: Uuid, index: i32) {
        let Some(name) = self.cluster.name_of(topic) else { return };
        let known = &self.cluster.topics[name];
        let assignment = &known.partitions[index as usize];
        let partitions = self.topics.entry(name.into()).or_default();
        let (shared, settings) = match partitions.first() {
            Some(first) => (Arc::clone(&first.topic), *first.settings()),
            None => (name.into(), TopicSettings::new(&self.config, &known.configs)),
        };
        let me = self.config.node_id;
        partitions.push(Partition::new(shared, index, topic, me, assignment, settings));
        let name = name.to_string();
        self.follow_leader(&name, index);
    }

    /// Others lead a partition now, or are in sync. Whoever waits for it learns of it.
    fn partition_changed(&mut self, now: Now, topic: Uuid, index: i32, out: &mut Vec<Output>) {
        let Some(name) = self.cluster.name_of(topic).map(str::to_string) else { return };
        let Some(assignment) = self.cluster.partition(&name, index).cloned() else { return };
        let Broker { topics, files, woken, settling, .. } = self;
        let partition = find(topics, &name, index);
        let Some(partition) = partition else { return };
        let mut turn = Turn { now, files: files.as_mut(), out };
        if partition.assign(&mut turn, assignment) {
            woken.extend(&partition.waiting);
            woken.extend(&partition.followers_waiting);
            settling.insert((Arc::clone(&partition.topic), index));
        }
        self.follow_leader(&name, index);
        self.coordinate(&name, index, out);
        self.touched(now, &name, index, out);
        self.rearm(now, &name, index);
    }

    /// A broker takes part again. It may have caught up before that, when it could not join yet: it is
    /// answered now, so that it fetches again and does.
    fn broker_back(&mut self, now: Now, id: i32, out: &mut Vec<Output>) {
        let parked = self.parked.iter();
        let waiting = parked.filter(|(_, parked)| parked.request.replica_id == id);
        let waiting = waiting.map(|(ticket, _)| *ticket).collect();
        self.answer_as_it_is(now, waiting, out);
    }

    /// A broker takes no part any more: leaders do not wait for it.
    fn broker_gone(&mut self, now: Now, id: i32, out: &mut Vec<Output>) {
        let Broker { topics, files, settling, .. } = self;
        let mut turn = Turn { now, files: files.as_mut(), out };
        let mut touched = Vec::new();
        for partition in topics.values_mut().flatten() {
            if partition.leads() && partition.assignment.replicas.contains(&id) {
                partition.gone(&mut turn, id);
                if !partition.awaited.is_empty() {
                    settling.insert((Arc::clone(&partition.topic), partition.index));
                }
                touched.push((Arc::clone(&partition.topic), partition.index));
            }
        }
        for (topic, index) in touched {
            self.touched(now, &topic, index, out);
        }
    }

    /// The directories are renamed at once, so that a new topic may have the name, and removed by
    /// jobs. Whoever waits for one of the partitions learns now that there is none.
    fn remove_topic(&mut self, now: Now, name: &str, out: &mut Vec<Output>) {
        self.coordinate_nothing(name, out);
        for mut partition in self.topics.remove(name).unwrap_or_default() {
            self.woken.append(&mut partition.waiting);
            self.woken.append(&mut partition.followers_waiting);
            let awaited = std::mem::take(&mut partition.awaited);
            let gone = Refused::unknown_partition(&partition.topic, partition.index);
            for it in awaited {
                self.settled(now, partition.index, it.waiter, Err(gone.clone()), out);
            }
            self.follow_nobody(&partition.topic, partition.index);
            if let Some(at) = partition.timer {
                let owner = Owner::Partition(Arc::clone(&partition.topic), partition.index);
                self.timers.clear(at, owner);
            }
            if !partition.has_directory() {
                continue;
            }
            // No checkpoint needs its lines any more.
            self.recovery_point_moved(now);
            if partition.deleted_before().is_some() {
                self.log_start_moved(now);
            }
            let dir = partition.dir.to_string();
            drop(partition);
            self.discard(&dir, out);
        }
        out.push(Output::Tell(Event::TopicDeleted { topic: name.into() }));
        self.forget_offsets_of(now, name, out);
    }

    pub(super) fn discard(&mut self, dir: &str, out: &mut Vec<Output>) {
        match self.files.set_aside(dir, DELETE) {
            Ok(aside) => drop(self.start_job(Job::Remove { dir: aside }, None, out)),
            Err(error) => out.push(Output::Tell(Event::Storage {
                partition: dir.into(),
                why: format!("cannot be set aside: {error}"),
                offline: false,
            })),
        }
    }
}
