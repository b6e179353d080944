//! A small client: what the commands need of Kafka's protocol, and no more. It speaks the same wire
//! tables as the broker, from the other end, and works with any Kafka broker.
//!
//! It keeps one connection a broker, follows each partition to its leader, and looks at the
//! metadata again when a leader has moved. Programs that need a full client use one of the many.

pub mod admin;
pub mod assignor;
pub mod connection;
pub mod consumer;
pub mod coordinator;
pub mod error;
pub mod group_admin;
pub mod group_consumer;
pub mod member;
pub mod offsets;
pub mod partitioner;
pub mod producer;

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use wire::metadata::{
    MetadataRequest, MetadataRequestTopic, MetadataResponse, MetadataResponsePartition,
    MetadataResponseTopic,
};
use wire::{Api, ErrorCode};

pub use connection::Connection;
pub use consumer::Consumer;
use coordinator::Coordinator;
pub use error::Error;
pub use group_consumer::GroupConsumer;
pub use producer::Producer;

/// How long to wait before the metadata is asked again: Kafka's `retry.backoff.ms`.
const BACKOFF: Duration = Duration::from_millis(100);
/// A broker that tells nothing of the cluster for so long hangs, and another is asked.
const METADATA_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a topic may be without leaders before that is an error.
const LEADER_TIMEOUT: Duration = Duration::from_secs(15);

/// A clone knows what the first one knew, and uses the connections that it had.
#[derive(Clone, Debug)]
pub struct Client {
    servers: Vec<String>,
    client_id: String,
    /// Node id → address, from the last metadata.
    brokers: BTreeMap<i32, String>,
    controller: i32,
    connections: BTreeMap<String, Connection>,
    /// Group → who coordinates it, as far as it was asked for.
    coordinators: BTreeMap<String, Coordinator>,
}

/// A topic, and the number of one of its partitions.
pub type TopicPartition = (String, i32);

/// A partition and who leads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Led {
    pub partition: i32,
    pub leader: i32,
    pub leader_epoch: i32,
}

impl From<&MetadataResponsePartition> for Led {
    fn from(p: &MetadataResponsePartition) -> Self {
        Led { partition: p.partition_index, leader: p.leader_id, leader_epoch: p.leader_epoch }
    }
}

impl Client {
    /// `servers`: `HOST:PORT` with commas between; one that answers is enough.
    pub async fn connect(servers: &str) -> Result<Self, Error> {
        let servers = parse_servers(servers)?;
        let mut client = Client {
            servers,
            client_id: "mini-broker".to_owned(),
            brokers: BTreeMap::new(),
            controller: -1,
            connections: BTreeMap::new(),
            coordinators: BTreeMap::new(),
        };
        client.any().await?;
        Ok(client)
    }

    pub fn client_id(mut self, client_id: &str) -> Self {
        self.client_id = client_id.to_owned();
        self
    }

    /// The same without the connections: what waits for an answer holds up what comes after it.
    pub fn apart(mut self) -> Self {
        self.connections.clear();
        self
    }

    /// A connection to whichever broker answers.
    pub async fn any(&mut self) -> Result<Connection, Error> {
        self.connections.retain(|_, connection| !connection.is_closed());
        if let Some(open) = self.connections.values().next() {
            return Ok(open.clone());
        }
        let known: Vec<_> = self.servers.iter().chain(self.brokers.values()).cloned().collect();
        let mut first = None;
        for address in known {
            match self.to(&address).await {
                Ok(connection) => return Ok(connection),
                Err(error) => {
                    first = first.or(Some(error));
                    self.ask_last(&address);
                }
            }
        }
        Err(first.expect("the list of servers is never empty"))
    }

    /// A connection to the broker with this node id.
    pub async fn node(&mut self, node: i32) -> Result<Connection, Error> {
        let address = self.brokers.get(&node).cloned().ok_or(Error::NoSuchBroker(node))?;
        self.to(&address).await
    }

    /// The connection to the broker with this node id, if there is one.
    fn connected(&self, node: i32) -> Option<Connection> {
        let open = self.connections.get(self.brokers.get(&node)?)?;
        (!open.is_closed()).then(|| open.clone())
    }

    /// A connection that a clone has made.
    fn keep(&mut self, connection: Connection) {
        self.connections.insert(connection.address().to_owned(), connection);
    }

    /// A connection to the controller, where topics are made; to any broker where none is told.
    pub async fn controller(&mut self) -> Result<Connection, Error> {
        self.metadata(Some(&[]), false).await?;
        match self.brokers.contains_key(&self.controller) {
            true => self.node(self.controller).await,
            false => self.any().await,
        }
    }

    /// The next time, all other servers are asked first.
    fn ask_last(&mut self, address: &str) {
        if let Some(at) = self.servers.iter().position(|server| server == address) {
            let server = self.servers.remove(at);
            self.servers.push(server);
        }
    }

