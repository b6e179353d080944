//! The coordinator: it decides which topics there are, which brokers live, and who leads each partition,
//! and keeps its decisions as records in the metadata log, which is itself an offset log. (ZooKeeper
//! with one of the brokers as controller then, a KRaft controller now.)
//!
//! A decision counts once its records are synced. Brokers read the log like any other, by Fetch, and
//! what they have read comes true there. A single broker is a cluster of one: its coordinator runs
//! beside it in the same process.

mod cluster; // what is known of a cluster

mod records; // the metadata log's records

mod log; // the metadata log

pub mod snapshot; // all of it below an offset, in one file

mod difference; // from what was known to what is

// What brokers ask for.
mod members; // who is there, and who is gone

mod leaders; // elections and in-sync sets

mod reading; // the metadata log, read by brokers

mod numbers; // what is counted

// What clients ask for, by way of a broker.
mod forwarded;

mod create_topics;

mod create_partitions;

mod delete_topics;

mod alter_configs;

pub use cluster::{Assignment, Cluster, NO_LEADER, Registration, Settings, Topic};
pub use create_topics::{MOST_PARTITIONS, check_name};
pub use forwarded::is_for_coordinator;
pub use leaders::no_elections;
pub use log::{METADATA_DIR, METADATA_TOPIC, Records, records};
pub use members::STOPS;
pub use records::{Record, Resource, Unreadable};

use std::collections::BTreeMap;
use std::io;

use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;
use uuid::Uuid;
use wire::api_versions::{ApiVersion, ApiVersionsResponse};
use wire::producer_id::{AllocateProducerIdsRequest, AllocateProducerIdsResponse};
use wire::{Listener, Request};

use crate::configs::Config;
use crate::node::{Answer, Call, Event, Files, Input, Job, Node, Now, Output, Refused, Ticket};
use crate::numbers::Numbers;
use log::MetadataLog;
use members::Sessions;
use numbers::Elections;
use reading::{Parked, Readers};

/// Producer ids are handed to a broker in blocks, so that not each one costs a sync.
pub const PRODUCER_ID_BLOCK: i32 = 1000;

pub struct Coordinator {
    /// What counts where nobody asks for anything else.
    config: Config,
    files: Box<dyn Files>,
    cluster_id: String,
    log: MetadataLog,
    /// What is decided, synced or not: nobody can have the same name in the meantime.
    cluster: Cluster,
    sessions: Sessions,
    /// Whether it was told the time yet, which the sessions and timers of a start begin with.
    begun: bool,
    parked: BTreeMap<Ticket, Parked>,
    readers: Readers,
    /// Answers that leave once the log is synced below an offset.
    after_sync: BTreeMap<u64, Vec<(Ticket, Answer)>>,
    /// When preferred leaders are looked at next, in `mono_ms`.
    rebalance_at: Option<u64>,
    elections: Elections,
    ids: Pcg64,
    syncs: BTreeMap<Call, u64>,
    /// The job that writes a snapshot.
    writing: Option<Call>,
    last_call: u64,
}

impl Coordinator {
    /// Opens the metadata log and reads it. Ids come from `seed`. The error is a sentence.
    pub fn new(mut config: Config, mut files: Box<dyn Files>, seed: u64) -> io::Result<Self> {
        let mut ids = Pcg64::new(seed.into(), 0x5eed);
        let cluster_id = crate::node::meta::own_cluster(files.as_mut(), config.node_id, &mut ids)?;
        let segment_bytes = config.number("metadata.log.segment.bytes") as u64;
        let (log, cluster) =
            MetadataLog::open(files.as_mut(), segment_bytes).map_err(io::Error::other)?;
        for (resource, settings) in &cluster.broker_settings {
            config.set_running(resource, settings);
        }
        Ok(Self {
            config,
            files,
            cluster_id,
            log,
            sessions: Sessions::of(&cluster, 0),
            begun: false,
            cluster,
            parked: BTreeMap::new(),
            readers: Readers::default(),
            after_sync: BTreeMap::new(),
            rebalance_at: None,
            elections: Elections::default(),
            ids,
            syncs: BTreeMap::new(),
            writing: None,
            last_call: 0,
        })
    }

    pub fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    /// What the log says of the cluster, synced or not.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Where the next decision will stand in the metadata log.
    pub fn metadata_end(&self) -> u64 {
        self.log.end()
    }

