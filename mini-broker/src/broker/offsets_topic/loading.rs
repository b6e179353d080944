//! A broker that becomes the leader of a partition of `__consumer_offsets` reads it to its end, and knows
//! its groups then. It reads a piece in each turn: meanwhile all else goes on, and whoever asks for one of
//! these groups is told to wait. (`CoordinatorLoaderImpl`.)

use std::collections::BTreeMap;
use std::sync::Arc;

use wire::ErrorCode;
use wire::offsets_topic::{GroupMetadataValue, GroupRecord, OffsetCommitKey};

use super::{For, is_in_log};
use crate::broker::groups::{GroupId, Known, Offsets, Shard, fold};
use crate::broker::metadata::OFFSETS_TOPIC;
use crate::broker::partition::{Awaited, Turn, Until, Waiter};
use crate::broker::waiting::Owner;
use crate::broker::{Broker, Event, Now, Output, Partition, Refused, find};
use crate::labs::acks::{self, Acks};
use crate::records::{self, Record};

/// So much is read at a time, in bytes.
const PIECE: u32 = 256 << 10;

/// How long to wait after the disk has failed, in ms.
const AGAIN_MS: u64 = 1_000;

/// A partition that is being read.
#[derive(Default)]
pub struct Loading {
    /// It is read below this offset.
    next: u64,
    groups: BTreeMap<Arc<str>, Folded>,
    /// Records that could not be read.
    unreadable: usize,
}

/// What its records say of a group.
#[derive(Default)]
struct Folded {
    metadata: Option<GroupMetadataValue>,
    offsets: Offsets,
}

/// What came of reading a piece.
enum Piece {
    Read {
        bytes: usize,
    },
    /// It is read to the end, which every replica in sync has.
    All,
    /// It is read to the end: after this offset nothing follows. Some replicas have not so much yet.
    AllBut {
        last: u64,
    },
}

impl Broker {
    /// Another broker may lead a partition of the internal topic now, or this one again.
    pub(in crate::broker) fn coordinate(&mut self, topic: &str, index: i32, out: &mut Vec<Output>) {
        if topic != OFFSETS_TOPIC {
            return;
        }
        let led = self.partition(topic, index).filter(|partition| partition.leads());
        let epoch = led.map(|partition| partition.assignment.epoch);
        if self.groups.epochs.get(&index) == epoch.as_ref() {
            return;
        }
        self.forget_groups(index, out);
        if let Some(epoch) = epoch {
            self.groups.epochs.insert(index, epoch);
            self.groups.shards.insert(index, Shard::Loading(Loading::default()));
            self.groups.loading.insert(index);
        }
    }

    /// The topic is gone, and so are the groups.
    pub(in crate::broker) fn coordinate_nothing(&mut self, topic: &str, out: &mut Vec<Output>) {
        if topic == OFFSETS_TOPIC {
            for index in self.groups.epochs.keys().copied().collect::<Vec<_>>() {
                self.forget_groups(index, out);
            }
        }
    }

    /// Reads on in what is to be read, and no more than a piece of it.
    pub(in crate::broker) fn load_groups(&mut self, now: Now, out: &mut Vec<Output>) {
        let mut bytes = 0;
        while bytes < PIECE as usize
            && let Some(index) = self.groups.loading.first().copied()
        {
            bytes += self.load_piece(now, index, out);
        }
    }

    /// Gives how many bytes it has read.
    fn load_piece(&mut self, now: Now, index: i32, out: &mut Vec<Output>) -> usize {
        let Broker { topics, files, groups, .. } = self;
        let partition = find(topics, OFFSETS_TOPIC, index);
        let shard = groups.shards.get_mut(&index);
        let (Some(partition), Some(Shard::Loading(loading))) = (partition, shard) else {
            groups.loading.remove(&index);
            return 0;
        };
        match loading.read(partition, &mut Turn { now, files: files.as_mut(), out }) {
            Ok(Piece::Read { bytes }) => return bytes,
            Ok(Piece::All) => self.loaded(now, index, out),
            Ok(Piece::AllBut { last }) => {
                let epoch = partition.assignment.epoch;
                let waiter = Waiter::Loading { epoch };
                partition.awaited.push(Awaited { waiter, until: Until::Replicated(last) });
                self.groups.loading.remove(&index);
            }
            Err(refused) => {
                self.groups.loading.remove(&index);
                match refused.code {
                    ErrorCode::KAFKA_STORAGE_ERROR => {
                        self.timers.set(now.mono_ms + AGAIN_MS, Owner::Loading(index));
                    }
                    _ => drop(self.groups.shards.insert(index, Shard::Failed(refused))),
                }
            }
        }
        0
    }

    /// The disk may have recovered.
    pub(in crate::broker) fn load_again(&mut self, index: i32) {
        if let Some(Shard::Loading(_)) = self.groups.shards.get(&index) {
            self.groups.loading.insert(index);
        }
    }

    /// Every replica in sync has all that was read, or another broker leads by now.
    pub(in crate::broker) fn loading_settled(
        &mut self,
        now: Now,
        index: i32,
        epoch: i32,
        done: Result<(), Refused>,
        out: &mut Vec<Output>,
    ) {
        let settled = done.as_ref().map_or_else(is_in_log, |()| true);
        if settled && self.groups.epochs.get(&index) == Some(&epoch) {
            self.loaded(now, index, out);
        }
    }

