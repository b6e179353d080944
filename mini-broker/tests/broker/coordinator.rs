//! The coordinator alone, driven by hand: brokers are numbers of connections, time moves when the test
//! says so, and a sync of the metadata log ends at once.

mod elect_leaders;
mod elections;
mod in_sync;
mod members;
mod readers;
mod restart;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use mini_broker::broker::{
    Answer, Client, Config, Done, Event, Input, Job, Node, Now, Output, Ticket,
};
use mini_broker::coordinator::Coordinator;
use mini_broker::validate::Verdicts;
use uuid::Uuid;
use wire::broker_lifecycle::{
    BrokerHeartbeatRequest, BrokerHeartbeatResponse, BrokerListener, BrokerRegistrationRequest,
};
use wire::configs::{
    IncrementalAlterConfigsRequest, IncrementalAlterConfigsResource, IncrementalAlterableConfig,
    operation, resource,
};
use wire::topics::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use wire::{Api, ErrorCode, Request, Response};

use crate::by_hand::{MemFiles, WALL_MS};

/// The time after which a broker that is silent is gone: Kafka's default.
pub const SESSION_MS: u64 = 9_000;

pub struct Driven {
    pub coordinator: Coordinator,
    pub files: MemFiles,
    pub now: Now,
    pub events: Vec<Event>,
    answers: BTreeMap<Ticket, Answer>,
    settings: Vec<(String, String)>,
    starts: u64,
    last_request: u32,
}

impl Driven {
    pub fn new() -> Self {
        Self::with(&[])
    }

    pub fn with(settings: &[(&str, &str)]) -> Self {
        let settings = settings.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        Self::start(MemFiles::default(), settings.collect(), 0, 0)
    }

    /// A cluster of three brokers that take part, each on the connection of its number.
    pub fn of_three(settings: &[(&str, &str)]) -> Self {
        let mut driven = Self::with(settings);
        for id in 1..=3 {
            driven.comes(id);
        }
        driven
    }

    fn start(files: MemFiles, settings: Vec<(String, String)>, mono_ms: u64, starts: u64) -> Self {
        let mut config = Config::new(3000, "127.0.0.1", 9090);
        for (name, value) in &settings {
            config.set(name, value).unwrap();
        }
        let coordinator = Coordinator::new(config, Box::new(files.clone()), 7 + starts).unwrap();
        Self {
            coordinator,
            files,
            now: Now { mono_ms, wall_ms: WALL_MS + mono_ms },
            events: Vec::new(),
            answers: BTreeMap::new(),
            settings,
            starts,
            last_request: 0,
        }
    }

    /// kill -9 of the coordinator, and its next start. Its clock has gone on.
    pub fn restart(self) -> Self {
        Self::start(self.files, self.settings, self.now.mono_ms, self.starts + 1)
    }

    pub fn ask<R: Api>(&mut self, connection: u32, request: R) -> R::Response {
        let ticket = self.send(connection, request.into());
        R::response(self.answer(ticket).expect("answered at once")).expect("the same API")
    }

    /// Sends a request; the answer may come later.
    pub fn send(&mut self, connection: u32, request: Request) -> Ticket {
        self.last_request += 1;
        let ticket = Ticket { connection, request: self.last_request };
        let host = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let api_version = wire::supported(request.api_key()).unwrap().max;
        let client = Client { id: None, host, api_version };
        let verdicts = Verdicts::new();
        self.input(Input::Request { ticket, client, request, verdicts });
        ticket
    }

    pub fn answer(&mut self, ticket: Ticket) -> Option<Response> {
        match self.answers.remove(&ticket)? {
            Answer::Response { body, slices } => Some(self.files.with_records(body, &slices)),
            other => panic!("{other:?}"),
        }
    }

    fn input(&mut self, input: Input) {
        let mut out = Vec::new();
        self.coordinator.handle(self.now, input, &mut out);
        self.deliver(out);
    }