    async fn to(&mut self, address: &str) -> Result<Connection, Error> {
        if let Some(open) = self.connections.get(address).filter(|c| !c.is_closed()) {
            return Ok(open.clone());
        }
        let connection = Connection::open(address, &self.client_id).await?;
        self.connections.insert(address.to_owned(), connection.clone());
        Ok(connection)
    }

    /// The node ids of the brokers that are there, as of the last metadata.
    pub fn nodes(&self) -> impl Iterator<Item = i32> {
        self.brokers.keys().copied()
    }

    pub async fn call_any<R: Api>(&mut self, request: R) -> Result<R::Response, Error> {
        self.any().await?.call(request).await
    }

    /// `topics`: `None` asks for all.
    pub async fn metadata(
        &mut self,
        topics: Option<&[&str]>,
        create: bool,
    ) -> Result<MetadataResponse, Error> {
        let named = |name: &&str| MetadataRequestTopic {
            name: Some((*name).to_owned()),
            ..Default::default()
        };
        let request = MetadataRequest {
            topics: topics.map(|topics| topics.iter().map(named).collect()),
            allow_auto_topic_creation: create,
            ..Default::default()
        };
        let mut others = self.servers.len() + self.brokers.len();
        let answer = loop {
            let connection = self.any().await?;
            match connection.call_within(request.clone(), METADATA_TIMEOUT).await {
                Err(Error::Timeout { address, .. } | Error::Closed { address, .. })
                    if others > 0 =>
                {
                    others -= 1;
                    self.ask_last(&address);
                }
                answer => break answer?,
            }
        };
        let brokers = answer.brokers.iter();
        self.brokers = brokers.map(|b| (b.node_id, address(&b.host, b.port))).collect();
        self.controller = answer.controller_id;
        Ok(answer)
    }

    /// The partitions of `topic` in order, each with its leader. Waits a while for a topic that is
    /// being made, or for a leader that is being elected.
    pub async fn partitions(&mut self, topic: &str, create: bool) -> Result<Vec<Led>, Error> {
        let give_up = Instant::now() + LEADER_TIMEOUT;
        loop {
            let found = match self.metadata(Some(&[topic]), create).await {
                Ok(answer) => led(topic, answer.topics),
                Err(error) => Err(error),
            };
            // A topic that nobody is about to make will not appear by waiting.
            let hopeless = |error: &Error| {
                !create
                    && matches!(error, Error::Refused { code, .. }
                        if *code == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)
                    || matches!(error, Error::Connect { .. })
            };
            match found {
                Err(error)
                    if error.is_retriable() && !hopeless(&error) && Instant::now() < give_up =>
                {
                    sleep(BACKOFF).await;
                }
                other => return other,
            }
        }
    }

    /// The partitions of `topic` in order, as they are now; the leader of one that has none is −1.
    pub async fn leaders(&mut self, topic: &str) -> Result<Vec<Led>, Error> {
        let answer = self.metadata(Some(&[topic]), false).await?;
        partitions(topic, answer.topics)
    }
}

/// All of them have a leader, or it is an error.
fn led(topic: &str, topics: Vec<MetadataResponseTopic>) -> Result<Vec<Led>, Error> {
    let partitions = partitions(topic, topics)?;
    match partitions.iter().find(|led| led.leader < 0) {
        None => Ok(partitions),
        Some(led) => {
            let what = format!("partition {topic}-{}", led.partition);
            Err(Error::refused(what, ErrorCode::LEADER_NOT_AVAILABLE, None))
        }
    }
}

fn partitions(topic: &str, topics: Vec<MetadataResponseTopic>) -> Result<Vec<Led>, Error> {
    let refused = |code| Err(Error::refused(format!("topic `{topic}`"), code, None));
    let Some(found) = topics.into_iter().find(|found| found.name.as_deref() == Some(topic)) else {
        return refused(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    };
    if found.error_code.is_err() {
        return refused(found.error_code);
    }
    // A partition's code may be that a replica is down: that does not keep the leader from serving.
    let mut partitions: Vec<Led> = found.partitions.iter().map(Led::from).collect();
    if partitions.is_empty() {
        return refused(ErrorCode::LEADER_NOT_AVAILABLE);
    }
    partitions.sort_by_key(|p| p.partition);
    Ok(partitions)
}

fn parse_servers(list: &str) -> Result<Vec<String>, Error> {
    let valid = |server: &str| {
        server.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)
        })
    };
    let servers: Vec<String> = list.split(',').map(|server| server.trim().to_owned()).collect();
    match servers.iter().all(|server| valid(server)) {
        true => Ok(servers),
        false => Err(Error::Servers(list.to_owned())),
    }
}

/// An IPv6 address takes brackets before a port.
pub fn address(host: &str, port: i32) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}
