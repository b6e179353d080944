//! A broker driven by hand: time moves when the test says so, jobs end when the test says so, and
//! the disk is in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};

use mini_broker::broker::compact::Compacted;
use mini_broker::broker::{
    Answer, Broker, Call, Client, Config, Done, Event, Files, Input, Job, Located, Measured, Now,
    Output, Ticket,
};
use mini_broker::labs::offset_log;
use mini_broker::validate::validate;
use wire::{Api, Records, Request, Response};

use crate::batches;
use crate::mortal::Life;

/// A disk that lives as long as a test: clones share it, so a broker can start on it again.
#[derive(Clone, Default)]
pub struct MemFiles {
    pub dirs: Arc<Mutex<BTreeMap<String, offset_log::MemDir>>>,
    pub metadata: offset_log_solution::MemDir,
    pub texts: Arc<Mutex<BTreeMap<String, String>>>,
    /// What `dir` gives instead, if a test wants another kind of directory.
    pub instead: Option<fn(offset_log::MemDir) -> Box<dyn offset_log::Dir>>,
    /// How long the partitions' directories live.
    pub life: Life,
}

impl MemFiles {
    pub fn log_bytes(&self, dir: &str) -> u64 {
        let files = self.dir_of(dir).files();
        let logs = files.iter().filter(|(name, _)| name.ends_with(".log"));
        logs.map(|(_, bytes)| bytes.len() as u64).sum()
    }

    /// The disk as it is now: what a kill at this moment leaves.
    pub fn copy(&self) -> Self {
        let dirs = self.dirs.lock().unwrap();
        let dirs =
            dirs.iter().map(|(name, dir)| (name.clone(), offset_log::MemDir::holding(dir.files())));
        Self {
            dirs: Arc::new(Mutex::new(dirs.collect())),
            metadata: offset_log_solution::MemDir::holding(self.metadata.files()),
            texts: Arc::new(Mutex::new(self.texts.lock().unwrap().clone())),
            instead: self.instead,
            life: Life::default(),
        }
    }

    pub fn dir_of(&self, name: &str) -> offset_log::MemDir {
        self.dirs.lock().unwrap().entry(name.into()).or_default().clone()
    }
}

impl Files for MemFiles {
    fn dir(&mut self, name: &str) -> io::Result<Box<dyn offset_log::Dir>> {
        let dir = self.mortal(name);
        Ok(match self.instead {
            Some(instead) => instead(dir.dir),
            None => Box::new(dir),
        })
    }

    fn metadata_dir(&mut self, _: &str) -> io::Result<Box<dyn offset_log_solution::Dir>> {
        Ok(Box::new(self.metadata.clone()))
    }

    fn read_at(&self, located: &Located, into: &mut [u8]) -> io::Result<usize> {
        let file = format!("{:020}.log", located.segment);
        if located.dir.starts_with("__cluster_metadata") {
            return offset_log_solution::Dir::read_at(
                &self.metadata,
                &file,
                located.position,
                into,
            );
        }
        let dir = self.dir_of(&located.dir);
        offset_log::Dir::read_at(&dir, &file, located.position, into)
    }

    fn dirs(&self) -> io::Result<Vec<String>> {
        let dirs = self.dirs.lock().unwrap();
        Ok(dirs.iter().filter(|(_, dir)| !dir.files().is_empty()).map(|(n, _)| n.clone()).collect())
    }

    fn rename(&mut self, dir: &str, from: &str, to: &str) -> io::Result<()> {
        let dir = self.dir_of(dir);
        let mut files = dir.files();
        let bytes = files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        self.life.spend()?;
        dir.lose(from);
        dir.put(to, bytes);
        Ok(())
    }

    fn set_aside(&mut self, name: &str, ending: &str) -> io::Result<String> {
        let mut dirs = self.dirs.lock().unwrap();
        let dir = dirs.remove(name).unwrap();
        let aside = format!("{name}.0{ending}");
        dirs.insert(aside.clone(), dir);
        Ok(aside)
    }

    fn checkpoint(&mut self, name: &str, text: &str) -> io::Result<()> {
        self.life.spend()?;
        self.texts.lock().unwrap().insert(name.into(), text.into());
        Ok(())
    }

    fn text(&self, name: &str) -> io::Result<Option<String>> {
        if let Some((dir, file)) = name.split_once('/') {
            let bytes = self.dir_of(dir).files().remove(file);
            return Ok(bytes.map(|bytes| String::from_utf8(bytes).unwrap()));
        }
        Ok(self.texts.lock().unwrap().get(name).cloned())
    }

    fn sync(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }
}

/// A broker, the time, and what it has said so far.
pub struct ByHand {
    pub broker: Broker,
    pub files: MemFiles,
    pub now: Now,
    pub events: Vec<Event>,
    pub answers: BTreeMap<u32, Answer>,
    /// The bytes of the answers' slices, read when they were delivered: whoever sends them holds the
    /// files open.
    slices: BTreeMap<u32, Vec<Vec<u8>>>,
    pub jobs: Vec<(Call, Job)>,
    /// The topics in which every record must have a key.
    pub keyed: Arc<BTreeSet<String>>,
    last_request: u32,
}

/// When the tests take place: 2023-11-14, in milliseconds.
pub const WALL_MS: u64 = 1_700_000_000_000;

impl ByHand {
    pub fn new() -> Self {
        Self::start(MemFiles::default(), &[])
    }

    /// Starts on a disk that may hold what an earlier broker has left.
    pub fn start(files: MemFiles, settings: &[(&str, &str)]) -> Self {
        let mut config = Config::new(1, "127.0.0.1", 9092);
        for (name, value) in settings {
            config.set(name, value).unwrap();
        }
        let mut out = Vec::new();
        let broker = Broker::new(config, Box::new(files.clone()), 7, &mut out).unwrap();
        let now = Now { mono_ms: 0, wall_ms: WALL_MS };
        let mut by_hand = Self {
            broker,
            files,
            now,
            events: Vec::new(),
            answers: BTreeMap::new(),
            slices: BTreeMap::new(),
            jobs: Vec::new(),
            keyed: Arc::default(),
            last_request: 0,
        };
        by_hand.deliver(out);
        by_hand
    }

    /// Sends a request and gives its number; the answer may come later.
    pub fn send(&mut self, version: i16, body: impl Into<Request>) -> u32 {
        self.last_request += 1;
        let Input::Request { ticket, client, request, .. } =
            request(self.last_request, version, body)
        else {
            unreachable!("it is one");
        };
        let verdicts = validate(&request, &self.keyed);
        self.input(Input::Request { ticket, client, request, verdicts });
        self.last_request
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
        self.deliver(out);
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
        let (call, job) = self.jobs.remove(0);
        let done = self.files.run(job);
        self.input(Input::Done { call, done });
        true
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
            }
        }
    }
}

/// What a job says when it went well.
pub fn done(job: &Job) -> Done {
    match job {
        Job::Sync { to, .. } => Done::Synced { to: *to },
        Job::Remove { .. } => Done::Removed,
        Job::Checkpoint { .. } => Done::Written,
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
