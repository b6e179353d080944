//! A producer writes numbers into one partition, and tries again until it is told that they are there.

use std::collections::{BTreeMap, VecDeque};

use bytes::BytesMut;
use mini_broker::records::Codec;
use mini_broker::records::build::{self, Builder};
use wire::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use wire::producer_id::InitProducerIdRequest;
use wire::{ErrorCode, Records, Request, Response};

use crate::clients::{Does, leader_in};
use crate::world::World;

pub struct Producer {
    pub topic: &'static str,
    pub index: i32,
    pub acks: i16,
    pub idempotent: bool,
    /// Batches that may be on their way.
    window: usize,
    /// Its first number.
    base: u64,
    next: u64,
    id: Option<i64>,
    next_sequence: i32,
    /// Not acknowledged, in order.
    open: VecDeque<Batch>,
    leader: Option<usize>,
    /// Requests under way, and the numbers of the batches in them.
    sent: BTreeMap<(u32, u32), Option<u64>>,
    /// How often in a row a batch was refused for its sequence.
    out_of_order: u32,
    rests_until_us: u64,
    /// No new numbers any more.
    pub ends: bool,
}

struct Batch {
    first: u64,
    count: u64,
    sequence: i32,
    on_its_way: bool,
}

impl Producer {
    pub fn new(
        number: usize,
        topic: &'static str,
        index: i32,
        acks: i16,
        idempotent: bool,
        window: usize,
    ) -> Self {
        let base = (number as u64 + 1) * 1_000_000;
        Self {
            topic,
            index,
            acks,
            idempotent,
            window: if idempotent { window } else { 1 },
            base,
            next: base,
            id: None,
            next_sequence: 0,
            open: VecDeque::new(),
            leader: None,
            sent: BTreeMap::new(),
            out_of_order: 0,
            rests_until_us: 0,
            ends: false,
        }
    }

    pub fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    pub fn wrote(&self) -> std::ops::Range<u64> {
        self.base..self.next
    }

    fn batch(&self, batch: &Batch, wall_ms: i64) -> BytesMut {
        let mut builder = Builder::new(Codec::None);
        if let (true, Some(id)) = (self.idempotent, self.id) {
            let first_sequence = batch.sequence;
            builder = builder.producer(build::Producer { id, epoch: 0, first_sequence });
        }
        for number in batch.first..batch.first + batch.count {
            let value = number.to_string();
            builder.push(wall_ms, None, Some(value.as_bytes()), std::iter::empty());
        }
        builder.finish().expect("at least one record")
    }
}

impl World {
    fn producer(&mut self, client: usize) -> &mut Producer {
        match &mut self.clients[client].does {
            Does::Produce(producer) => producer,
            _ => unreachable!("it is a producer"),
        }
    }

    pub fn producer_wakes(&mut self, client: usize) -> Option<u64> {
        let pause = self.dice.between(20_000, 120_000);
        let now = self.now_us;
        let it = self.producer(client);
        if it.ends && it.open.is_empty() {
            return None;
        }
        if it.rests_until_us > now {
            return Some(pause);
        }
        if it.idempotent && it.id.is_none() {
            if it.sent.is_empty() {
                let broker = self.any_broker();
                let request = InitProducerIdRequest::default();
                if let Some(key) = self.ask(client, broker, request.into()) {
                    self.producer(client).sent.insert(key, None);
                }
            }
            return Some(pause);
        }
        let Some(leader) = it.leader else {
            if it.sent.values().all(Option::is_some) {
                let topic = it.topic;
                if let Some(key) = self.ask_for_leaders(client, topic) {
                    self.producer(client).sent.insert(key, None);
                }
            }
            return Some(pause);
        };
        let count = self.dice.between(1, 3);
        let it = self.producer(client);
        if !it.ends && it.open.len() < it.window {
            let (first, sequence) = (it.next, it.next_sequence);
            it.open.push_back(Batch { first, count, sequence, on_its_way: false });
            it.next += count;
            it.next_sequence += count as i32;
        }
        self.produce(client, leader);
        Some(pause)
    }