    /// Called before anything else with a time. Whoever took part before the start has until then plus a
    /// session's time to be heard of; leaders may have to go back to where they are preferred.
    fn begin(&mut self, now: Now) {
        if !std::mem::replace(&mut self.begun, true) {
            let ends = now.mono_ms + self.session_timeout_ms();
            self.sessions = Sessions::of(&self.cluster, ends);
            self.rebalance_later(now);
        }
    }

    fn request(&mut self, now: Now, ticket: Ticket, request: Request, out: &mut Vec<Output>) {
        let answer = match request {
            Request::Fetch(request) => return self.fetch(now, ticket, request, out),
            Request::FetchSnapshot(request) => {
                let answer = self.fetch_snapshot(request).into();
                return out.push(Output::Answer { ticket, answer });
            }
            Request::BrokerRegistration(request) => {
                self.register(now, ticket.connection, request, out).into()
            }
            Request::BrokerHeartbeat(request) => {
                self.heartbeat(now, ticket.connection, &request, out).into()
            }
            Request::AlterPartition(request) => self.alter_partition(now, request).into(),
            Request::AllocateProducerIds(request) => {
                self.allocate_producer_ids(now, &request).into()
            }
            Request::Envelope(request) => {
                let answer = self.unwrap(now, request, out).into();
                return self.once_read(now, ticket, answer);
            }
            Request::DescribeCluster(request) => self.describe_cluster(&request).into(),
            Request::ApiVersions(_) => api_versions(Listener::Controller).into(),
            other => match self.admin(now, other, out) {
                Some(response) => Answer::Response { body: response, slices: Vec::new() },
                None => Answer::HangUp("a request for brokers, sent to the coordinator".into()),
            },
        };
        self.once_synced(ticket, answer, out);
    }

    fn allocate_producer_ids(
        &mut self,
        now: Now,
        request: &AllocateProducerIdsRequest,
    ) -> AllocateProducerIdsResponse {
        let first = self.cluster.next_producer_id;
        let next = Record::ProducerIds { next: first + i64::from(PRODUCER_ID_BLOCK) };
        let allocated = self
            .check_broker_epoch(request.broker_id, request.broker_epoch)
            .and_then(|()| self.append(now, vec![next]));
        match allocated {
            Ok(()) => AllocateProducerIdsResponse {
                producer_id_start: first,
                producer_id_len: PRODUCER_ID_BLOCK,
                ..Default::default()
            },
            Err(refused) => {
                AllocateProducerIdsResponse { error_code: refused.code, ..Default::default() }
            }
        }
    }

    /// Decides: the records go to the log, and count once that is synced. All of them, or none.
    fn append(&mut self, now: Now, records: Vec<Record>) -> Result<(), Refused> {
        if records.is_empty() {
            return Ok(());
        }
        let first = self.log.append(now.wall_ms, &records)?;
        for (offset, record) in (first..).zip(&records) {
            self.elections.count(&self.cluster, record);
            self.cluster.apply(offset, record);
            if let Record::Config { resource, .. } = record
                && let Some(settings) = self.cluster.settings(resource)
            {
                self.config.set_running(resource, settings);
            }
        }
        let every = self.config.number("metadata.log.max.record.bytes.between.snapshots");
        if self.log.wants_snapshot(every as u64) {
            self.log.take_snapshot(now.wall_ms, &self.cluster);
        }
        Ok(())
    }

    /// Answers once everything that was decided so far is on the disk.
    fn once_synced(&mut self, ticket: Ticket, answer: Answer, out: &mut Vec<Output>) {
        if self.log.is_synced() {
            return out.push(Output::Answer { ticket, answer });
        }
        self.after_sync.entry(self.log.end()).or_default().push((ticket, answer));
        self.sync(out);
    }

    fn sync(&mut self, out: &mut Vec<Output>) {
        if let Some(job) = self.log.begin_sync() {
            let Job::Sync { to, .. } = job else { unreachable!("a sync is a sync") };
            let call = self.start_job(job, out);
            self.syncs.insert(call, to);
        }
        if let Some(job) = self.log.begin_snapshot() {
            self.writing = Some(self.start_job(job, out));
        }
    }

    fn start_job(&mut self, job: Job, out: &mut Vec<Output>) -> Call {
        self.last_call += 1;
        let call = Call(self.last_call);
        out.push(Output::Do { call, job });
        call
    }

