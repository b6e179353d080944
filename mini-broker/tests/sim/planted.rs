//! Bugs on purpose. What goes into a node and what comes out of it is falsified, as if the node had the
//! bug; the product has no switch for any of them. A simulation that does not find these finds nothing.

use std::collections::BTreeSet;

use mini_broker::broker::{Answer, Done, Input, Job, Output};
use mini_broker::coordinator::Assignment;
use mini_broker::records::Header;
use uuid::Uuid;
use wire::alter_partition::{
    AlterPartitionPartitionResponse, AlterPartitionRequest, AlterPartitionResponse,
    AlterPartitionTopicResponse, BrokerState,
};
use wire::fetch::FetchRequest;
use wire::{ErrorCode, Records, Request, Response};

use crate::host::COORDINATOR;
use crate::member::OFFSETS;
use crate::world::World;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Planted {
    #[default]
    Nothing,
    /// acks=all is answered as acks=1 is.
    AllAnsweredAtOnce,
    /// Whoever is alive may lead, in sync or not.
    AnybodyElected,
    /// Nobody looks at leader epochs: not the fence, and not where two logs part. (The fence alone is not
    /// missed: a fetch that it lets through parts from the leader's log all the same.)
    EpochsIgnored,
    /// The coordinator takes questions for in-sync sets that are not the ones it knows.
    PartitionEpochsIgnored,
    /// A follower of a new leader cuts its log at its high watermark. (Kafka, before KIP-101.)
    CutAtTheWatermark,
    /// A follower does not cut what its leader does not have.
    NotCut,
    /// Replicas join the in-sync set though they are behind.
    JoinedThoughBehind,
    /// A leader shrinks its in-sync set, and tells nobody.
    ShrunkAlone,
    /// The coordinator does not look at the registrations of those who join (KIP-903), nor do leaders.
    RegistrationsNotChecked,
    /// The coordinator answers before its log is synced.
    AnsweredBeforeSync,
    /// Whoever registers anew keeps its place.
    PlaceKept,
    /// A new leader knows no producers.
    ProducersForgotten,
    /// A reader's fetch counts as a follower's.
    ReadersCounted,
    /// What a kill has torn stays in the log.
    TornTailKept,
    /// min.insync.replicas is 1, whatever is asked for.
    MinimumIgnored,
    /// Leaders do not look where their followers' logs start.
    StartsIgnored,
    /// A commit that could not be written is called done.
    CommitsCalledDone,
    /// Whoever commits is taken for a member of this generation.
    GenerationsIgnored,
    /// A new coordinator knows no offsets.
    OffsetsForgotten,
    /// A coordinator that still reads says that nothing is committed.
    ReadingTakenForNothing,
    /// Each member is given what another has, too.
    PartsGivenTwice,
    /// No heartbeat is told that there is a new round.
    RoundsNotTold,
}

/// Each of these is found in the first seeds.
pub const ALL: [Planted; 19] = [
    Planted::AllAnsweredAtOnce,
    Planted::AnybodyElected,
    Planted::EpochsIgnored,
    Planted::CutAtTheWatermark,
    Planted::NotCut,
    Planted::JoinedThoughBehind,
    Planted::ShrunkAlone,
    Planted::AnsweredBeforeSync,
    Planted::PlaceKept,
    Planted::ProducersForgotten,
    Planted::ReadersCounted,
    Planted::TornTailKept,
    Planted::MinimumIgnored,
    Planted::StartsIgnored,
    Planted::CommitsCalledDone,
    Planted::GenerationsIgnored,
    Planted::OffsetsForgotten,
    Planted::PartsGivenTwice,
    Planted::RoundsNotTold,
];

/// These need several things at once: the first was found in 851 seeds, the second not in some thousand, for
/// the partition epoch and the fence stand before it, the third in 116. `SIM_BUG` looks for one of them.
pub const RARE: [Planted; 3] = [
    Planted::PartitionEpochsIgnored,
    Planted::RegistrationsNotChecked,
    Planted::ReadingTakenForNothing,
];

/// What a bug has to remember.
#[derive(Default)]
pub struct Memory {
    /// Followers that have met a leader epoch: host, topic, partition, epoch.
    met: BTreeSet<(usize, Uuid, i32, i32)>,
    /// The incarnation with which a broker registered first.
    first: [Option<Uuid>; 4],
    /// Who has joined last, in which generation.
    joined: Option<(String, i32)>,
    /// Coordinators that have forgotten: host, partition, epoch.
    forgot: BTreeSet<(usize, i32, i32)>,
}

