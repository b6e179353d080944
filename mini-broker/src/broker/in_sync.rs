//! Leaders ask the coordinator for other in-sync sets: one request at a time, with all partitions that
//! want one. (`AlterPartitionManager`, KIP-497.)

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;
use wire::ErrorCode;
use wire::alter_partition::{
    AlterPartitionPartitionResponse, AlterPartitionRequest, AlterPartitionResponse,
    AlterPartitionTopic,
};

use super::membership::AGAIN_MS;
use super::partition::{InSyncAnswer, Turn, WantedInSync};
use super::waiting::Owner;
use super::{Asked, Broker, Event, Now, Output, Peer, PeerGone, find};
use crate::coordinator::Assignment;

#[derive(Default)]
pub struct InSync {
    /// What is to be asked next.
    wanted: Vec<WantedInSync>,
    /// What is asked: topics, partitions and their leader epochs.
    asked: Vec<(Uuid, i32, i32)>,
    /// A timer is set.
    waiting: bool,
    /// It was told that the coordinator does not agree to anything.
    told: bool,
    /// How often a replica fell out, since the start.
    pub shrinks: u64,
    /// How often one came back.
    pub expands: u64,
}

impl InSync {
    /// Whether the coordinator does not agree to anything at the moment.
    pub fn is_refused(&self) -> bool {
        self.told
    }
}

impl Broker {
    /// Something has happened to a partition: whoever waits for its watermarks is woken, and the
    /// coordinator is asked if another in-sync set is wanted.
    pub(super) fn touched(&mut self, now: Now, topic: &str, index: i32, out: &mut Vec<Output>) {
        let Broker { topics, files, cluster, woken, settling, in_sync, .. } = self;
        let partition = find(topics, topic, index);
        let Some(partition) = partition else { return };
        let (high, low) = (partition.take_watermark_moved(), partition.take_starts_moved());
        let moved = high && partition.high_watermark().is_some();
        if high {
            woken.extend(&partition.waiting);
        }
        if (high || low) && !partition.awaited.is_empty() {
            settling.insert((Arc::clone(&partition.topic), index));
        }
        if partition.assignment.replicas.len() > 1 {
            let (shrinks, expands) = partition.take_isr_moves();
            in_sync.shrinks += shrinks;
            in_sync.expands += expands;
            let mut turn = Turn { now, files: files.as_mut(), out };
            in_sync.wanted.extend(partition.wanted_in_sync(&mut turn, cluster));
            self.ask_for_in_sync(out);
        }
        if moved {
            self.high_watermark_moved(now);
        }
    }

    pub(super) fn ask_for_in_sync(&mut self, out: &mut Vec<Output>) {
        let in_sync = &mut self.in_sync;
        if !in_sync.asked.is_empty() || in_sync.waiting || in_sync.wanted.is_empty() {
            return;
        }
        let mut topics: BTreeMap<Uuid, AlterPartitionTopic> = BTreeMap::new();
        for WantedInSync { topic_id, partition } in in_sync.wanted.drain(..) {
            in_sync.asked.push((topic_id, partition.partition_index, partition.leader_epoch));
            let topic = topics
                .entry(topic_id)
                .or_insert_with(|| AlterPartitionTopic { topic_id, ..Default::default() });
            topic.partitions.push(partition);
        }
        let request = AlterPartitionRequest {
            broker_id: self.config.node_id,
            broker_epoch: self.membership.epoch,
            topics: topics.into_values().collect(),
        };
        self.ask(Peer::Coordinator, request.into(), Asked::InSync, out);
    }

    pub(super) fn in_sync_answered(
        &mut self,
        now: Now,
        told: Result<AlterPartitionResponse, PeerGone>,
        out: &mut Vec<Output>,
    ) {
        let mut answers = BTreeMap::new();
        let failed = match told {
            Ok(told) => {
                let failed = told.error_code.is_err().then(|| told.error_code.to_string());
                for topic in told.topics {
                    for is in topic.partitions {
                        answers.insert((topic.topic_id, is.partition_index), answer(is));
                    }
                }
                failed
            }
            Err(gone) => Some(gone.0),
        };
        let told_before = std::mem::replace(&mut self.in_sync.told, failed.is_some());
        if let Some(why) = &failed
            && !told_before
        {
            let (partitions, why) = (self.in_sync.asked.len(), why.clone());
            out.push(Output::Tell(Event::InSyncNotAgreed { partitions, why }));
        }
        let asked = std::mem::take(&mut self.in_sync.asked);
        let is_known = |(topic, index, _): &(Uuid, i32, i32)| {
            let answer = answers.get(&(*topic, *index));
            answer.is_some_and(|answer| !matches!(answer, InSyncAnswer::Unknown))
        };
        if failed.is_some() || !asked.iter().all(is_known) {
            self.in_sync.waiting = true;
            self.timers.set(now.mono_ms + AGAIN_MS, Owner::InSync);
        }
        for (topic_id, index, epoch) in asked {
            let Some(topic) = self.cluster.name_of(topic_id).map(str::to_string) else { continue };
            let Broker { topics, files, .. } = self;
            let partition = find(topics, &topic, index);
            let Some(partition) = partition else { continue };
            let mut turn = Turn { now, files: files.as_mut(), out };
            let answer = answers.remove(&(topic_id, index)).unwrap_or(InSyncAnswer::Unknown);
            partition.in_sync_answered(&mut turn, epoch, answer);
            self.touched(now, &topic, index, out);
            self.rearm(now, &topic, index);
        }
    }

    /// The time has come to ask again.
    pub(super) fn ask_for_in_sync_again(&mut self, out: &mut Vec<Output>) {
        self.in_sync.waiting = false;
        self.ask_for_in_sync(out);
    }
}

/// Only a refusal that comes after a look at the partition epoch says that nothing was done, not even what
/// was asked before and not answered. (`Partition.handleAlterPartitionError`.)
fn answer(is: AlterPartitionPartitionResponse) -> InSyncAnswer {
    match is.error_code {
        ErrorCode::NONE => InSyncAnswer::Agreed(Assignment {
            replicas: Vec::new(),
            isr: is.isr,
            leader: is.leader_id,
            epoch: is.leader_epoch,
            partition_epoch: is.partition_epoch,
        }),
        ErrorCode::INELIGIBLE_REPLICA | ErrorCode::INVALID_REQUEST => InSyncAnswer::Refused,
        ErrorCode::INVALID_UPDATE_VERSION
        | ErrorCode::FENCED_LEADER_EPOCH
        | ErrorCode::UNKNOWN_TOPIC_ID => InSyncAnswer::Outdated,
        _ => InSyncAnswer::Unknown,
    }
}
