//! One setting: records come at a steady rate, the followers hang, the leader dies, and in the end
//! everything is read and counted.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::topic::{Topic, in_time};
use super::{Acks, BROKERS, Plan};
use crate::cli::experiment::message;
use crate::cli::experiment::own_cluster::OwnCluster;
use crate::cli::{Failure, terminal};
use crate::client::Producer;
use crate::client::producer::Delivery;

/// What came of one setting. All times begin with the first record.
pub struct Round {
    /// What the producer holds for written, in that order.
    pub acknowledged: Vec<Acknowledged>,
    /// Different records that are there in the end.
    pub stored: u64,
    /// Acknowledged, and not there.
    pub lost: BTreeSet<u64>,
    /// Copies more than one of a record.
    pub doubled: u64,
    pub hung: Duration,
    pub killed: Duration,
    pub ended: Duration,
}

#[derive(Debug, Clone, Copy)]
pub struct Acknowledged {
    pub record: u64,
    /// When the producer knew.
    pub at: Duration,
}

impl Round {
    /// The longest time without an acknowledgement, once the followers hang: from when to when.
    pub fn gap(&self) -> (Duration, Duration) {
        let before = self.acknowledged.iter().map(|ack| ack.at).filter(|at| *at <= self.hung);
        let begin = before.max().unwrap_or(self.hung);
        let after = self.acknowledged.iter().map(|ack| ack.at).filter(|at| *at > self.hung);
        let times: Vec<Duration> = std::iter::once(begin).chain(after).collect();
        let gaps = times.windows(2).map(|pair| (pair[0], pair[1]));
        gaps.max_by_key(|(from, to)| *to - *from).unwrap_or((begin, begin))
    }
}

pub async fn run(
    cluster: &mut OwnCluster,
    topic: &Topic,
    acks: Acks,
    plan: &Plan,
    progress: &mut terminal::Progress,
) -> Result<Round, Failure> {
    // A topic that is new takes a moment to get going.
    topic.write(Acks::All, &[b"first"]).await?;
    let mut sender = Sender {
        producer: topic.producer(acks.settings()).await?,
        start: Instant::now(),
        on_their_way: VecDeque::new(),
        acknowledged: Vec::new(),
    };
    let (mut hung, mut killed) = (Duration::ZERO, Duration::ZERO);
    for record in 1..=plan.records {
        sender.until(plan.due(record)).await?;
        if record == plan.hang_at {
            for follower in &topic.followers {
                cluster.pause(*follower)?;
            }
            hung = sender.start.elapsed();
        }
        if record == plan.kill_at {
            cluster.kill(topic.leader)?;
            killed = sender.start.elapsed();
            for follower in &topic.followers {
                cluster.resume(*follower)?;
            }
        }
        sender.send(record)?;
        progress.update(|| format!("{}: {record} records sent", acks.name()));
    }
    let what = format!("{}: the last records are not acknowledged", acks.name());
    in_time(&what, sender.finish()).await?;
    let ended = sender.start.elapsed();

    cluster.restart(topic.leader).await?;
    topic.until_in_sync(BROKERS as usize).await?;
    let seen = topic.read().await?;
    let lost = sender.acknowledged.iter().map(|ack| ack.record);
    Ok(Round {
        lost: lost.filter(|record| !seen.contains_key(record)).collect(),
        acknowledged: sender.acknowledged,
        stored: seen.len() as u64,
        doubled: seen.values().map(|copies| copies - 1).sum(),
        hung,
        killed,
        ended,
    })
}

struct Sender {
    producer: Producer,
    start: Instant,
    /// One partition, one request: they end as they were sent.
    on_their_way: VecDeque<u64>,
    acknowledged: Vec<Acknowledged>,
}

impl Sender {
    async fn until(&mut self, due: Duration) -> Result<(), Failure> {
        let due = self.start + due;
        while Instant::now() < due {
            let ended = tokio::select! {
                ended = self.producer.progress() => ended?,
                () = sleep_until(due) => break,
            };
            self.count(ended)?;
        }
        Ok(())
    }

    fn send(&mut self, record: u64) -> Result<(), Failure> {
        self.on_their_way.push_back(record);
        self.producer.push(0, message(record.to_string().as_bytes()));
        let ended = self.producer.try_progress()?;
        self.count(ended)
    }

    async fn finish(&mut self) -> Result<(), Failure> {
        self.producer.close_all();
        while !self.producer.is_idle() {
            let ended = self.producer.progress().await?;
            self.count(ended)?;
        }
        Ok(())
    }

    fn count(&mut self, ended: Vec<Delivery>) -> Result<(), Failure> {
        let at = self.start.elapsed();
        for delivery in ended {
            delivery.result?;
            let records = self.on_their_way.drain(..delivery.pushed.len());
            let acknowledged = records.map(|record| Acknowledged { record, at });
            self.acknowledged.extend(acknowledged);
        }
        Ok(())
    }
}