impl World {
    /// What a node is about to receive, as it would with the bug.
    pub fn falsify_received(&mut self, host: usize, input: &mut Input) {
        let request = match input {
            Input::Request { request, .. } => request,
            Input::Reply { reply: Ok(reply), .. } => return self.falsify_reply(host, reply),
            _ => return,
        };
        match (self.plan.planted, request) {
            (Planted::AllAnsweredAtOnce, Request::Produce(it)) if it.acks == -1 => it.acks = 1,
            (Planted::EpochsIgnored, Request::Fetch(it)) if it.replica_id >= 0 => {
                self.each_fetched(host, it, |is, fetched| {
                    (fetched.current_leader_epoch, fetched.last_fetched_epoch) = (is.epoch, -1);
                });
            }
            (Planted::PartitionEpochsIgnored, Request::AlterPartition(it)) => {
                for topic in &mut it.topics {
                    for wanted in &mut topic.partitions {
                        let key = (topic.topic_id, wanted.partition_index);
                        let known = self.checks.partitions.get(&key);
                        if let Some(is) = known.and_then(|known| known.is.as_ref()) {
                            wanted.partition_epoch = is.partition_epoch;
                            wanted.leader_epoch = is.epoch;
                        }
                    }
                }
            }
            (Planted::ReadersCounted, Request::Fetch(it)) if it.replica_id < 0 => {
                let other = (host % 3 + 1) as i32;
                it.replica_id = other;
                it.replica_epoch = self.registration(host, other);
                self.each_fetched(host, it, |is, fetched| {
                    (fetched.current_leader_epoch, fetched.last_fetched_epoch) = (is.epoch, -1);
                });
            }
            (Planted::StartsIgnored, Request::Fetch(it)) if it.replica_id >= 0 => {
                self.each_fetched(host, it, |_, fetched| fetched.log_start_offset = i64::MAX);
            }
            (Planted::RegistrationsNotChecked, Request::Fetch(it)) if host != COORDINATOR => {
                it.replica_epoch = self.registration(host, it.replica_id);
            }
            (Planted::RegistrationsNotChecked, Request::AlterPartition(it)) => {
                let topics = it.topics.iter_mut().flat_map(|topic| &mut topic.partitions);
                for replica in topics.flat_map(|it| &mut it.new_isr_with_epochs) {
                    replica.broker_epoch = -1;
                }
            }
            (Planted::PlaceKept, Request::BrokerRegistration(it)) => {
                let first = &mut self.memory.first[it.broker_id as usize];
                it.incarnation_id = *first.get_or_insert(it.incarnation_id);
            }
            (Planted::ProducersForgotten, Request::Produce(it)) => {
                for topic in &mut it.topic_data {
                    for data in &mut topic.partition_data {
                        let epoch = self.leads_in(host, &topic.name, data.index);
                        if let Records::Here(batch) = &mut data.records {
                            forget(batch, epoch);
                        }
                    }
                }
            }
            (Planted::GenerationsIgnored, Request::OffsetCommit(it)) => {
                if let Some((member, generation)) = &self.memory.joined {
                    it.member_id.clone_from(member);
                    it.group_instance_id = None;
                    it.generation_id_or_member_epoch = *generation;
                }
            }
            (Planted::PartsGivenTwice, Request::SyncGroup(it)) => {
                if let [first, .., last] = &mut it.assignments[..] {
                    last.assignment.extend_from_slice(&first.assignment);
                }
            }
            _ => {}
        }
    }

    fn falsify_reply(&mut self, host: usize, reply: &mut Response) {
        let Response::Fetch(fetched) = reply else { return };
        let planted = self.plan.planted;
        let Some(broker) = self.hosts[host].broker() else { return };
        for topic in &mut fetched.responses {
            for data in &mut topic.partitions {
                if planted == Planted::NotCut {
                    data.diverging_epoch = Default::default();
                }
                if planted != Planted::CutAtTheWatermark || data.error_code.is_err() {
                    continue;
                }
                let mut all = broker.partitions();
                let view =
                    all.find(|it| *it.topic == topic.topic && it.index == data.partition_index);
                let Some(view) = view else { continue };
                let (id, epoch) = (view.topic_id, view.assignment.epoch);
                let log = self.checks.logs.of(host, (id, view.index));
                let last = log.and_then(|log| log.batches.last());
                if let Some(last) = last
                    && self.memory.met.insert((host, id, view.index, epoch))
                    && view.high_watermark <= last.last
                {
                    data.diverging_epoch.epoch = last.epoch;
                    data.diverging_epoch.end_offset = view.high_watermark as i64;
                }
            }
        }
    }