    fn loaded(&mut self, now: Now, index: i32, out: &mut Vec<Output>) {
        self.groups.loading.remove(&index);
        let config = self.groups_config();
        let Some(Shard::Loading(loading)) = self.groups.shards.get_mut(&index) else { return };
        let Loading { groups: folded, unreadable, .. } = std::mem::take(loading);
        if unreadable > 0 {
            let partition = format!("{OFFSETS_TOPIC}-{index}");
            out.push(Output::Tell(Event::GroupsUnreadable { partition, records: unreadable }));
        }
        let mut groups = BTreeMap::new();
        let mut gone: Vec<(GroupId, Vec<GroupRecord>)> = Vec::new();
        for (name, Folded { metadata, offsets }) in folded {
            if metadata.is_none() && offsets.is_empty() {
                continue;
            }
            let topics = &self.cluster.topics;
            let deleted = offsets.iter().filter(|(topic, _)| !topics.contains_key(&***topic));
            let records = deleted.flat_map(|(topic, partitions)| {
                partitions.keys().map(|partition| forgotten(&name, topic, *partition))
            });
            let records: Vec<_> = records.collect();
            if !records.is_empty() {
                gone.push(((index, name.clone()), records));
            }
            let known = Known::restored(now, config.clone(), metadata, offsets);
            groups.insert(name, known);
        }
        let names: Vec<Arc<str>> = groups.keys().cloned().collect();
        self.groups.loaded += names.len();
        if self.groups.loading.is_empty() && self.groups.loaded > 0 {
            let groups = std::mem::take(&mut self.groups.loaded);
            out.push(Output::Tell(Event::GroupsLoaded { groups }));
        }
        self.groups.shards.insert(index, Shard::Loaded(groups));
        for (id, records) in gone {
            self.write_group(now, &id, records, For::Nobody, out);
        }
        for name in names {
            let id = (index, name);
            self.look_at_offsets(now, &id, now.wall_ms);
            self.tidy_group(now, &id);
        }
    }
}

impl Loading {
    fn read(&mut self, partition: &mut Partition, turn: &mut Turn) -> Result<Piece, Refused> {
        let bounds = partition.bounds(turn)?;
        self.next = self.next.max(bounds.log_start);
        let slice = match self.next < bounds.log_end {
            true => partition.read(turn, self.next, bounds.log_end, PIECE)?,
            false => None,
        };
        let Some(slice) = slice else {
            let Some(last) = bounds.log_end.checked_sub(1) else { return Ok(Piece::All) };
            return Ok(match partition.answer(turn, Acks::All, last)? {
                acks::Answer::Wait => Piece::AllBut { last },
                acks::Answer::Now | acks::Answer::NotEnoughReplicasAfterAppend => Piece::All,
            });
        };
        let mut bytes = vec![0; slice.len as usize];
        let read = turn.files.read_at(&partition.located(&slice), &mut bytes)?;
        let before = self.next;
        self.fold(&bytes[..read]);
        if self.next == before {
            let why = format!("{}: what stands at offset {before} is no batch", partition.dir);
            return Err(Refused::new(ErrorCode::UNKNOWN_SERVER_ERROR, why));
        }
        Ok(Piece::Read { bytes: read })
    }

    fn fold(&mut self, bytes: &[u8]) {
        for batch in records::batches(bytes) {
            let Ok(batch) = batch else { return };
            let from = self.next;
            self.next = self.next.max(batch.header.last_offset() as u64 + 1);
            let Ok(records) = batch.records() else {
                self.unreadable += 1;
                continue;
            };
            if batch.header.is_control() {
                continue;
            }
            for record in records.iter() {
                match record {
                    Ok(record) if (record.offset as u64) < from => {}
                    Ok(record) => self.fold_record(&record),
                    Err(_) => self.unreadable += 1,
                }
            }
        }
    }

    fn fold_record(&mut self, record: &Record) {
        let Some(key) = record.key else { return self.unreadable += 1 };
        let (name, record) = match GroupRecord::decode(key, record.value) {
            Ok(Some(record)) => (name_of(&record).to_owned(), record),
            Ok(None) => return, // of a kind of groups that is not spoken here
            Err(_) => return self.unreadable += 1,
        };
        let folded = match self.groups.get_mut(name.as_str()) {
            Some(folded) => folded,
            None => self.groups.entry(name.into()).or_default(),
        };
        match record {
            GroupRecord::GroupMetadata { value, .. } => folded.metadata = value,
            record => fold(&mut folded.offsets, &record),
        }
    }
}

fn name_of(record: &GroupRecord) -> &str {
    match record {
        GroupRecord::OffsetCommit { key, .. } => &key.group,
        GroupRecord::GroupMetadata { key, .. } => &key.group,
    }
}

/// The record that ends an offset.
pub fn forgotten(group: &str, topic: &str, partition: i32) -> GroupRecord {
    let (group, topic) = (group.into(), topic.into());
    GroupRecord::OffsetCommit { key: OffsetCommitKey { group, topic, partition }, value: None }
}
