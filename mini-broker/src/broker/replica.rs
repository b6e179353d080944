//! The follower: it fetches from the leaders of the partitions that it keeps, as a consumer would, but for
//! its node id and up to the log's end. One fetch to each leader asks for all of them. (`ReplicaFetcherManager`,
//! `AbstractFetcherThread`.)
//!
//! A new fetch may be sent while an older one waits at the leader: so a partition that has just got a new
//! leader need not wait until the older one's time is up. The leader answers the older one at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use uuid::Uuid;
use wire::fetch::{FetchPartition, FetchRequest, FetchResponse, FetchTopic, PartitionData};
use wire::{ErrorCode, Records};

use super::partition::Turn;
use super::waiting::Owner;
use super::{Asked, Broker, Call, Now, Output, Peer, PeerGone, Refused, find};

/// At most so many fetches are under way to one leader.
const MOST_UNDER_WAY: usize = 2;

/// How long to wait for the metadata log, in ms.
const SOON_MS: u64 = 50;

type Id = (Arc<str>, i32);

/// What was asked for: of which topic of this name, and from which offset on.
type From = (Uuid, u64);

/// What is followed of one leader.
#[derive(Default)]
pub struct Fetcher {
    partitions: BTreeSet<Id>,
    /// Partitions that gave an error wait until this time, in `mono_ms`.
    resting: BTreeMap<Id, u64>,
    /// What is under way, and from which offsets on.
    under_way: BTreeMap<Call, BTreeMap<Id, From>>,
    /// A partition has come that no fetch under way asks for.
    news: bool,
    /// The timer that is set, in `mono_ms`.
    timer: Option<u64>,
}

impl Broker {
    /// Follows the partition's leader from now on, if it has another one and this broker keeps a replica.
    pub(super) fn follow_leader(&mut self, topic: &str, index: i32) {
        let Some(partition) = self.partition(topic, index) else { return };
        let (id, leader) = ((Arc::clone(&partition.topic), index), partition.assignment.leader);
        let follows = partition.follows();
        for (other, fetcher) in &mut self.fetchers {
            if !follows || *other != leader {
                fetcher.partitions.remove(&id);
                fetcher.resting.remove(&id);
            }
        }
        if follows {
            let fetcher = self.fetchers.entry(leader).or_default();
            fetcher.partitions.insert(id.clone());
            fetcher.resting.remove(&id);
            fetcher.news = true;
        }
    }

    /// Follows a partition no more that is not there any more.
    pub(super) fn follow_nobody(&mut self, topic: &Arc<str>, index: i32) {
        let id = (Arc::clone(topic), index);
        for fetcher in self.fetchers.values_mut() {
            fetcher.partitions.remove(&id);
            fetcher.resting.remove(&id);
        }
    }

    /// Sends the fetches that news make necessary.
    pub(super) fn fetch_news(&mut self, now: Now, out: &mut Vec<Output>) {
        let with_news = self.fetchers.iter().filter(|(_, fetcher)| fetcher.news);
        for leader in with_news.map(|(leader, _)| *leader).collect::<Vec<_>>() {
            self.fetch_from(now, leader, out);
        }
    }

    /// A leader is to hear at once where this log starts now, if it has one.
    pub(super) fn tell_leader(&mut self, topic: &str, index: i32) {
        let Some(partition) = self.partition(topic, index) else { return };
        if !partition.follows() {
            return;
        }
        let leader = partition.assignment.leader;
        if let Some(fetcher) = self.fetchers.get_mut(&leader) {
            fetcher.news = true;
        }
    }

    /// The time has come to try again.
    pub(super) fn fetch_again(&mut self, now: Now, leader: i32, out: &mut Vec<Output>) {
        if let Some(fetcher) = self.fetchers.get_mut(&leader) {
            fetcher.timer = None;
            fetcher.news = true; // what has rested is in no fetch under way
            self.fetch_from(now, leader, out);
        }
    }

