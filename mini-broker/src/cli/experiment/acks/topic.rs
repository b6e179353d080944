//! A topic of one partition and three replicas, whose leader is known.

use std::collections::BTreeMap;
use std::future::Future;

use tokio::time::{Instant, sleep, timeout};
use wire::list_offsets::LATEST;

use super::{Acks, BROKERS, PATIENCE};
use crate::cli::Failure;
use crate::cli::experiment::message;
use crate::cli::experiment::own_cluster::OwnCluster;
use crate::client::admin::NewTopic;
use crate::client::consumer::{self, Consumer};
use crate::client::producer::{Producer, Settings};
use crate::client::{Client, Error};
use crate::{labs, records};

/// A record behind all that are counted.
const LAST: &[u8] = b"last";

pub struct Topic {
    servers: String,
    pub name: String,
    pub leader: i32,
    pub followers: Vec<i32>,
}

impl Topic {
    pub async fn create(
        cluster: &OwnCluster,
        name: &str,
        leader: i32,
        min_in_sync: u32,
    ) -> Result<Self, Failure> {
        // acks=0 is no name for a topic.
        let name = name.replace('=', "-");
        let followers: Vec<i32> = (1..BROKERS).map(|n| (leader - 1 + n) % BROKERS + 1).collect();
        let new = NewTopic {
            name: name.clone(),
            partitions: -1,
            replication_factor: -1,
            assignments: vec![[vec![leader], followers.clone()].concat()],
            configs: vec![("min.insync.replicas".to_owned(), min_in_sync.to_string())],
        };
        let topic = Self { servers: cluster.servers(), name, leader, followers };
        topic.client().await?.create_topic(&new).await?;
        topic.until_in_sync(BROKERS as usize).await?;
        Ok(topic)
    }

    pub async fn client(&self) -> Result<Client, Error> {
        Client::connect(&self.servers).await
    }

    pub async fn producer(&self, settings: Settings) -> Result<Producer, Error> {
        Producer::new(self.client().await?, &self.name, settings).await
    }

    /// Waits until so many replicas are in sync.
    pub async fn until_in_sync(&self, count: usize) -> Result<(), Failure> {
        let mut client = self.client().await?;
        let give_up = Instant::now() + PATIENCE;
        loop {
            let answer = client.metadata(Some(&[&self.name]), false).await?;
            let mut partitions = answer.topics.iter().flat_map(|topic| &topic.partitions);
            let partition = partitions.next();
            if partition.is_some_and(|p| p.leader_id >= 0 && p.isr_nodes.len() == count) {
                return Ok(());
            }
            if Instant::now() > give_up {
                let found = partition.map_or(0, |partition| partition.isr_nodes.len());
                return Err(Failure::new(format!(
                    "{}: {found} replicas are in sync, expected {count} within {} s",
                    self.name,
                    PATIENCE.as_secs()
                )));
            }
            sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// Writes records, and waits until all are acknowledged. The offset after the last one.
    pub async fn write(&self, acks: Acks, values: &[&[u8]]) -> Result<i64, Failure> {
        let mut producer = self.producer(acks.settings()).await?;
        let mut end = 0;
        let all = async {
            for value in values {
                producer.push(0, message(value));
                producer.close_all();
                while !producer.is_idle() {
                    for delivery in producer.progress().await? {
                        end = delivery.result? + delivery.pushed.len() as i64;
                    }
                }
            }
            Ok(())
        };
        in_time(&format!("{}: nothing is acknowledged", acks.name()), all).await?;
        Ok(end)
    }

    /// The high watermark.
    pub async fn end(&self) -> Result<i64, Failure> {
        let mut client = self.client().await?;
        let led = client.partitions(&self.name, false).await?;
        let wanted: Vec<_> = led.into_iter().map(|led| (led, LATEST)).collect();
        let found = client.list_offsets(&self.name, &wanted).await?;
        Ok(found.first().map_or(0, |found| found.offset))
    }

    /// Reads everything: each number, and how often it is there.
    pub async fn read(&self) -> Result<BTreeMap<u64, u64>, Failure> {
        // Once this one is acknowledged, all before it can be read.
        let end = self.write(Acks::All, &[LAST]).await?;
        let mut client = self.client().await?;
        let led = client.partitions(&self.name, false).await?;
        let from: Vec<_> = led.into_iter().map(|led| (led, 0)).collect();
        let settings = consumer::Settings::default();
        let mut consumer = Consumer::new(client, &self.name, &from, settings);
        let mut seen = BTreeMap::new();
        let all = async {
            while consumer.position(0).is_some_and(|next| next < end) {
                for fetched in consumer.poll().await? {
                    count(&fetched.batches, fetched.from, &mut seen)?;
                }
            }
            Ok(())
        };
        in_time(&format!("{} cannot be read to its end", self.name), all).await?;
        Ok(seen)
    }
}

/// Whoever waits for too long says for what.
pub async fn in_time<T>(
    what: &str,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let late = |_| {
        let whose = match labs::yours("acks") {
            Some(organ) => format!("; your acks ({}/src) decides when", organ.folder),
            None => String::new(),
        };
        Failure::new(format!("{what}, and {} s are over{whose}", PATIENCE.as_secs()))
    };
    timeout(PATIENCE, work).await.map_err(late)?
}

/// The values of one partition's batches, from an offset on.
pub fn values(batches: &[u8], from: i64) -> Result<Vec<Vec<u8>>, Failure> {
    let mut values = Vec::new();
    for batch in records::batches(batches) {
        let unpacked = batch.and_then(|batch| batch.records()).map_err(std::io::Error::from)?;
        for record in unpacked.iter() {
            let record = record.map_err(std::io::Error::from)?;
            if record.offset >= from {
                values.push(record.value.unwrap_or_default().to_vec());
            }
        }
    }
    Ok(values)
}

fn count(batches: &[u8], from: i64, seen: &mut BTreeMap<u64, u64>) -> Result<(), Failure> {
    for value in values(batches, from)? {
        if let Ok(number) = String::from_utf8_lossy(&value).parse() {
            *seen.entry(number).or_default() += 1;
        }
    }
    Ok(())
}
