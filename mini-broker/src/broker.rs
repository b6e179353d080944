//! The broker: what clients ask of it, what it follows of other brokers, and its place in the cluster. It
//! is a state machine, see [`Node`].

mod start; // what a data directory knows

// Its place in the cluster.
mod membership; // it registers, and shows that it lives

mod metadata_log; // what the coordinator decided, read record by record

mod metadata_snapshot; // the same after a long absence

mod asking; // other nodes, and where their answers go

mod forward; // what only the coordinator can answer

// One file a family of requests.
mod produce;

mod fetch;

mod list_offsets;

mod metadata;

mod epoch_ends;

mod delete_records;

mod describe_configs;

mod log_dirs;

mod cluster_info;

mod producer_ids;

// Consumer groups.
mod find_coordinator;

mod groups; // who joins, stays and leaves: lab 4's organ

mod committed; // how far they have read

mod committed_expiry; // what they have read and nobody wants to know any more

mod describe_groups; // as administrators see them

mod offsets_topic; // the log that they are kept in

// What they stand on.
mod partition; // a log behind its fence, and what is known of the disk below

mod replica; // following leaders elsewhere

mod in_sync; // who is in sync, asked of the coordinator

mod topics; // what the cluster has agreed on comes true here

mod checkpoints; // what the next start has to know of the logs

mod cleaner; // whose turn it is to be compacted

pub mod compact; // what compaction leaves of a log

mod unfinished; // what the leader has done, and other replicas have not

mod waiting; // what is parked, and every timer

mod traffic; // what goes through, counted

mod numbers; // what else is counted

pub mod view; // for whoever only looks

pub use metadata::OFFSETS_TOPIC;
pub use offsets_topic::partition_of;

pub use crate::configs::Config;
pub use crate::node::{
    Answer, Call, Client, Done, Event, Files, Input, Job, Located, Measured, Node, Now, Output,
    Peer, PeerGone, Refused, Ticket,
};

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use uuid::Uuid;
use wire::{Listener, Request};

use crate::coordinator::{self, Cluster};
use crate::numbers::Numbers;
use crate::validate::Verdicts;
use asking::Asked;
use checkpoints::{CLEANED_TO, Checkpoints, HIGH_WATERMARKS, LOG_STARTS, RECOVERY_POINTS};
use cleaner::Cleaner;
use forward::Forwarded;
use groups::Groups;
use in_sync::InSync;
use log_dirs::Measuring;
use membership::Membership;
use metadata_log::Following;
use partition::Partition;
use producer_ids::ProducerIds;
use replica::Fetcher;
use traffic::Traffic;
use unfinished::Unfinished;
use waiting::{AfterApplied, Parked, Timers};

pub struct Broker {
    config: Config,
    files: Box<dyn Files>,
    membership: Membership,
    following: Following,
    /// What the cluster has agreed on.
    cluster: Cluster,
    /// The metadata log is taken into account below this offset.
    applied: u64,
    /// `None`: a new broker that has not met its coordinator yet.
    cluster_id: Option<String>,
    /// The partitions of every topic, by number. Invariant: the same topics as `cluster`.
    topics: BTreeMap<String, Vec<Partition>>,
    parked: BTreeMap<Ticket, Parked>,
    /// Parked fetches whose partitions moved since the last tick.
    woken: BTreeSet<Ticket>,
    timers: Timers,
    after_applied: AfterApplied,
    jobs: BTreeMap<Call, Running>,
    /// Requests to other nodes that are under way.
    asked: BTreeMap<Call, Asked>,
    last_call: u64,
    forwarded: BTreeMap<u64, Forwarded>,
    last_forwarded: u64,
    producer_ids: ProducerIds,
    checkpoints: Checkpoints,
    measuring: BTreeMap<Call, Measuring>,
    cleaner: Cleaner,
    /// The topics in which every record must have a key, as they were told.
    keyed: Arc<BTreeSet<String>>,
    /// What is followed, by leader.
    fetchers: BTreeMap<i32, Fetcher>,
    in_sync: InSync,
    /// Requests that wait for other replicas.
    unfinished: BTreeMap<Ticket, Unfinished>,
    /// Partitions to which something has happened since the last tick that somebody may wait for.
    settling: BTreeSet<(Arc<str>, i32)>,
    groups: Groups,
    traffic: Traffic,
}

/// A job that is under way, and the partition it is for.
struct Running {
    job: Job,
    owner: Option<Owner>,
}

