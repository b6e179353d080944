//! What the coordinator has agreed on comes back here as records of the metadata log, and only then
//! exists: topics with their partitions, settings, and deletions.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use uuid::Uuid;
use wire::ErrorCode;
use wire::topics::{DeletableTopicResult, DeleteTopicsRequest, DeleteTopicsResponse};

use super::configs::TopicSettings;
use super::create_topics::named_twice;
use super::files::DELETE;
use super::partition::{Partition, Turn};
use super::waiting::{Owner, Then};
use super::{Broker, Event, Job, Now, Output, Refused, Ticket};
use crate::coordinator::{METADATA_DIR, Record, Resource};

impl Broker {
    pub(super) fn delete_topics(
        &mut self,
        now: Now,
        ticket: Ticket,
        request: DeleteTopicsRequest,
        out: &mut Vec<Output>,
    ) {
        let twice = named_twice(request.topic_names.iter());
        let answered = |name, done| {
            let (error_code, error_message) = Refused::told(done);
            DeletableTopicResult { name, error_code, error_message }
        };
        let mut responses = Vec::with_capacity(request.topic_names.len());
        for name in request.topic_names {
            if twice.contains(&name) {
                continue;
            }
            let deleted = if self.config.flag("delete.topic.enable") {
                self.coordinator.delete_topic(now.wall_ms, &name)
            } else {
                Err(Refused::new(
                    ErrorCode::TOPIC_DELETION_DISABLED,
                    "Topic deletion is disabled: delete.topic.enable is false.",
                ))
            };
            responses.push(answered(name, deleted));
        }
        responses.extend(twice.into_iter().map(|name| answered(name, Err(Refused::named_twice()))));
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
                let mut changed = BTreeSet::new();
                for (offset, record) in self.coordinator.synced(to) {
                    self.apply(now, offset, &record, &mut changed, out);
                }
                self.configure(now, changed, out);
                self.tell_keyed(out);
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

    /// Takes a record of the metadata log into account. Whose settings have changed is noted: what
    /// follows from that is seen to once for all the records.
    fn apply(
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
            Record::Partition { topic, index, .. } => self.add_partition(*topic, *index),
            Record::RemoveTopic { .. } => {
                if let Some(name) = gone {
                    self.remove_topic(now, &name, out);
                }
            }
            Record::Config { resource, .. } => drop(changed.insert(resource.clone())),
            Record::ProducerIds { .. } => {}
        }
    }

    /// New settings count from now on: for one topic, or for all of them when they are the broker's.
    fn configure(&mut self, now: Now, changed: BTreeSet<Resource>, out: &mut Vec<Output>) {
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
            rearm.into_iter().for_each(|index| self.rearm(now, &topic, index));
        }
    }

    pub(super) fn add_partition(&mut self, topic: Uuid, index: i32) {
        let Some(name) = self.cluster.name_of(topic) else { return };
        let known = &self.cluster.topics[name];
        let epoch = known.partitions[index as usize].epoch;
        let partitions = self.topics.entry(name.into()).or_default();
        let (shared, settings) = match partitions.first() {
            Some(first) => (Arc::clone(&first.topic), *first.settings()),
            None => (name.into(), TopicSettings::new(&self.config, &known.configs)),
        };
        partitions.push(Partition::new(shared, index, topic, epoch, settings));
    }

    /// The directories are renamed at once, so that a new topic may have the name, and removed by
    /// jobs. Whoever waits for one of the partitions learns now that there is none.
    fn remove_topic(&mut self, now: Now, name: &str, out: &mut Vec<Output>) {
        for mut partition in self.topics.remove(name).unwrap_or_default() {
            self.woken.append(&mut partition.waiting);
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