    fn snapshot_written(&mut self, done: io::Result<()>, out: &mut Vec<Output>) {
        self.writing = None;
        let deleted = self.log.snapshot_written(done.is_ok());
        if let Err(error) = done {
            let (what, why) = ("a snapshot of the metadata log".into(), error.to_string());
            out.push(Output::Tell(Event::CheckpointFailed { what, why }));
        } else if let Some(snapshot) = self.log.snapshot() {
            out.push(Output::Tell(Event::SnapshotWritten { end: snapshot.end }));
        }
        if let Err(error) = deleted {
            let (partition, why) = (METADATA_DIR.into(), error.to_string());
            out.push(Output::Tell(Event::Storage { partition, why, offline: false }));
        }
    }

    fn synced(&mut self, now: Now, to: u64, done: io::Result<()>, out: &mut Vec<Output>) {
        match done {
            Ok(()) => {
                self.log.synced(to);
                let later = self.after_sync.split_off(&(to + 1));
                let answered = std::mem::replace(&mut self.after_sync, later);
                for (ticket, answer) in answered.into_values().flatten() {
                    out.push(Output::Answer { ticket, answer });
                }
                self.release(now, out);
                self.sync(out);
            }
            Err(error) => {
                let why = format!("fsync of the metadata log failed: {error}");
                self.log.sync_failed(&why);
                // What could not be written was never decided.
                if let Ok(cluster) = self.log.replay(self.files.as_ref()) {
                    self.cluster = cluster;
                }
                // Whoever waits for it has no answer to get.
                self.give_up_unread(&why, out);
                for (ticket, _) in std::mem::take(&mut self.after_sync).into_values().flatten() {
                    out.push(Output::Answer { ticket, answer: Answer::HangUp(why.clone()) });
                }
                let partition = METADATA_DIR.into();
                out.push(Output::Tell(Event::Storage { partition, why, offline: true }));
            }
        }
    }
}

impl Node for Coordinator {
    fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>) {
        self.begin(now);
        match input {
            Input::Request { ticket, request, .. } => self.request(now, ticket, request, out),
            Input::Gone { connection } => {
                self.parked.retain(|ticket, _| ticket.connection != connection);
                self.connection_lost(now, connection, out);
            }
            Input::Done { call, done } if self.writing == Some(call) => {
                self.snapshot_written(done.map(|_| ()), out);
            }
            Input::Done { call, done } => {
                if let Some(to) = self.syncs.remove(&call) {
                    self.synced(now, to, done.map(|_| ()), out);
                }
            }
            Input::Reply { .. } => {} // it asks nobody
        }
        self.release_unread(now, out);
        self.sync(out);
    }

    fn deadline(&self) -> Option<u64> {
        let parked = self.parked.values().map(|parked| parked.deadline).min();
        let sessions = self.sessions.deadline();
        let readers = self.readers.deadline(self.log.high_watermark());
        parked.into_iter().chain(readers).chain(sessions).chain(self.rebalance_at).min()
    }

    fn tick(&mut self, now: Now, out: &mut Vec<Output>) {
        self.begin(now);
        self.end_sessions(now, out);
        self.rebalance(now, out);
        self.release_unread(now, out);
        self.answer_as_it_is(now, out);
        self.sync(out);
    }

    fn numbers(&mut self, _: Now, _: &mut Vec<Output>) -> Numbers {
        self.all_numbers()
    }

    /// Brokers find it again, or another process with its directory.
    fn begin_stop(&mut self, _: Now, out: &mut Vec<Output>) {
        out.push(Output::Stopped);
    }

    fn stop(&mut self) -> io::Result<()> {
        self.files.sync(METADATA_DIR)
    }
}

/// The table of what is spoken on a listener. No feature tags: old librdkafka stumbles over them.
pub fn api_versions(listener: Listener) -> ApiVersionsResponse {
    let api_keys = listener.apis().map(|range| ApiVersion {
        api_key: range.key,
        min_version: range.min,
        max_version: range.max,
    });
    ApiVersionsResponse { api_keys: api_keys.collect(), ..Default::default() }
}

/// A random UUID of version 4, from the seed. None that begins with a dash where it is printed: on a
/// command line it would be taken for a flag. (`Uuid.randomUuid`.)
pub fn new_id(ids: &mut Pcg64) -> Uuid {
    const DASH: u8 = 62; // in base64
    loop {
        let mut bytes = [0; 16];
        ids.fill_bytes(&mut bytes);
        if bytes[0] >> 2 != DASH {
            return uuid::Builder::from_random_bytes(bytes).into_uuid();
        }
    }
}
