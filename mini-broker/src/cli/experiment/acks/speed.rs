//! How fast is each setting? Records go out as fast as one producer can: one by one, each when the last
//! one is acknowledged, and in batches, while there is one request on its way. The settings take turns,
//! so that whatever else this machine does slows all of them.

use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::time::Instant;

use super::topic::{Topic, in_time};
use super::{Acks, OwnCluster};
use crate::cli::Failure;
use crate::cli::experiment::message;
use crate::client::Producer;
use crate::client::producer::{Delivery, Settings};

const TURNS: usize = 5;
const TURN: Duration = Duration::from_millis(80);
const RECORD: [u8; 100] = [b'x'; 100];
/// So much waits at most: four batches.
const BUFFER: usize = 64 << 10;

pub struct Speed {
    pub acks: Acks,
    pub one_by_one: Rate,
    pub in_batches: Rate,
}

pub struct Rate {
    time: Duration,
    /// Microseconds from `push` until it was acknowledged.
    took: Histogram<u64>,
}

impl Rate {
    fn new() -> Self {
        // Up to a minute.
        let took = Histogram::new_with_bounds(1, 60_000_000, 3).expect("the bounds are possible");
        Self { time: Duration::ZERO, took }
    }

    pub fn records_per_s(&self) -> u64 {
        (self.took.len() as f64 / self.time.as_secs_f64().max(1e-9)) as u64
    }

    pub fn p99_ms(&self) -> f64 {
        self.took.value_at_quantile(0.99) as f64 / 1_000.0
    }
}

pub async fn measure(cluster: &OwnCluster) -> Result<Vec<Speed>, Failure> {
    let mut all = Vec::new();
    for acks in Acks::EACH {
        let topic = Topic::create(cluster, &format!("{}-speed", acks.name()), 1, 2).await?;
        // A topic that is new takes a moment to get going.
        topic.write(Acks::All, &[b"first"]).await?;
        let producer = topic.producer(Settings { buffer: BUFFER, ..acks.settings() }).await?;
        let speed = Speed { acks, one_by_one: Rate::new(), in_batches: Rate::new() };
        all.push((topic, producer, speed));
    }
    for _ in 0..TURNS {
        for (topic, producer, speed) in &mut all {
            let what = format!("{}: a burst is not acknowledged to its end", speed.acks.name());
            in_time(&what, burst(producer, true, &mut speed.one_by_one)).await?;
            in_time(&what, burst(producer, false, &mut speed.in_batches)).await?;
            // The next begins when the followers have all of it.
            topic.write(Acks::All, &[b"last"]).await?;
        }
    }
    Ok(all.into_iter().map(|(_, _, speed)| speed).collect())
}

async fn burst(producer: &mut Producer, one_by_one: bool, rate: &mut Rate) -> Result<(), Failure> {
    let start = Instant::now();
    while start.elapsed() < TURN {
        for _ in 0..if one_by_one { 1 } else { 64 } {
            producer.push(0, message(&RECORD));
        }
        count(producer.try_progress()?, rate)?;
        while producer.is_full() || (one_by_one && !producer.is_idle()) {
            count(producer.progress().await?, rate)?;
        }
    }
    producer.close_all();
    while !producer.is_idle() {
        count(producer.progress().await?, rate)?;
    }
    rate.time += start.elapsed();
    Ok(())
}

fn count(ended: Vec<Delivery>, rate: &mut Rate) -> Result<(), Failure> {
    let now = Instant::now();
    for delivery in ended {
        delivery.result?;
        for pushed in delivery.pushed {
            rate.took.saturating_record((now - pushed).as_micros() as u64);
        }
    }
    Ok(())
}
