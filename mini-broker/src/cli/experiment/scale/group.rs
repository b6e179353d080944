//! One group: so many consumers on one topic, and what they do together once it has settled.

use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, timeout_at};

use super::RATE;
use crate::cli::Failure;
use crate::cli::experiment::own_member::{Heard, OwnMember, Said, What};
use crate::labs;

/// A group settles within a second; a machine that is busy may take longer.
const PATIENCE: Duration = Duration::from_secs(20);
/// The first records come a moment after the plan.
const WARM_UP: Duration = Duration::from_millis(300);
/// A consumer polls again when it has done what one fetch has brought: not much.
const FETCH_BYTES: usize = 2_048;

pub struct Plan {
    pub server: String,
    pub topic: String,
    pub consumers: usize,
}

#[derive(Debug, Clone, Copy)]
pub struct Measured {
    pub records: u64,
    pub time: Duration,
    /// Consumers without a partition.
    pub idle: usize,
}

impl Measured {
    pub fn records_per_s(&self) -> u64 {
        (self.records as f64 / self.time.as_secs_f64()).round() as u64
    }
}

impl Plan {
    pub async fn measure(&self, window: Duration) -> Result<Measured, Failure> {
        let (hears, heard) = unbounded_channel();
        let start = |number| OwnMember::start(number, &self.args(number), &hears);
        let _members = (0..self.consumers).map(start).collect::<Result<Vec<_>, _>>()?;
        let mut group = Group { heard, assigned: vec![(-1, 0); self.consumers] };
        group.settle().await?;
        group.done_until(Instant::now() + WARM_UP).await?;
        let begin = Instant::now();
        let records = group.done_until(begin + window).await?;
        Ok(Measured { records, time: begin.elapsed(), idle: group.idle() })
    }

    fn args(&self, number: usize) -> Vec<String> {
        let named = [
            ("bootstrap-server", self.server.clone()),
            ("topic", self.topic.clone()),
            ("group", format!("{}-{}", self.topic, self.consumers)),
            ("name", format!("consumer-{number}")),
            ("cost-us", (1_000_000 / RATE).to_string()),
            ("heartbeat-interval-ms", "200".to_owned()),
            ("auto-commit-interval-ms", "500".to_owned()),
            ("max-partition-fetch-bytes", FETCH_BYTES.to_string()),
        ];
        named.into_iter().flat_map(|(name, value)| [format!("--{name}"), value]).collect()
    }
}

struct Group {
    heard: UnboundedReceiver<Heard>,
    /// The generation each has heard of last, and how many partitions it has.
    assigned: Vec<(i32, usize)>,
}

impl Group {
    /// Waits until all know of the same generation. Then it has all of them: who joins later is in a
    /// later one.
    async fn settle(&mut self) -> Result<(), Failure> {
        let give_up = Instant::now() + PATIENCE;
        while self.assigned.iter().any(|one| one.0 < 0 || one.0 != self.assigned[0].0) {
            if self.next(give_up).await?.is_none() {
                let whose = match labs::yours("consumer-groups") {
                    Some(organ) => {
                        format!("; your consumer-groups ({}/src) coordinates it", organ.folder)
                    }
                    None => String::new(),
                };
                let (count, seconds) = (self.assigned.len(), PATIENCE.as_secs());
                return Err(Failure::new(format!(
                    "a group of {count} has no plan for all within {seconds} s{whose}"
                )));
            }
        }
        Ok(())
    }

    /// How many records are done until then.
    async fn done_until(&mut self, end: Instant) -> Result<u64, Failure> {
        let mut done = 0;
        while let Some(records) = self.next(end).await? {
            done += records;
        }
        Ok(done)
    }

    /// The next thing that is heard: how many records it says are done. `None`: the time is over.
    async fn next(&mut self, end: Instant) -> Result<Option<u64>, Failure> {
        let Ok(Some(Heard { member, what, .. })) = timeout_at(end, self.heard.recv()).await else {
            return Ok(None);
        };
        match what {
            What::Said(Said::Assigned { generation, partitions }) => {
                self.assigned[member] = (generation, partitions.len());
                Ok(Some(0))
            }
            What::Said(Said::Done { first, last, .. }) => Ok(Some((last - first + 1) as u64)),
            What::Said(Said::Late) => Ok(Some(0)),
            What::Ended(words) => Err(Failure::new(format!("consumer {}: {words}", member + 1))),
        }
    }

    fn idle(&self) -> usize {
        self.assigned.iter().filter(|(_, partitions)| *partitions == 0).count()
    }
}
