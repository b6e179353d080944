//! Clients inside the world: what they have in common, and where what comes for them goes.

use std::collections::BTreeMap;

use wire::metadata::{MetadataRequest, MetadataRequestTopic, MetadataResponse};
use wire::{Request, Response};

use crate::admin::Admin;
use crate::member::Member;
use crate::producer::Producer;
use crate::reader::Reader;
use crate::world::{BROKERS, Event, World};

pub struct Client {
    pub does: Does,
    /// Connections by broker.
    pub connections: BTreeMap<usize, u32>,
    /// When it gives up on what it has asked for last, and closes the connection.
    pub patience: BTreeMap<u32, u64>,
}

pub enum Does {
    Produce(Producer),
    Read(Reader),
    Administer(Admin),
    Consume(Member),
}

impl World {
    pub fn add_client(&mut self, does: Does) {
        let client = self.clients.len();
        self.clients.push(Client { does, connections: BTreeMap::new(), patience: BTreeMap::new() });
        let at_us = self.now_us + self.dice.between(100_000, 400_000);
        self.at(at_us, Event::ClientWake { client });
    }

    /// Sends a request to a broker. `None`: it cannot be reached.
    pub fn ask(&mut self, client: usize, broker: usize, request: Request) -> Option<(u32, u32)> {
        let known = self.clients[client].connections.get(&broker).copied();
        let connection = match known {
            Some(connection) => connection,
            None => {
                let connection = self.connect(client, broker)?;
                self.clients[client].connections.insert(broker, connection);
                connection
            }
        };
        let number = self.request(connection, None, request);
        let patience = self.now_us + self.dice.between(3_000_000, 8_000_000);
        self.clients[client].patience.entry(connection).or_insert(patience);
        Some((connection, number))
    }

    pub fn any_broker(&mut self) -> usize {
        self.dice.between(1, BROKERS as u64) as usize
    }

    /// Asks any broker who leads what of a topic.
    pub fn ask_for_leaders(&mut self, client: usize, topic: &str) -> Option<(u32, u32)> {
        let name = MetadataRequestTopic { name: Some(topic.into()), ..Default::default() };
        let request = MetadataRequest {
            topics: Some(vec![name]),
            allow_auto_topic_creation: false,
            ..Default::default()
        };
        let broker = self.any_broker();
        self.ask(client, broker, request.into())
    }

    pub fn client_answered(&mut self, client: usize, connection: u32, number: u32, body: Response) {
        // It answers, so it lives.
        self.clients[client].patience.remove(&connection);
        let key = (connection, number);
        match &self.clients[client].does {
            Does::Produce(_) => self.producer_answered(client, key, body),
            Does::Read(_) => self.reader_answered(client, key, body),
            Does::Administer(_) => self.admin_answered(client, key, body),
            Does::Consume(_) => self.member_answered(client, key, body),
        }
    }

    pub fn client_lost(&mut self, client: usize, connection: u32) {
        let known = &mut self.clients[client];
        known.connections.retain(|_, open| *open != connection);
        known.patience.remove(&connection);
        match &self.clients[client].does {
            Does::Produce(_) => self.producer_lost(client, connection),
            Does::Read(_) => self.reader_lost(client, connection),
            Does::Administer(_) => self.admin_lost(client, connection),
            Does::Consume(_) => self.member_lost(client, connection),
        }
    }

    pub fn client_wakes(&mut self, client: usize) {
        let now = self.now_us;
        let late = self.clients[client].patience.iter();
        let late: Vec<u32> = late.filter(|(_, at)| **at <= now).map(|(it, _)| *it).collect();
        for connection in late {
            self.close(connection);
            self.client_lost(client, connection);
        }
        let pause = match &self.clients[client].does {
            Does::Produce(_) => self.producer_wakes(client),
            Does::Read(_) => self.reader_wakes(client),
            Does::Administer(_) => self.admin_wakes(client),
            Does::Consume(_) => self.member_wakes(client),
        };
        if let Some(pause) = pause {
            self.at(now + pause, Event::ClientWake { client });
        }
    }
}

/// The leader of a partition, if the answer knows one.
pub fn leader_in(metadata: &MetadataResponse, topic: &str, index: i32) -> Option<usize> {
    let topic = metadata.topics.iter().find(|it| it.name.as_deref() == Some(topic))?;
    let partition = topic.partitions.iter().find(|it| it.partition_index == index)?;
    usize::try_from(partition.leader_id).ok()
}
