//! A broker and its coordinator, driven by hand: time moves when the test says so, jobs end when the test
//! says so, and the disk is in memory. What the two send to each other arrives at once.

pub mod others;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use mini_broker::broker::compact::Compacted;
use mini_broker::broker::{
    Answer, Broker, Call, Client, Config, Done, Event, Files, Input, Job, Measured, Node, Now,
    Output, Peer, PeerGone, Ticket,
};
use mini_broker::coordinator::{Coordinator, METADATA_DIR};
use mini_broker::validate::validate;
use wire::{Api, Records, Request, Response};

use crate::batches;
pub use crate::mem_files::MemFiles;

/// A broker, the time, and what it has said so far.
pub struct ByHand {
    pub broker: Broker,
    pub coordinator: Coordinator,
    /// What the coordinator was asked for, by the number of the request.
    asked: BTreeMap<u32, Call>,
    /// The two do not reach each other.
    parted: bool,
    /// Whether clients may come.
    pub ready: bool,
    /// Whether the broker was told to stop, and may.
    pub stopped: bool,
    pub files: MemFiles,
    pub now: Now,
    pub events: Vec<Event>,
    pub coordinator_events: Vec<Event>,
    pub answers: BTreeMap<u32, Answer>,
    /// The bytes of the answers' slices, read when they were delivered: whoever sends them holds the
    /// files open.
    slices: BTreeMap<u32, Vec<Vec<u8>>>,
    pub jobs: Vec<(Call, Job)>,
    /// What was asked of other brokers.
    pub others: Vec<others::Asked>,
    /// The topics in which every record must have a key.
    pub keyed: Arc<BTreeSet<String>>,
    last_request: u32,
}

/// From here on are the numbers of what others than the broker ask the coordinator.
const OTHERS: u32 = u32::MAX / 2;

/// Later than any test, in `mono_ms`.
const NEVER_MS: u64 = i32::MAX as u64;

/// When the tests take place: 2023-11-14, in milliseconds.
pub const WALL_MS: u64 = 1_700_000_000_000;

impl ByHand {
    pub fn new() -> Self {
        Self::start(MemFiles::default(), &[])
    }

    /// Starts on a disk that may hold what an earlier broker has left.
    pub fn start(files: MemFiles, settings: &[(&str, &str)]) -> Self {
        let mut config = Config::new(1, "127.0.0.1", 9092);
        // Nothing comes between a test and what it waits for.
        for name in ["broker.heartbeat.interval.ms", "broker.session.timeout.ms"] {
            config.set(name, &NEVER_MS.to_string()).unwrap();
        }
        for (name, value) in settings {
            config.set(name, value).unwrap();
        }
        let mut out = Vec::new();
        let seed = 7 + files.starts.fetch_add(1, Ordering::Relaxed);
        let of_coordinator = Box::new(files.clone());
        let coordinator = Coordinator::new(config.clone(), of_coordinator, seed).unwrap();
        let broker = Broker::new(config, Box::new(files.clone()), seed, &mut out).unwrap();
        let now = Now { mono_ms: 0, wall_ms: WALL_MS };
        let mut by_hand = Self {
            broker,
            coordinator,
            asked: BTreeMap::new(),
            parted: false,
            ready: false,
            stopped: false,
            files,
            now,
            events: Vec::new(),
            coordinator_events: Vec::new(),
            answers: BTreeMap::new(),
            slices: BTreeMap::new(),
            jobs: Vec::new(),
            others: Vec::new(),
            keyed: Arc::default(),
            last_request: 0,
        };
        by_hand.deliver(out);
        while !by_hand.ready {
            assert!(by_hand.run_metadata_sync(), "the broker does not start");
        }
        by_hand.turn(vec![]);
        by_hand
    }

    /// Does the sync of the metadata log that waits. Whether there was one.
    fn run_metadata_sync(&mut self) -> bool {
        let metadata = |job: &Job| matches!(job, Job::Sync { dir, .. } if dir == METADATA_DIR);
        let place = self.jobs.iter().position(|(_, job)| metadata(job));
        place.map(|place| self.jobs.remove(place)).map(|job| self.end_job(job)).is_some()
    }

    /// Sends a request and gives its number; the answer may come later.
    pub fn send(&mut self, version: i16, body: impl Into<Request>) -> u32 {
        self.send_on(1, version, body)
    }

    pub fn send_on(&mut self, connection: u32, version: i16, body: impl Into<Request>) -> u32 {
        self.last_request += 1;
        let number = self.last_request;
        let Input::Request { client, request, .. } = request(number, version, body) else {
            unreachable!("it is one");
        };
        let ticket = Ticket { connection, request: number };
        let verdicts = validate(&request, &self.keyed);
        self.input(Input::Request { ticket, client, request, verdicts });
        self.last_request
    }

    /// When the broker has something to do, heartbeats left aside.
    pub fn deadline(&self) -> Option<u64> {
        self.broker.deadline().filter(|at| *at < NEVER_MS)
    }

