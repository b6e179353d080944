//! The start: meta.properties, the metadata log, and which partitions have files. No partition is
//! opened: a broker with ten thousand of them stands as soon as one with none.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand_pcg::Pcg64;
use uuid::Uuid;

use super::checkpoints::{CLEANED_TO, Checkpoints, LOG_STARTS, Lines, RECOVERY_POINTS};
use super::cleaner::Cleaner;
use super::files::DELETE;
use super::waiting::{Owner, Timers};
use super::{Broker, Config, Event, Files, Now, Output};
use crate::coordinator::{Coordinator, METADATA_DIR, new_id};

/// In each partition's directory: the topic id, so that an old directory is told from a new topic.
pub const PARTITION_METADATA: &str = "partition.metadata";
/// In each partition's directory: the first offset of every leader epoch.
pub const LEADER_EPOCHS: &str = "leader-epoch-checkpoint";
const META: &str = "meta.properties";

impl Broker {
    /// Reads what a data directory knows. Ids come from `seed`. The error is a sentence.
    pub fn new(
        mut config: Config,
        mut files: Box<dyn Files>,
        seed: u64,
        out: &mut Vec<Output>,
    ) -> io::Result<Self> {
        let mut ids = Pcg64::new(seed.into(), 0xc1);
        let cluster_id = meta_properties(files.as_mut(), config.node_id, &mut ids)?;
        let (coordinator, cluster) =
            Coordinator::open(files.as_mut(), seed).map_err(io::Error::other)?;
        for (resource, settings) in &cluster.brokers {
            config.set_running(resource, settings);
        }
        let next_id = cluster.next_producer_id;
        let applied = coordinator.log_end();
        let mut broker = Self {
            config,
            files,
            coordinator,
            cluster_id,
            topics: BTreeMap::new(),
            parked: BTreeMap::new(),
            woken: BTreeSet::new(),
            timers: Timers::default(),
            after_sync: BTreeMap::new(),
            metadata_syncing: false,
            jobs: BTreeMap::new(),
            last_call: 0,
            producer_ids: next_id..next_id,
            checkpoints: Checkpoints::default(),
            measuring: BTreeMap::new(),
            applied,
            cleaner: Cleaner::default(),
            keyed: Arc::default(),
            cluster,
        };
        let all: Vec<(Uuid, usize)> = broker
            .cluster
            .topics
            .values()
            .map(|topic| (topic.id, topic.partitions.len()))
            .collect();
        for (id, count) in all {
            (0..count as i32).for_each(|index| broker.add_partition(id, index));
        }
        broker.find_directories(out)?;
        broker.tell_keyed(out);
        Ok(broker)
    }

    /// Matches the directories with the partitions the metadata log knows.
    fn find_directories(&mut self, out: &mut Vec<Output>) -> io::Result<()> {
        let read = |files: &dyn Files, name| -> io::Result<Lines> {
            Ok(Lines::parse(&files.text(name)?.unwrap_or_default()))
        };
        let points = read(self.files.as_ref(), RECOVERY_POINTS)?;
        let starts = read(self.files.as_ref(), LOG_STARTS)?;
        let cleaned = read(self.files.as_ref(), CLEANED_TO)?;
        for (dir, place) in self.files.dirs()?.into_iter().zip(0..) {
            if dir == METADATA_DIR {
                continue;
            }
            if dir.ends_with(DELETE) {
                self.start_job(super::Job::Remove { dir }, None, out);
                continue;
            }
            let named = dir.rsplit_once('-').and_then(|(topic, index)| {
                let index: i32 = index.parse().ok()?;
                let created = self.cluster.topics.get(topic)?.created;
                Some((self.partition(topic, index)?, created))
            });
            if let Some((partition, created)) = named {
                let (topic, index) = (Arc::clone(&partition.topic), partition.index);
                let of = |lines: &Lines| lines.of(&topic, index, created);
                // One after the other: opening ten thousand logs at once would stop everything.
                partition.found(of(&points), of(&starts), of(&cleaned), place);
                partition.timer = partition.deadline(Now { mono_ms: 0, wall_ms: 0 });
                let timer = partition.timer;
                timer.into_iter().for_each(|at| {
                    self.timers.set(at, Owner::Partition(Arc::clone(&topic), index));
                });
                continue;
            }
            let written = self.files.text(&format!("{dir}/{PARTITION_METADATA}"))?;
            match written.as_deref().and_then(parse_topic_id) {
                // A kill came between the deletion of its topic and its own.
                Some(id) if self.cluster.removed.contains(&id) => self.discard(&dir, out),
                _ => out.push(Output::Tell(Event::Stray { dir })),
            }
        }
        Ok(())
    }
}

/// Reads who this directory belongs to, or writes it into a new one. Gives the cluster's id.
fn meta_properties(files: &mut dyn Files, node_id: i32, ids: &mut Pcg64) -> io::Result<String> {
    if let Some(text) = files.text(META)? {
        let value =
            |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        let (node, cluster) = (value("node.id"), value("cluster.id"));
        let (Some(node), Some(cluster)) = (node, cluster) else {
            return Err(io::Error::other(format!("{META} lacks a node.id or a cluster.id")));
        };
        if node != node_id.to_string() {
            return Err(io::Error::other(format!(
                "the data directory belongs to node {node}, this broker is node {node_id}: choose \
                 another --data-dir, or --node-id {node}"
            )));
        }
        return Ok(cluster.into());
    }
    let strangers = files.dirs()?;
    if let Some(dir) = strangers.first() {
        return Err(io::Error::other(format!(
            "the data directory has no {META} but a directory {dir}: it is not a broker's, or lost \
             a file; nothing was touched"
        )));
    }
    let cluster = base64_id(new_id(ids));
    let text = format!("version=1\nnode.id={node_id}\ncluster.id={cluster}\n");
    files.checkpoint(META, &text)?;
    Ok(cluster)
}

/// `version: 0`, `topic_id: …`, as Kafka writes it.
pub fn topic_id_text(id: Uuid) -> String {
    format!("version: 0\ntopic_id: {}", base64_id(id))
}

pub fn parse_topic_id(text: &str) -> Option<Uuid> {
    let id = text.lines().find_map(|line| line.strip_prefix("topic_id: "))?;
    let bytes = URL_SAFE_NO_PAD.decode(id.trim()).ok()?;
    Uuid::from_slice(&bytes).ok()
}

/// A UUID as Kafka prints it: 22 characters.
fn base64_id(id: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(id.as_bytes())
}