    fn fetch_from(&mut self, now: Now, leader: i32, out: &mut Vec<Output>) {
        let Some(known) = self.cluster.brokers.get(&leader) else { return };
        let peer = Peer::Broker { id: leader, host: Arc::clone(&known.host), port: known.port };
        let Some(fetcher) = self.fetchers.get_mut(&leader) else { return };
        // A fetch that asks for the same as the one under way would end that one, for nothing.
        let enough = if fetcher.news { MOST_UNDER_WAY } else { 1 };
        if fetcher.under_way.len() >= enough {
            return; // its end brings us here again
        }
        fetcher.news = false;
        fetcher.resting.retain(|_, until| *until > now.mono_ms);
        let awake = fetcher.partitions.iter().filter(|id| !fetcher.resting.contains_key(*id));
        let wanted: Vec<Id> = awake.cloned().collect();
        let (request, offsets) = self.fetch_request(now, wanted, out);
        self.rest(now, leader);
        if offsets.is_empty() {
            return;
        }
        let call = self.ask(peer, request.into(), Asked::Replica(leader), out);
        if let Some(fetcher) = self.fetchers.get_mut(&leader) {
            fetcher.under_way.insert(call, offsets);
        }
    }

    fn fetch_request(
        &mut self,
        now: Now,
        wanted: Vec<Id>,
        out: &mut Vec<Output>,
    ) -> (FetchRequest, BTreeMap<Id, From>) {
        let number = |broker: &Broker, name| broker.config.number(name) as i32;
        let partition_max_bytes = number(self, "replica.fetch.max.bytes");
        let mut request = FetchRequest {
            replica_id: self.config.node_id,
            replica_epoch: self.membership.epoch,
            max_wait_ms: number(self, "replica.fetch.wait.max.ms"),
            min_bytes: 1,
            max_bytes: number(self, "replica.fetch.response.max.bytes"),
            ..Default::default()
        };
        let mut offsets = BTreeMap::new();
        let Broker { topics, files, .. } = self;
        let mut turn = Turn { now, files: files.as_mut(), out };
        for (topic, index) in wanted {
            let partition = find(topics, &topic, index);
            let Some(partition) = partition else { continue };
            let Ok(position) = partition.position(&mut turn) else { continue };
            if request.topics.last().is_none_or(|last| *last.topic != *topic) {
                let replica_topic_id = partition.topic_id;
                let (topic, partitions) = (topic.to_string(), Vec::new());
                request.topics.push(FetchTopic { topic, partitions, replica_topic_id });
            }
            let asked = request.topics.last_mut().expect("pushed above");
            asked.partitions.push(FetchPartition {
                partition: index,
                current_leader_epoch: partition.assignment.epoch,
                fetch_offset: position.log_end as i64,
                last_fetched_epoch: position.last_epoch,
                log_start_offset: position.log_start as i64,
                partition_max_bytes,
            });
            offsets.insert((topic, index), (partition.topic_id, position.log_end));
        }
        (request, offsets)
    }

    pub(super) fn replica_answered(
        &mut self,
        now: Now,
        call: Call,
        leader: i32,
        told: Result<FetchResponse, PeerGone>,
        out: &mut Vec<Output>,
    ) {
        let Some(fetcher) = self.fetchers.get_mut(&leader) else { return };
        let Some(offsets) = fetcher.under_way.remove(&call) else { return };
        let again_at = now.mono_ms + self.config.number("replica.fetch.backoff.ms") as u64;
        match told {
            Ok(told) => {
                for topic in told.responses {
                    let name: Arc<str> = topic.topic.into();
                    for data in topic.partitions {
                        let id = (Arc::clone(&name), data.partition_index);
                        if let Some(from) = offsets.get(&id).copied() {
                            self.take_fetched(now, leader, id, from, data, again_at, out);
                        }
                    }
                }
            }
            Err(_) => {
                for id in offsets.into_keys() {
                    fetcher.resting.insert(id, again_at);
                }
            }
        }
        self.write_fallen(now, out);
        self.fetch_from(now, leader, out);
    }