    pub fn input(&mut self, input: Input) {
        self.turn(vec![input]);
    }

    /// A turn, as the engine does it: everything delivered before the tick.
    pub fn turn(&mut self, inputs: Vec<Input>) {
        let mut out = Vec::new();
        for input in inputs {
            self.broker.handle(self.now, input, &mut out);
        }
        self.deliver(std::mem::take(&mut out));
        self.broker.tick(self.now, &mut out);
        self.deliver(std::mem::take(&mut out));
        self.coordinator.tick(self.now, &mut out);
        self.deliver_coordinators(out);
    }

    /// Lets time pass, all at once.
    pub fn pass(&mut self, ms: u64) {
        self.now.mono_ms += ms;
        self.now.wall_ms += ms;
        self.turn(vec![]);
    }

    /// Does all jobs, and those that they lead to.
    pub fn run_jobs(&mut self) {
        while self.run_job() {}
    }

    /// Does the oldest job. Whether there was one.
    pub fn run_job(&mut self) -> bool {
        if self.jobs.is_empty() {
            return false;
        }
        let job = self.jobs.remove(0);
        self.end_job(job);
        true
    }

    fn end_job(&mut self, (call, job): (Call, Job)) {
        let metadata = matches!(&job, Job::Sync { dir, .. } | Job::Snapshot { dir, .. } if dir == METADATA_DIR);
        let done = self.files.run(job);
        self.done(metadata, call, done);
    }

    /// A job of the coordinator, or of the broker, has ended so.
    pub fn done(&mut self, coordinators: bool, call: Call, done: io::Result<Done>) {
        if coordinators {
            self.coordinator_done(call, done);
            return self.turn(vec![]);
        }
        self.input(Input::Done { call, done });
    }

    /// A job of the coordinator has ended so, and the turn goes on.
    pub fn coordinator_done(&mut self, call: Call, done: io::Result<Done>) {
        let mut out = Vec::new();
        self.coordinator.handle(self.now, Input::Done { call, done }, &mut out);
        self.deliver_coordinators(out);
    }

    /// Sends a request, ends all jobs, and takes the answer.
    pub fn ask<R: Api>(&mut self, version: i16, request: R) -> R::Response {
        let number = self.send(version, request);
        self.run_jobs();
        self.answer::<R>(number).expect("answered")
    }

    pub fn answer<R: Api>(&mut self, number: u32) -> Option<R::Response> {
        match self.answers.remove(&number)? {
            Answer::Response { body, .. } => Some(R::response(body).expect("the same API")),
            other => panic!("{other:?}"),
        }
    }

    /// The values of a fetch that has been answered.
    pub fn fetched(&mut self, number: u32) -> Option<Vec<(i64, String)>> {
        let mut values = Vec::new();
        for bytes in self.fetched_bytes(number)? {
            values.extend(batches::values(&bytes));
        }
        Some(values)
    }

    /// The batches of a fetch that has been answered, one piece for each partition that has some.
    pub fn fetched_bytes(&mut self, number: u32) -> Option<Vec<Vec<u8>>> {
        let Answer::Response { body, .. } = self.answers.remove(&number)? else {
            panic!("no response");
        };
        let slices = self.slices.remove(&number).unwrap_or_default();
        let Response::Fetch(body) = body else { panic!("{body:?}") };
        for partition in body.responses.iter().flat_map(|topic| &topic.partitions) {
            assert!(partition.error_code.is_ok(), "{}", partition.error_code);
            if let Records::There { slot, len } = partition.records {
                assert_eq!(slices[slot as usize].len(), len as usize);
            }
        }
        Some(slices)
    }

    /// Makes a topic by asking for its metadata, as clients do.
    pub fn topic(&mut self, name: &str) {
        let response = self.ask(12, crate::process::metadata(&[name]));
        assert!(response.topics[0].error_code.is_ok(), "{}", response.topics[0].error_code);
    }

    /// Appends a batch of these values and gives its first offset.
    pub fn append(&mut self, topic: &str, at_ms: i64, values: &[&str]) -> i64 {
        let request = batches::produce(topic, 0, -1, batches::batch(at_ms, values));
        let number = self.send(9, request);
        let response = self.answer::<wire::produce::ProduceRequest>(number).unwrap();
        let partition = &response.responses[0].partition_responses[0];
        assert!(partition.error_code.is_ok(), "{}", partition.error_code);
        partition.base_offset
    }