struct Owner {
    topic: Arc<str>,
    index: i32,
    id: Uuid,
}

impl Owner {
    fn of(partition: &Partition) -> Self {
        let Partition { topic, index, topic_id, .. } = partition;
        Self { topic: Arc::clone(topic), index: *index, id: *topic_id }
    }
}

/// What was parked (a fetch that waits for records) is released in the tick, so that a turn with many
/// produce requests wakes a consumer once. Files change their names only at the beginning of a tick: by
/// then the slices of all answers are open files.
impl Node for Broker {
    fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Request { ticket, client, request, verdicts } => {
                self.request(now, ticket, client, request, verdicts, out);
            }
            Input::Gone { connection } => self.gone(now, connection, out),
            Input::Done { call, done } => self.done(now, call, done, out),
            Input::Reply { call, reply } => self.reply(now, call, reply, out),
        }
    }

    fn deadline(&self) -> Option<u64> {
        let idle = self.woken.is_empty()
            && self.settling.is_empty()
            && self.groups.loading.is_empty()
            && !self.cleaner.is_due();
        if idle { self.timers.next() } else { Some(0) }
    }

    /// In this order: retention may remove a file, or move a log's start past somebody who waits; an
    /// answer given before would name what is gone.
    fn tick(&mut self, now: Now, out: &mut Vec<Output>) {
        self.swap(now, out);
        let waited_enough = self.run_timers(now, out);
        self.load_groups(now, out);
        self.settle(now, out);
        self.release(now, out);
        self.answer_as_it_is(now, waited_enough, out);
    }

    fn numbers(&mut self, _: Now, _: &mut Vec<Output>) -> Numbers {
        self.all_numbers()
    }

    fn begin_stop(&mut self, now: Now, out: &mut Vec<Output>) {
        self.leave(now, out);
    }

    /// A partition that cannot be synced does not keep the others from it. The first error counts.
    fn stop(&mut self) -> io::Result<()> {
        if !self.following.loaded {
            return Ok(()); // nothing was touched yet
        }
        let mut result = Ok(());
        for partition in self.topics.values_mut().flatten() {
            result = result.and(partition.sync_now(self.files.as_mut()));
        }
        for (name, text) in [
            (RECOVERY_POINTS, self.recovery_points()),
            (LOG_STARTS, self.log_starts()),
            (CLEANED_TO, self.cleaned_to()),
            (HIGH_WATERMARKS, self.high_watermarks()),
        ] {
            result = result.and(self.files.checkpoint(name, &text));
        }
        result.and_then(|()| self.left_nothing_behind())
    }
}

impl Broker {
    fn request(
        &mut self,
        now: Now,
        ticket: Ticket,
        client: Client,
        request: Request,
        verdicts: Verdicts,
        out: &mut Vec<Output>,
    ) {
        let answer = match request {
            Request::Produce(request) => {
                match self.produce(now, ticket, &client, request, verdicts, out) {
                    Some(answer) => answer,
                    None => return, // it waits for others
                }
            }
            Request::Fetch(request) => match self.fetch(now, ticket, request, out) {
                Some(answer) => answer,
                None => return, // parked
            },
            Request::Metadata(request) => {
                return self.metadata(now, ticket, client, request, out);
            }
            Request::ListOffsets(request) => {
                self.list_offsets(now, client.api_version, &request, out).into()
            }
            request if coordinator::is_for_coordinator(&request) => {
                return self.forward(now, ticket, &client, request, out);
            }
            Request::DeleteRecords(request) => {
                return self.delete_records(now, ticket, request, out);
            }
            Request::DescribeLogDirs(request) => {
                return self.describe_log_dirs(ticket, request, out);
            }
            Request::InitProducerId(request) => {
                return self.init_producer_id(ticket, &request, out);
            }
            Request::FindCoordinator(request) => {
                return self.find_coordinator(now, ticket, &client, request, out);
            }
            Request::JoinGroup(request) => {
                return self.join_group(now, ticket, &client, request, out);
            }
            Request::SyncGroup(request) => return self.sync_group(now, ticket, request, out),
            Request::Heartbeat(request) => self.group_heartbeat(now, &request, out).into(),
            Request::LeaveGroup(request) => {
                self.leave_group(now, client.api_version, request, out).into()
            }
            Request::OffsetCommit(request) => {
                return self.commit_offsets(now, ticket, request, out);
            }
            Request::OffsetFetch(request) => self.fetch_offsets(client.api_version, request).into(),
            Request::OffsetDelete(request) => {
                return self.delete_offsets(now, ticket, request, out);
            }
            Request::DescribeGroups(request) => self.describe_groups(request).into(),
            Request::ListGroups(request) => self.list_groups(&request).into(),
            Request::DeleteGroups(request) => {
                return self.delete_groups(now, ticket, request, out);
            }
            Request::OffsetForLeaderEpoch(request) => self.epoch_ends(now, &request, out).into(),
            Request::DescribeConfigs(request) => self.describe_configs(request).into(),
            Request::DescribeCluster(request) => self.describe_cluster(&request).into(),
            Request::ApiVersions(_) => coordinator::api_versions(Listener::Broker).into(),
            other => Answer::HangUp(format!("nothing answers API {} here", other.api_key())),
        };
        out.push(Output::Answer { ticket, answer });
    }