    /// Sends what is not on its way.
    fn produce(&mut self, client: usize, leader: usize) {
        let wall_ms = 1_700_000_000_000 + (self.now_us / 1000) as i64;
        let it = self.producer(client);
        let mut requests = Vec::new();
        for batch in it.open.iter().filter(|batch| !batch.on_its_way) {
            let records = Records::Here(it.batch(batch, wall_ms));
            let partition_data = vec![PartitionProduceData { index: it.index, records }];
            let request = ProduceRequest {
                acks: it.acks,
                timeout_ms: 2_000,
                topic_data: vec![TopicProduceData { name: it.topic.into(), partition_data }],
                ..Default::default()
            };
            requests.push((batch.first, Request::from(request)));
        }
        for (first, request) in requests {
            let Some(key) = self.ask(client, leader, request) else {
                self.producer(client).leader = None;
                return;
            };
            let it = self.producer(client);
            if it.acks == 0 {
                // Nobody will say what became of it.
                it.open.retain(|batch| batch.first != first);
                self.clients[client].patience.remove(&key.0);
                continue;
            }
            it.sent.insert(key, Some(first));
            if let Some(batch) = it.open.iter_mut().find(|batch| batch.first == first) {
                batch.on_its_way = true;
            }
        }
    }

    pub fn producer_answered(&mut self, client: usize, key: (u32, u32), body: Response) {
        let now = self.now_us;
        let it = self.producer(client);
        let Some(asked) = it.sent.remove(&key) else { return };
        match body {
            Response::Metadata(metadata) => {
                it.leader = leader_in(&metadata, it.topic, it.index);
                if it.leader.is_none() {
                    it.rests_until_us = now + 100_000;
                }
            }
            Response::InitProducerId(told) if told.error_code.is_ok() => {
                it.id = Some(told.producer_id);
                let batches = it.open.iter_mut();
                it.next_sequence = batches.fold(0, |next, batch| {
                    batch.sequence = next;
                    next + batch.count as i32
                });
            }
            Response::Produce(told) => {
                let told = &told.responses[0].partition_responses[0];
                let first = asked.expect("a produce request has a batch");
                let place = it.open.iter().position(|batch| batch.first == first);
                let Some(place) = place else { return }; // given up
                if told.error_code.is_ok() {
                    let batch = it.open.remove(place).expect("just found");
                    it.out_of_order = 0;
                    let (topic, index, acks) = (it.topic, it.index, it.acks);
                    let at = told.base_offset as u64;
                    let numbers = batch.first..batch.first + batch.count;
                    return self.acknowledged(topic, index, acks, numbers, at);
                }
                self.refused(client, place, told.error_code);
            }
            _ => it.rests_until_us = now + 100_000,
        }
    }

    fn refused(&mut self, client: usize, place: usize, code: ErrorCode) {
        let rest = self.now_us + self.dice.between(30_000, 300_000);
        let it = self.producer(client);
        it.open.iter_mut().for_each(|batch| batch.on_its_way = false);
        it.leader = None;
        it.rests_until_us = rest;
        if code == ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER && place == 0 {
            it.out_of_order += 1;
        }
        if it.out_of_order > 3 || code == ErrorCode::INVALID_PRODUCER_EPOCH {
            // What became of these nobody will ever know: sending them anew might double them.
            it.open.clear();
            (it.id, it.out_of_order, it.next_sequence) = (None, 0, 0);
            self.counts.add("producers that began anew", 1);
        }
    }

    pub fn producer_lost(&mut self, client: usize, connection: u32) {
        let it = self.producer(client);
        it.sent.retain(|(on, _), _| *on != connection);
        it.open.iter_mut().for_each(|batch| batch.on_its_way = false);
        it.leader = None;
    }
}
