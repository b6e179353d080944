//! The orders, whoever sends them, and whoever reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;
use tokio::time::{Instant, sleep};
use wire::fetch::{FetchPartition, FetchRequest, FetchTopic, PartitionData};
use wire::{ErrorCode, Records};

use super::{ORDERS, PATIENCE, USERS};
use crate::cli::{Failure, terminal};
use crate::client::partitioner::Partitioner;
use crate::client::producer::{Message, Settings};
use crate::client::{Client, Error, Producer};
use crate::labs::partitions::Seen;
use crate::records;

/// Orders that are sent together, and wait for the broker's answer.
const GROUP: u64 = 10;
/// How far each of the senders' clocks is off.
const CLOCKS_MS: [i64; 3] = [0, -40, 25];
/// A fetch takes about two batches of each partition.
const AT_ONCE_BYTES: i32 = 512;
const BACKOFF: Duration = Duration::from_millis(50);

pub fn user(number: u64) -> String {
    format!("user-{number}")
}

/// An order, before it is sent.
pub struct Order {
    /// The first order of all has number 1.
    number: u64,
    user: String,
    time_ms: i64,
}

/// All orders, drawn one after the other.
pub struct Orders {
    chance: Pcg64,
    clocks: u64,
    now_ms: i64,
    sent: u64,
}

impl Orders {
    /// Orders that arrive at so many servers, each with a clock of its own.
    pub fn new(seed: u64, clocks: u64) -> Self {
        // In the past, so that no order seems to come from the future.
        let now_ms = terminal::wall_ms() - 3_600_000;
        Self { chance: Pcg64::new(seed.into(), 0x0de2), clocks, now_ms, sent: 0 }
    }

    /// The next ten; none when all were sent.
    pub fn group(&mut self) -> Option<Vec<Order>> {
        (self.sent < ORDERS).then(|| (0..GROUP).map(|_| self.next()).collect())
    }

    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// An order every 2 ms on average. Some fall into the same millisecond.
    fn next(&mut self) -> Order {
        self.now_ms += (self.chance.next_u32() % 5) as i64;
        self.sent += 1;
        let user = user(u64::from(self.chance.next_u32()) % USERS);
        let clock = u64::from(self.chance.next_u32()) % self.clocks;
        let time_ms = self.now_ms + CLOCKS_MS[clock as usize];
        Order { number: self.sent, user, time_ms }
    }
}

/// A producer: the user is the key, the order's number the value.
pub struct Sender {
    producer: Producer,
    partitioner: Partitioner,
}

impl Sender {
    pub async fn new(client: Client, topic: &str) -> Result<Self, Error> {
        let settings = Settings::default();
        let partitioner = Partitioner::new(settings.batch_size, 0);
        Ok(Self { producer: Producer::new(client, topic, settings).await?, partitioner })
    }

    pub async fn send(&mut self, orders: &[Order]) -> Result<(), Failure> {
        let partitions = self.producer.partitions();
        for order in orders {
            let value = order.number.to_string();
            let key = order.user.as_bytes();
            let partition = self.partitioner.partition(Some(key), value.len(), partitions)?;
            let timestamp = order.time_ms;
            let value = Some(value.as_bytes());
            let message = Message { timestamp, key: Some(key), value, ..Message::default() };
            self.producer.push(partition, message);
        }
        self.producer.close_all();
        while !self.producer.is_idle() {
            for delivery in self.producer.progress().await? {
                delivery.result?;
            }
        }
        Ok(())
    }
}

/// A consumer of all partitions, in the order of their numbers, a little of each at a time.
pub struct Reader {
    client: Client,
    topic: String,
    partitions: BTreeMap<i32, Position>,
    /// Until when an error that may pass is waited out.
    patient_until: Instant,
}

struct Position {
    leader: i32,
    /// The next offset.
    next: i64,
    /// How far the partition may be read, as the last answer said.
    end: Option<i64>,
}

impl Reader {
    pub async fn new(client: Client, topic: &str) -> Result<Self, Error> {
        let patient_until = Instant::now() + PATIENCE;
        let partitions = BTreeMap::new();
        let mut reader = Self { client, topic: topic.to_owned(), partitions, patient_until };
        reader.take_new_partitions().await?;
        Ok(reader)
    }

    pub async fn take_new_partitions(&mut self) -> Result<(), Error> {
        for led in self.client.partitions(&self.topic, false).await? {
            let leader = led.leader;
            let new = Position { leader, next: 0, end: None };
            self.partitions.entry(led.partition).or_insert(new).leader = leader;
        }
        Ok(())
    }

    /// Whether something is left, as far as is known.
    pub fn is_behind(&self) -> bool {
        self.partitions.values().any(|position| position.end.is_none_or(|end| position.next < end))
    }

    /// One fetch from each leader, and what they bring.
    pub async fn fetch(&mut self) -> Result<Vec<Seen>, Failure> {
        let leaders: BTreeSet<i32> = self.partitions.values().map(|at| at.leader).collect();
        let mut seen = Vec::new();
        let mut trouble = false;
        for leader in leaders {
            let led = self.partitions.iter().filter(|(_, position)| position.leader == leader);
            let wanted = led.map(|(&partition, position)| FetchPartition {
                partition,
                fetch_offset: position.next,
                partition_max_bytes: AT_ONCE_BYTES,
                ..Default::default()
            });
            let request = FetchRequest {
                max_wait_ms: 0,
                max_bytes: i32::MAX,
                topics: vec![FetchTopic {
                    topic: self.topic.clone(),
                    partitions: wanted.collect(),
                    ..Default::default()
                }],
                ..Default::default()
            };
            let answer = self.client.node(leader).await?.call(request).await?;
            for data in answer.responses.into_iter().flat_map(|topic| topic.partitions) {
                trouble |= !self.take(data, &mut seen)?;
            }
        }
        if trouble {
            sleep(BACKOFF).await;
            self.take_new_partitions().await?;
        } else {
            self.patient_until = Instant::now() + PATIENCE;
        }
        Ok(seen)
    }

    /// Takes what came of one partition. False: nothing, because of an error that may pass, such as a
    /// new leader that has not heard of it yet.
    fn take(&mut self, data: PartitionData, seen: &mut Vec<Seen>) -> Result<bool, Failure> {
        let partition = data.partition_index;
        let place = format!("{}-{partition}", self.topic);
        if data.error_code.is_err() {
            if data.error_code.is_retriable() && Instant::now() < self.patient_until {
                return Ok(false);
            }
            return Err(Error::refused(place, data.error_code, None).into());
        }
        let Some(position) = self.partitions.get_mut(&partition) else { return Ok(true) };
        position.end = Some(data.high_watermark);
        let Records::Here(bytes) = data.records else { return Ok(true) };
        let damaged = |error: records::Error| {
            Error::refused(&place, ErrorCode::CORRUPT_MESSAGE, Some(error.to_string()))
        };
        for batch in records::batches(&bytes) {
            let unpacked = batch.and_then(|batch| batch.records()).map_err(damaged)?;
            for record in unpacked.iter() {
                let record = record.map_err(damaged)?;
                if record.offset < position.next {
                    continue; // a batch begins before what was asked for
                }
                position.next = record.offset + 1;
                let text = |bytes: Option<&[u8]>| {
                    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
                };
                seen.push(Seen {
                    partition: partition as u32,
                    offset: record.offset as u64,
                    time_ms: record.timestamp,
                    key: text(record.key),
                    number: text(record.value).parse().unwrap_or_default(),
                });
            }
        }
        Ok(true)
    }
}