    fn gone(&mut self, now: Now, connection: u32, out: &mut Vec<Output>) {
        for ticket in of_connection(&self.parked, connection) {
            self.unpark(ticket);
        }
        for ticket in of_connection(&self.unfinished, connection) {
            self.forget_unfinished(ticket);
        }
        self.gone_from_groups(now, connection, out);
    }

    fn start_job(&mut self, job: Job, owner: Option<Owner>, out: &mut Vec<Output>) -> Call {
        self.last_call += 1;
        let call = Call(self.last_call);
        self.jobs.insert(call, Running { job: job.clone(), owner });
        out.push(Output::Do { call, job });
        call
    }

    fn sync_partition(&mut self, topic: &str, index: i32, to: u64, out: &mut Vec<Output>) {
        let Some(partition) = self.partition(topic, index) else { return };
        let job = Job::Sync { dir: partition.dir.to_string(), to };
        let owner = Owner::of(partition);
        self.start_job(job, Some(owner), out);
    }

    fn done(&mut self, now: Now, call: Call, done: io::Result<Done>, out: &mut Vec<Output>) {
        let Some(Running { job, owner }) = self.jobs.remove(&call) else { return };
        match (job, owner) {
            (Job::Sync { to, .. }, Some(owner)) => {
                let Some(partition) = self.owned(&owner) else { return };
                match done {
                    Ok(_) => partition.synced(to),
                    Err(error) => partition.sync_failed(&error, out),
                }
                self.recovery_point_moved(now);
                self.rearm(now, &owner.topic, owner.index);
            }
            (Job::Compact { dir, .. }, Some(owner)) => self.compacted(dir, owner, done, out),
            (Job::Sweep { .. }, Some(owner)) => self.swept(now, owner, done, out),
            (Job::Checkpoint { name, .. }, _) => {
                self.checkpoint_written(now, &name, done.map(|_| ()), out);
            }
            (Job::Measure { .. }, _) => {
                let Some(measuring) = self.measuring.remove(&call) else { return };
                let measured = done.map(|done| match done {
                    Done::Measured(measured) => measured,
                    other => unreachable!("a measurement gives sizes, not {other:?}"),
                });
                self.measured(measuring, measured, out);
            }
            (job, _) => {
                if let Err(error) = done {
                    out.push(Output::Tell(Event::JobFailed { job, why: error.to_string() }));
                }
            }
        }
    }

    /// The partition that a job was for. A topic of the same name may have come in its place.
    fn owned(&mut self, owner: &Owner) -> Option<&mut Partition> {
        let partition = self.partition(&owner.topic, owner.index);
        partition.filter(|partition| partition.topic_id == owner.id)
    }

    fn partition(&mut self, topic: &str, index: i32) -> Option<&mut Partition> {
        find(&mut self.topics, topic, index)
    }
}

/// A partition, for whoever needs other parts of the broker beside it.
fn find<'a>(
    topics: &'a mut BTreeMap<String, Vec<Partition>>,
    topic: &str,
    index: i32,
) -> Option<&'a mut Partition> {
    topics.get_mut(topic)?.get_mut(usize::try_from(index).ok()?)
}

/// The tickets of a connection among those that wait.
fn of_connection<T>(waiting: &BTreeMap<Ticket, T>, connection: u32) -> Vec<Ticket> {
    let of = |request| Ticket { connection, request };
    waiting.range(of(0)..=of(u32::MAX)).map(|(ticket, _)| *ticket).collect()
}
