//! The start: whose the data directory is, and, once the metadata log is read, which partitions have
//! files. No partition is opened: a broker with ten thousand of them stands as soon as one with none.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand_pcg::Pcg64;
use uuid::Uuid;

use super::checkpoints::{
    CLEANED_TO, Checkpoints, HIGH_WATERMARKS, LOG_STARTS, Lines, RECOVERY_POINTS,
};
use super::cleaner::Cleaner;
use super::groups::Groups;
use super::in_sync::InSync;
use super::membership::Membership;
use super::metadata::OFFSETS_TOPIC;
use super::metadata_log::Following;
use super::partition::Found;
use super::producer_ids::ProducerIds;
use super::traffic::Traffic;
use super::waiting::Timers;
use super::{Broker, Config, Event, Files, Now, Output};
use crate::coordinator::{Cluster, METADATA_DIR, new_id};
use crate::node::files::DELETE;
use crate::node::meta::{self, LAST_EPOCH, base64_id};

/// In each partition's directory: the topic id, so that an old directory is told from a new topic.
pub const PARTITION_METADATA: &str = "partition.metadata";
/// In each partition's directory: the first offset of every leader epoch.
pub const LEADER_EPOCHS: &str = "leader-epoch-checkpoint";

impl Broker {
    /// Reads whose a data directory is, and begins to look for the coordinator. Ids come from `seed`. The
    /// error is a sentence.
    pub fn new(
        config: Config,
        files: Box<dyn Files>,
        seed: u64,
        out: &mut Vec<Output>,
    ) -> io::Result<Self> {
        let mut ids = Pcg64::new(seed.into(), 0xc1);
        let cluster_id = meta::cluster(files.as_ref(), config.node_id)?;
        let last = files.text(LAST_EPOCH)?;
        let boot_id = files.boot_id()?;
        let mut broker = Self {
            config,
            files,
            membership: Membership::new(new_id(&mut ids), last.as_deref(), &boot_id),
            following: Following::default(),
            cluster: Cluster::default(),
            applied: 0,
            cluster_id,
            topics: BTreeMap::new(),
            parked: BTreeMap::new(),
            woken: BTreeSet::new(),
            timers: Timers::default(),
            after_applied: BTreeMap::new(),
            jobs: BTreeMap::new(),
            asked: BTreeMap::new(),
            last_call: 0,
            forwarded: BTreeMap::new(),
            last_forwarded: 0,
            producer_ids: ProducerIds::default(),
            checkpoints: Checkpoints::default(),
            measuring: BTreeMap::new(),
            cleaner: Cleaner::default(),
            keyed: Arc::default(),
            fetchers: BTreeMap::new(),
            in_sync: InSync::default(),
            unfinished: BTreeMap::new(),
            settling: BTreeSet::new(),
            groups: Groups::new(ids),
            traffic: Traffic::default(),
        };
        broker.meet_coordinator(out);
        Ok(broker)
    }

    /// The metadata log is read to its end: what it says comes true, with what the directory has.
    pub(super) fn load(&mut self, now: Now, out: &mut Vec<Output>) -> io::Result<()> {
        for (resource, settings) in &self.cluster.broker_settings {
            self.config.set_running(resource, settings);
        }
        let topics = self.cluster.topics.values();
        let all: Vec<(Uuid, usize)> =
            topics.map(|topic| (topic.id, topic.partitions.len())).collect();
        for (id, count) in all {
            (0..count as i32).for_each(|index| self.add_partition(id, index));
        }
        self.find_directories(now, out)?;
        for index in 0..self.topics.get(OFFSETS_TOPIC).map_or(0, Vec::len) {
            self.coordinate(OFFSETS_TOPIC, index as i32, out);
        }
        self.tell_keyed(out);
        self.fetch_news(now, out);
        self.after_applied(now, out);
        Ok(())
    }

    /// Matches the directories with the partitions the metadata log knows.
    fn find_directories(&mut self, now: Now, out: &mut Vec<Output>) -> io::Result<()> {
        let read = |files: &dyn Files, name| -> io::Result<Lines> {
            Ok(Lines::parse(&files.text(name)?.unwrap_or_default()))
        };
        let points = read(self.files.as_ref(), RECOVERY_POINTS)?;
        let starts = read(self.files.as_ref(), LOG_STARTS)?;
        let cleaned = read(self.files.as_ref(), CLEANED_TO)?;
        let watermarks = read(self.files.as_ref(), HIGH_WATERMARKS)?;
        self.check_read_before(&[&points, &starts, &cleaned, &watermarks])?;
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
                let found = Found {
                    recovery_point: of(&points),
                    deleted_before: of(&starts),
                    cleaned_to: of(&cleaned),
                    high_watermark: of(&watermarks),
                };
                partition.found(found, now.mono_ms + place);
                self.rearm(now, &topic, index);
                continue;
            }
            let written = self.files.text(&format!("{dir}/{PARTITION_METADATA}"))?;
            match written.as_deref().and_then(parse_topic_id) {
                // A kill came between the deletion of its topic and its own. The log does not say that for
                // ever, but a topic that there was and that it does not know now was deleted.
                Some(id) if self.cluster.name_of(id).is_none() => {
                    out.push(Output::Tell(Event::LeftOver { dir: dir.clone() }));
                    self.discard(&dir, out);
                }
                _ => out.push(Output::Tell(Event::Stray { dir })),
            }
        }
        Ok(())
    }
}

impl Broker {
    /// The metadata log must be the one that this broker has read before, or everything that is not in it would
    /// be taken for deleted. Its registration stands where the log ended.
    fn check_read_before(&self, files: &[&Lines]) -> io::Result<()> {
        let known_to = files.iter().map(|lines| lines.known_to()).max().unwrap_or(0);
        let had = self.membership.epoch;
        if known_to as i64 <= had {
            return Ok(());
        }
        Err(io::Error::other(format!(
            "this broker has read the metadata log up to offset {known_to} before, and the coordinator had \
             it up to {had} only: it is not the one that decided what this broker knows, or an old copy \
             of it; nothing was touched"
        )))
    }
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