    /// What a node has said, as it would have with the bug. `None`: nothing.
    pub fn falsify_sent(&mut self, host: usize, output: Output) -> Option<Output> {
        match (self.plan.planted, output) {
            (
                Planted::JoinedThoughBehind,
                Output::Send { call, to, request: Request::AlterPartition(mut request) },
            ) => {
                for partition in request.topics.iter_mut().flat_map(|it| &mut it.partitions) {
                    let all = (1..=3).map(|broker_id| BrokerState { broker_id, broker_epoch: -1 });
                    partition.new_isr_with_epochs = all.collect();
                }
                Some(Output::Send { call, to, request: request.into() })
            }
            (
                Planted::ShrunkAlone,
                Output::Send { call, to, request: Request::AlterPartition(request) },
            ) => {
                if request.topics.iter().flat_map(|it| &it.partitions).all(shrinks) {
                    let reply = Ok(self.agreed(host, request).into());
                    self.input(host, Input::Reply { call, reply });
                    return None;
                }
                Some(Output::Send { call, to, request: request.into() })
            }
            (Planted::AnsweredBeforeSync, Output::Do { call, job: Job::Sync { to, .. } })
                if host == COORDINATOR =>
            {
                self.input(host, Input::Done { call, done: Ok(Done::Synced { to }) });
                None
            }
            (planted, Output::Answer { ticket, answer: Answer::Response { mut body, slices } }) => {
                self.falsify_answer(host, planted, &mut body);
                Some(Output::Answer { ticket, answer: Answer::Response { body, slices } })
            }
            (_, output) => Some(output),
        }
    }

    fn falsify_answer(&mut self, host: usize, planted: Planted, body: &mut Response) {
        match (planted, body) {
            (Planted::CommitsCalledDone, Response::OffsetCommit(it)) => {
                for partition in it.topics.iter_mut().flat_map(|topic| &mut topic.partitions) {
                    partition.error_code = ErrorCode::NONE;
                }
            }
            (Planted::GenerationsIgnored, Response::JoinGroup(it)) if it.error_code.is_ok() => {
                self.memory.joined = Some((it.member_id.clone(), it.generation_id));
            }
            (Planted::OffsetsForgotten, Response::OffsetFetch(it)) => {
                let Some(broker) = self.hosts[host].broker() else { return };
                let led = broker.partitions().filter(|it| it.topic == OFFSETS && it.leads);
                let led = led.filter(|it| it.assignment.epoch > 0);
                let led: Vec<_> = led.map(|it| (host, it.index, it.assignment.epoch)).collect();
                if led.into_iter().any(|it| self.memory.forgot.insert(it)) {
                    it.groups[0].topics.clear();
                }
            }
            (Planted::ReadingTakenForNothing, Response::OffsetFetch(it)) => {
                it.groups[0].error_code = ErrorCode::NONE;
            }
            (Planted::RoundsNotTold, Response::Heartbeat(it)) => {
                it.error_code = ErrorCode::NONE;
            }
            _ => {}
        }
    }

    /// The answer that a coordinator would give that agrees to everything.
    fn agreed(&self, host: usize, request: AlterPartitionRequest) -> AlterPartitionResponse {
        let topics = request.topics.into_iter().map(|topic| {
            let partitions = topic.partitions.into_iter().map(|it| {
                let isr = it.new_isr_with_epochs.iter().map(|it| it.broker_id);
                AlterPartitionPartitionResponse {
                    partition_index: it.partition_index,
                    leader_id: host as i32,
                    leader_epoch: it.leader_epoch,
                    isr: isr.collect(),
                    partition_epoch: it.partition_epoch + 1,
                    ..Default::default()
                }
            });
            AlterPartitionTopicResponse {
                topic_id: topic.topic_id,
                partitions: partitions.collect(),
            }
        });
        AlterPartitionResponse { topics: topics.collect(), ..Default::default() }
    }

    /// How a broker is registered, as far as a host knows.
    fn registration(&self, host: usize, broker: i32) -> i64 {
        let known = self.hosts[host].broker().and_then(|it| it.cluster().brokers.get(&broker));
        known.map_or(-1, |known| known.epoch)
    }

    fn leads_in(&self, host: usize, topic: &str, index: i32) -> i32 {
        let broker = self.hosts[host].broker();
        let is = broker.and_then(|broker| broker.cluster().partition(topic, index));
        is.map_or(0, |is| is.epoch)
    }

    fn each_fetched(
        &self,
        host: usize,
        fetch: &mut FetchRequest,
        change: impl Fn(&Assignment, &mut wire::fetch::FetchPartition),
    ) {
        let Some(broker) = self.hosts[host].broker() else { return };
        for topic in &mut fetch.topics {
            for fetched in &mut topic.partitions {
                if let Some(is) = broker.cluster().partition(&topic.topic, fetched.partition) {
                    change(is, fetched);
                }
            }
        }
    }
}

fn shrinks(wanted: &wire::alter_partition::AlterPartitionPartition) -> bool {
    wanted.new_isr_with_epochs.len() < 3
}

/// Makes a batch one of a producer that nobody knew before this leader epoch.
fn forget(batch: &mut [u8], epoch: i32) {
    const PRODUCER_ID: usize = 43;
    let Ok(header) = Header::read(batch) else { return };
    if header.producer_id >= 0 {
        let id = header.producer_id + 1_000_000 * i64::from(epoch);
        batch[PRODUCER_ID..PRODUCER_ID + 8].copy_from_slice(&id.to_be_bytes());
        let crc = crc32c::crc32c(&batch[21..]);
        batch[17..21].copy_from_slice(&crc.to_be_bytes());
    }
}