    #[allow(clippy::too_many_arguments, reason = "who, of whom, from where, what, and until when")]
    fn take_fetched(
        &mut self,
        now: Now,
        leader: i32,
        id: Id,
        from: From,
        data: PartitionData,
        again_at: u64,
        out: &mut Vec<Output>,
    ) {
        let followed = self.fetchers.get(&leader).is_some_and(|it| it.partitions.contains(&id));
        if !followed {
            return; // it has another leader by now
        }
        if let Err(refused) = self.try_follow(now, &id, from, data, out)
            && let Some(fetcher) = self.fetchers.get_mut(&leader)
        {
            // Just after an election one of the two may not have read of it: the next try comes soon.
            let soon = [
                ErrorCode::NOT_LEADER_OR_FOLLOWER,
                ErrorCode::FENCED_LEADER_EPOCH,
                ErrorCode::UNKNOWN_LEADER_EPOCH,
                ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            ];
            let again_at = match soon.contains(&refused.code) {
                true => again_at.min(now.mono_ms + SOON_MS),
                false => again_at,
            };
            fetcher.resting.insert(id, again_at);
        }
    }

    fn try_follow(
        &mut self,
        now: Now,
        (topic, index): &Id,
        from: From,
        data: PartitionData,
        out: &mut Vec<Output>,
    ) -> Result<(), Refused> {
        let Broker { topics, files, .. } = self;
        let mut turn = Turn { now, files: files.as_mut(), out };
        let partition = find(topics, topic, *index);
        let Some(partition) = partition.filter(|partition| partition.follows()) else {
            return Ok(());
        };
        let log_end = partition.position(&mut turn)?.log_end;
        if (partition.topic_id, log_end) != from {
            return Ok(()); // an answer that came before has brought it on, or it is another by now
        }
        let natural = |offset: i64| u64::try_from(offset).unwrap_or(0);
        match data.error_code {
            ErrorCode::NONE => {}
            ErrorCode::OFFSET_OUT_OF_RANGE => {
                let (start, end) = (natural(data.log_start_offset), natural(data.high_watermark));
                partition.out_of_range(&mut turn, start, end)?;
                self.write_moved_starts(out);
                self.was_cut(now, topic, *index);
                return Ok(());
            }
            code => return Err(Refused::new(code, "the leader refused")),
        }
        if data.diverging_epoch.epoch >= 0 {
            let end = natural(data.diverging_epoch.end_offset);
            partition.part(&mut turn, (data.diverging_epoch.epoch, end))?;
            self.was_cut(now, topic, *index);
            return Ok(());
        }
        let batches = match &data.records {
            Records::Here(bytes) => &bytes[..],
            _ => &[],
        };
        let (watermark, start) = (natural(data.high_watermark), natural(data.log_start_offset));
        if partition.begin_where_the_leader_does(&mut turn, start)? {
            self.write_moved_starts(out);
            self.was_cut(now, topic, *index);
            return Ok(()); // what was given stands behind a gap
        }
        let followed = partition.follow(&mut turn, batches, watermark, start)?;
        self.count_followed(topic, *index, batches.len());
        if let Some(to) = followed.sync {
            self.sync_partition(topic, *index, to, out);
        }
        if followed.start_moved {
            self.write_moved_starts(out);
        }
        if !batches.is_empty() {
            self.high_watermark_moved(now);
            self.rearm(now, topic, *index);
        }
        Ok(())
    }

    /// A log ends earlier than it did, or begins anew.
    fn was_cut(&mut self, now: Now, topic: &str, index: i32) {
        self.rearm(now, topic, index);
        self.recovery_point_fell(now);
    }

    /// Sets the timer for the partition that rests the shortest.
    fn rest(&mut self, now: Now, leader: i32) {
        let Some(fetcher) = self.fetchers.get_mut(&leader) else { return };
        let next = fetcher.resting.values().min().map(|at| (*at).max(now.mono_ms + 1));
        if next == fetcher.timer {
            return;
        }
        if let Some(at) = fetcher.timer {
            self.timers.clear(at, Owner::Fetcher(leader));
        }
        if let Some(at) = next {
            self.timers.set(at, Owner::Fetcher(leader));
        }
        fetcher.timer = next;
    }
}
