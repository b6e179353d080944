//! `EndToEndLatency`: one message at a time, from just before it is sent until it has been read.

use std::io;
use std::time::Duration;

use tokio::time::{Instant, timeout};
use wire::list_offsets::LATEST;

use super::{Payload, latencies};
use crate::cli::{Failure, produce::acks, terminal};
use crate::client::consumer::{self, Fetched};
use crate::client::producer::{self, Message};
use crate::client::{Client, Consumer, Producer};
use crate::records;

/// A message that has not come back by then never will.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(clap::Args)]
pub struct Args {
    /// The servers to ask first
    #[arg(long, value_name = "HOST:PORT", default_value = terminal::DEFAULT_SERVER)]
    bootstrap_server: String,

    /// The topic to write and read
    #[arg(long, value_name = "NAME")]
    topic: String,

    /// How many messages
    #[arg(long, value_name = "NUMBER")]
    num_records: u64,

    /// 1 or all: what a message waits for before it counts as sent
    #[arg(long, visible_alias = "acks", value_name = "ACKS", default_value = "all",
        value_parser = acks, allow_negative_numbers = true)]
    producer_acks: i16,

    /// Bytes of each message
    #[arg(long, value_name = "BYTES", default_value_t = 100)]
    record_size: usize,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    if args.producer_acks == 0 {
        return Err(Failure::new("--producer-acks 0 waits for nothing: expected 1 or all"));
    }
    let mut client = Client::connect(&args.bootstrap_server).await?;
    let partitions = client.partitions(&args.topic, true).await?;
    let wanted: Vec<_> = partitions.iter().map(|led| (*led, LATEST)).collect();
    let found = client.list_offsets(&args.topic, &wanted).await?;
    let ends = partitions.iter().zip(found).map(|(led, found)| (*led, found.offset));
    let ends: Vec<_> = ends.collect();

    let settings = producer::Settings { acks: args.producer_acks, ..Default::default() };
    let own = Client::connect(&args.bootstrap_server).await?;
    let mut producer = Producer::new(own, &args.topic, settings).await?;
    let mut consumer = Consumer::new(client, &args.topic, &ends, consumer::Settings::default());
    let mut payload = Payload::new(args.record_size);
    // Microseconds.
    let mut latencies = latencies();
    let mut progress = terminal::Progress::beside_output();
    for number in 0..args.num_records {
        let partition = (number % u64::from(producer.partitions())) as i32;
        let value = payload.next();
        let start = Instant::now();
        let exchange = exchange(&mut producer, &mut consumer, partition, value);
        timeout(PATIENCE, exchange).await.map_err(|_| {
            Failure::new(format!("message {number} did not come back within {PATIENCE:?}"))
        })??;
        let us = start.elapsed().as_micros() as u64;
        latencies.saturating_record(us);
        if number % 1_000 == 0 {
            say!("{number}\t{}", us as f64 / 1_000.0);
        }
        progress.update(|| format!("{number} of {} messages", args.num_records));
    }
    drop(progress);
    say!("Avg latency: {:.4} ms", latencies.mean() / 1_000.0);
    let ms = |quantile| latencies.value_at_quantile(quantile) / 1_000;
    say!("Percentiles: 50th = {}, 99th = {}, 99.9th = {}", ms(0.5), ms(0.99), ms(0.999));
    Ok(())
}

async fn exchange(
    producer: &mut Producer,
    consumer: &mut Consumer,
    partition: i32,
    value: &[u8],
) -> Result<(), Failure> {
    let message =
        Message { timestamp: terminal::wall_ms(), value: Some(value), ..Message::default() };
    producer.push(partition, message);
    producer.close_all();
    while !producer.is_idle() {
        for delivery in producer.progress().await? {
            delivery.result?;
        }
    }
    loop {
        let mut read = 0;
        for fetched in consumer.poll().await? {
            read += check(&fetched, value)?;
        }
        match read {
            0 => {}
            1 => return Ok(()),
            more => {
                return Err(Failure::new(format!(
                    "{more} messages came where one was sent: someone else writes to this topic"
                )));
            }
        }
    }
}

/// How many messages came, each the one that was sent.
fn check(fetched: &Fetched, value: &[u8]) -> Result<usize, Failure> {
    let mut read = 0;
    for batch in records::batches(&fetched.batches) {
        let batch = batch.map_err(io::Error::from)?;
        for record in batch.records().map_err(io::Error::from)?.iter() {
            let record = record.map_err(io::Error::from)?;
            if record.offset < fetched.from {
                continue;
            }
            if record.value != Some(value) {
                return Err(Failure::new(format!(
                    "the message at offset {} of partition {} is not the one that was sent",
                    record.offset, fetched.partition
                )));
            }
            read += 1;
        }
    }
    Ok(read)
}