    fn deliver(&mut self, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Answer { ticket, answer } => {
                    if let Answer::Response { slices, .. } = &answer {
                        let bytes = slices.iter().map(|slice| {
                            let mut bytes = vec![0; slice.len as usize];
                            let read = self.files.read_at(slice, &mut bytes).unwrap();
                            bytes.truncate(read);
                            bytes
                        });
                        self.slices.insert(ticket.request, bytes.collect());
                    }
                    let before = self.answers.insert(ticket.request, answer);
                    assert!(before.is_none(), "request {} is answered twice", ticket.request);
                }
                Output::Do { call, job } => self.jobs.push((call, job)),
                Output::Tell(event) => self.events.push(event),
                Output::Keyed(topics) => self.keyed = topics,
                Output::Ready => self.ready = true,
                Output::Stop(why) => panic!("the broker stops: {why}"),
                Output::Stopped => self.stopped = true,
                Output::Send { call, to: Peer::Coordinator, request } => {
                    self.ask_coordinator(call, request);
                }
                Output::Send { call, to: Peer::Broker { id, .. }, request } => {
                    self.others.push(others::Asked { call, to: id, request });
                }
            }
        }
    }

    /// Tells the broker to stop.
    pub fn stop(&mut self) {
        let mut out = Vec::new();
        self.broker.begin_stop(self.now, &mut out);
        self.deliver(out);
    }

    /// The connection between broker and coordinator is lost; the next request opens another.
    pub fn lose_connection(&mut self) {
        let mut out = Vec::new();
        self.coordinator.handle(self.now, Input::Gone { connection: 1 }, &mut out);
        self.deliver_coordinators(out);
        self.no_answers();
    }

    /// Nothing that broker and coordinator send to each other arrives until they meet.
    pub fn part(&mut self) {
        self.parted = true;
        self.no_answers();
    }

    fn no_answers(&mut self) {
        for call in std::mem::take(&mut self.asked).into_values() {
            self.input(Input::Reply { call, reply: Err(PeerGone("it is away".into())) });
        }
    }

    pub fn meet(&mut self) {
        self.parted = false;
        self.pass(200);
    }

    /// What others ask the coordinator.
    pub fn decide<R: Api>(&mut self, body: R) -> R::Response {
        self.decide_on(1, body)
    }

    fn decide_on<R: Api>(&mut self, connection: u32, body: R) -> R::Response {
        self.last_request += 1;
        let number = OTHERS + self.last_request;
        let mut input = request(number, *R::VERSIONS.end(), body);
        if let Input::Request { ticket, .. } = &mut input {
            ticket.connection = connection;
        }
        let mut out = Vec::new();
        self.coordinator.handle(self.now, input, &mut out);
        self.deliver_coordinators(out);
        self.run_jobs();
        self.answer::<R>(number).expect("answered")
    }

    fn ask_coordinator(&mut self, call: Call, body: Request) {
        if self.parted {
            let mut out = Vec::new();
            let reply = Err(PeerGone("it is away".into()));
            self.broker.handle(self.now, Input::Reply { call, reply }, &mut out);
            return self.deliver(out);
        }
        let number = call.0 as u32;
        self.asked.insert(number, call);
        let version = wire::supported(body.api_key()).unwrap().max;
        let input = request(number, version, body);
        let mut out = Vec::new();
        self.coordinator.handle(self.now, input, &mut out);
        self.deliver_coordinators(out);
    }

    fn deliver_coordinators(&mut self, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Answer { ticket, answer } if ticket.request > OTHERS => {
                    self.answers.insert(ticket.request, answer);
                }
                Output::Answer { .. } if self.parted => {}
                Output::Answer { ticket, answer } => {
                    let call = self.asked.remove(&ticket.request).expect("asked for once");
                    let reply = match answer {
                        Answer::Response { body, slices } => {
                            Ok(self.files.with_records(body, &slices))
                        }
                        Answer::HangUp(why) => Err(PeerGone(why)),
                        Answer::Nothing => unreachable!("the coordinator always answers"),
                    };
                    let mut out = Vec::new();
                    self.broker.handle(self.now, Input::Reply { call, reply }, &mut out);
                    self.deliver(out);
                }
                Output::Do { call, job } => self.jobs.push((call, job)),
                Output::Tell(event) => self.coordinator_events.push(event),
                other => panic!("{other:?}"),
            }
        }
    }
}

/// What a job says when it went well.
pub fn done(job: &Job) -> Done {
    match job {
        Job::Sync { to, .. } => Done::Synced { to: *to },
        Job::Remove { .. } => Done::Removed,
        Job::Checkpoint { .. } | Job::Snapshot { .. } => Done::Written,
        Job::Compact { .. } => Done::Compacted(Compacted::default()),
        Job::Sweep { .. } => Done::Swept,
        Job::Measure { dirs } => {
            Done::Measured(Measured { sizes: vec![0; dirs.len()], ..measured() })
        }
    }
}

pub fn measured() -> Measured {
    let log_dir = "/data".into();
    Measured { log_dir, total_bytes: 1000, usable_bytes: 400, sizes: Vec::new() }
}

/// A request as an input: of connection 1, under this number.
pub fn request(number: u32, api_version: i16, request: impl Into<Request>) -> Input {
    let request = request.into();
    Input::Request {
        ticket: Ticket { connection: 1, request: number },
        client: Client { id: None, host: IpAddr::V4(Ipv4Addr::LOCALHOST), api_version },
        verdicts: validate(&request, &Default::default()),
        request,
    }
}