    fn deliver(&mut self, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Answer { ticket, answer } => {
                    assert!(self.answers.insert(ticket, answer).is_none(), "answered twice");
                }
                Output::Do { call, job: Job::Sync { to, .. } } => {
                    self.input(Input::Done { call, done: Ok(Done::Synced { to }) });
                }
                Output::Do { call, job } => {
                    let done = self.files.run(job);
                    self.input(Input::Done { call, done });
                }
                Output::Tell(event) => self.events.push(event),
                other => panic!("{other:?}"),
            }
        }
    }

    /// A connection is lost.
    pub fn lost(&mut self, connection: u32) {
        self.input(Input::Gone { connection });
    }

    /// Lets time pass, all at once, and nobody is heard of.
    pub fn pass(&mut self, ms: u64) {
        self.now.mono_ms += ms;
        self.now.wall_ms += ms;
        let mut out = Vec::new();
        self.coordinator.tick(self.now, &mut out);
        self.deliver(out);
    }

    /// Lets time pass, and these brokers are heard of all the while.
    pub fn pass_with(&mut self, brokers: &[i32], ms: u64) {
        let end = self.now.mono_ms + ms;
        while self.now.mono_ms < end {
            for id in brokers {
                self.beat(*id);
            }
            self.pass((end - self.now.mono_ms).min(2_000));
        }
    }

    /// A new incarnation of a broker registers and takes part; gives its epoch.
    pub fn comes(&mut self, id: i32) -> i64 {
        let incarnation = self.now.mono_ms + u64::from(self.last_request);
        let registered = self.ask(id as u32, registration(id, incarnation.into()));
        assert_eq!(registered.error_code, ErrorCode::NONE);
        assert!(!self.beat(id).is_fenced);
        registered.broker_epoch
    }

    /// A broker that has read everything is heard of, on the connection of its number.
    pub fn beat(&mut self, id: i32) -> BrokerHeartbeatResponse {
        let request = BrokerHeartbeatRequest {
            broker_id: id,
            broker_epoch: self.epoch(id),
            current_metadata_offset: i64::MAX,
            ..Default::default()
        };
        self.ask(id as u32, request)
    }

    /// The epoch of a broker's registration.
    pub fn epoch(&self, id: i32) -> i64 {
        self.coordinator.cluster().brokers[&id].epoch
    }

    /// Makes a topic with its partitions on these brokers.
    pub fn topic(&mut self, name: &str, replicas: &[&[i32]], configs: &[(&str, &str)]) -> Uuid {
        let assignments = replicas.iter().zip(0..).map(|(broker_ids, partition_index)| {
            CreatableReplicaAssignment { partition_index, broker_ids: broker_ids.to_vec() }
        });
        let configs = configs.iter().map(|(name, value)| CreatableTopicConfig {
            name: name.to_string(),
            value: Some(value.to_string()),
        });
        let topic = CreatableTopic {
            name: name.into(),
            num_partitions: -1,
            replication_factor: -1,
            assignments: assignments.collect(),
            configs: configs.collect(),
        };
        let request = CreateTopicsRequest { topics: vec![topic], ..Default::default() };
        let created = self.ask(99, request).topics.remove(0);
        assert_eq!(created.error_code, ErrorCode::NONE, "{:?}", created.error_message);
        created.topic_id
    }

    /// Changes a setting; "" as the name of a topic means all brokers.
    pub fn set(&mut self, topic: &str, name: &str, value: &str) -> ErrorCode {
        self.alter(topic, name, Some(value))
    }

    /// Without a value the setting is taken away.
    pub fn alter(&mut self, topic: &str, name: &str, value: Option<&str>) -> ErrorCode {
        let kind = if topic.is_empty() { resource::BROKER } else { resource::TOPIC };
        let change = IncrementalAlterableConfig {
            name: name.into(),
            config_operation: if value.is_some() { operation::SET } else { operation::DELETE },
            value: value.map(str::to_string),
        };
        let request = IncrementalAlterConfigsRequest {
            resources: vec![IncrementalAlterConfigsResource {
                resource_type: kind,
                resource_name: topic.into(),
                configs: vec![change],
            }],
            ..Default::default()
        };
        self.ask(99, request).responses.remove(0).error_code
    }

    /// Who leads partition 0 of a topic, and who is in sync.
    pub fn seat(&self, topic: &str) -> String {
        self.seat_of(topic, 0)
    }

    pub fn seat_of(&self, topic: &str, index: i32) -> String {
        let is = self.coordinator.cluster().partition(topic, index).unwrap();
        format!("leader {} epoch {} in sync {:?}", is.leader, is.epoch, is.isr)
    }

    pub fn is_fenced(&self, id: i32) -> bool {
        self.coordinator.cluster().brokers[&id].fenced
    }

    pub fn cluster_id(&self) -> String {
        self.coordinator.cluster_id().into()
    }
}

/// `incarnation` stands for the id that a broker draws at its start.
pub fn registration(id: i32, incarnation: u128) -> BrokerRegistrationRequest {
    BrokerRegistrationRequest {
        broker_id: id,
        cluster_id: Driven::new().cluster_id(), // of the seed that all of them have
        incarnation_id: Uuid::from_u128(incarnation),
        listeners: vec![BrokerListener {
            name: "PLAINTEXT".into(),
            host: "127.0.0.1".into(),
            port: 9092,
            security_protocol: 0,
        }],
        ..Default::default()
    }
}
