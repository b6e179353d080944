//! `ProducerPerformance`: a stream of messages, and how long each took until it was answered.

use std::path::PathBuf;
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::time::{Instant, sleep_until};

use super::{MB, Payload, latencies};
use crate::cli::{Failure, produce::acks, terminal};
use crate::client::partitioner::Partitioner;
use crate::client::producer::{Delivery, Message, Settings};
use crate::client::{Client, Producer};

#[derive(clap::Args)]
pub struct Args {
    /// The servers to ask first; also --producer-props bootstrap.servers=HOST:PORT
    #[arg(long, value_name = "HOST:PORT")]
    bootstrap_server: Option<String>,

    /// The topic to write to
    #[arg(long, value_name = "NAME")]
    topic: String,

    /// How many messages to send
    #[arg(long, value_name = "NUMBER")]
    num_records: u64,

    /// Bytes of each message
    #[arg(long, value_name = "BYTES", required_unless_present = "payload_file")]
    record_size: Option<usize>,

    /// Send the lines of this file instead, over and over
    #[arg(long, value_name = "FILE", conflicts_with = "record_size")]
    payload_file: Option<PathBuf>,

    /// Messages a second; -1: as many as the broker takes
    #[arg(long, value_name = "NUMBER", default_value_t = -1.0, allow_negative_numbers = true)]
    throughput: f64,

    /// Settings of the producer: acks, enable.idempotence, linger.ms, batch.size, compression.type,
    /// buffer.memory, max.in.flight.requests.per.connection, request.timeout.ms, delivery.timeout.ms,
    /// bootstrap.servers
    #[arg(long, visible_alias = "command-property", value_name = "NAME=VALUE", num_args = 1..,
        value_parser = terminal::name_value)]
    producer_props: Vec<(String, String)>,

    /// How often to print a line about the time since the last one
    #[arg(long, value_name = "MS", default_value_t = 5_000)]
    reporting_interval: u64,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    let mut settings =
        Settings { linger: Duration::from_millis(5), max_in_flight: 5, ..Settings::default() };
    let servers = configure(&mut settings, &args.producer_props)?;
    let servers = args.bootstrap_server.or(servers);
    let servers = servers.unwrap_or_else(|| terminal::DEFAULT_SERVER.to_owned());
    let mut messages = match (&args.payload_file, args.record_size) {
        (Some(file), _) => Messages::from_file(file)?,
        (None, size) => Messages::Random(Payload::new(size.unwrap_or_default())),
    };
    let client = Client::connect(&servers).await?;
    let partitioner = Partitioner::new(settings.batch_size, terminal::seed());
    let mut producer = Producer::new(client, &args.topic, settings).await?;
    terminal::say_whose_partitioner();
    let mut stats = Stats::new(Duration::from_millis(args.reporting_interval));
    send(&mut producer, &mut messages, partitioner, &args.throughput, args.num_records, &mut stats)
        .await?;
    stats.print_total();
    match stats.first_error {
        None => Ok(()),
        Some(error) => Err(Failure::new(format!("{} messages not delivered: {error}", stats.lost))),
    }
}

async fn send(
    producer: &mut Producer,
    messages: &mut Messages,
    mut partitioner: Partitioner,
    throughput: &f64,
    count: u64,
    stats: &mut Stats,
) -> Result<(), Failure> {
    let partitions = producer.partitions();
    for sent in 0..count {
        let value = messages.next();
        stats.size(value.len());
        let partition = partitioner.partition(None, value.len(), partitions)?;
        let timestamp = terminal::wall_ms();
        producer.push(partition, Message { timestamp, value: Some(value), ..Message::default() });
        if *throughput > 0.0 {
            let due = stats.start + Duration::from_secs_f64((sent + 1) as f64 / throughput);
            while Instant::now() < due {
                tokio::select! {
                    () = sleep_until(due) => {}
                    ended = producer.progress() => stats.ended(ended?),
                }
            }
        }
        // Not at every message: looking costs more than pushing.
        if sent % 64 == 0 {
            stats.ended(producer.try_progress()?);
        }
        while producer.is_full() {
            stats.ended(producer.progress().await?);
        }
    }
    producer.close_all();
    while !producer.is_idle() {
        stats.ended(producer.progress().await?);
    }
    Ok(())
}

/// Applies `--producer-props`; returns `bootstrap.servers`.
fn configure(
    settings: &mut Settings,
    props: &[(String, String)],
) -> Result<Option<String>, Failure> {
    let mut servers = None;
    for (name, value) in props {
        let bad = |expected: &str| {
            Failure::new(format!("{name}=`{value}` is not possible: expected {expected}"))
        };
        let number = || value.parse::<u32>().map_err(|_| bad("a number"));
        match &name[..] {
            "bootstrap.servers" => servers = Some(value.clone()),
            "acks" => settings.acks = acks(value).map_err(|_| bad("0, 1, -1 or all"))?,
            "enable.idempotence" => {
                settings.idempotent = value.parse().map_err(|_| bad("true or false"))?;
            }
            "request.timeout.ms" => {
                settings.request_timeout = Duration::from_millis(number()?.into());
            }
            "delivery.timeout.ms" => {
                settings.delivery_timeout = Duration::from_millis(number()?.into());
            }
            "linger.ms" => settings.linger = Duration::from_millis(number()?.into()),
            "batch.size" => settings.batch_size = number()? as usize,
            "buffer.memory" => settings.buffer = number()? as usize,
            "compression.type" => {
                settings.codec =
                    value.parse().map_err(|_| bad("none, gzip, snappy, lz4 or zstd"))?;
            }
            "max.in.flight.requests.per.connection" => {
                settings.max_in_flight = number()?.max(1) as usize;
            }
            _ => {
                return Err(Failure::new(format!(
                    "producer setting `{name}` is unknown: expected acks, enable.idempotence, \
                     linger.ms, batch.size, compression.type, buffer.memory, \
                     max.in.flight.requests.per.connection, request.timeout.ms, \
                     delivery.timeout.ms or bootstrap.servers"
                )));
            }
        }
    }
    Ok(servers)
}

enum Messages {
    Random(Payload),
    Lines { lines: Vec<Vec<u8>>, next: usize },
}

impl Messages {
    fn from_file(file: &std::path::Path) -> Result<Self, Failure> {
        let bytes = std::fs::read(file)
            .map_err(|error| Failure::new(format!("cannot read {}: {error}", file.display())))?;
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let lines: Vec<_> = lines.map(<[u8]>::to_vec).collect();
        match lines.is_empty() {
            true => Err(Failure::new(format!("{} holds no line to send", file.display()))),
            false => Ok(Messages::Lines { lines, next: 0 }),
        }
    }

    fn next(&mut self) -> &[u8] {
        match self {
            Messages::Random(payload) => payload.next(),
            Messages::Lines { lines, next } => {
                *next = (*next + 1) % lines.len();
                &lines[*next]
            }
        }
    }
}

/// `ProducerPerformance.Stats`: windows of five seconds, and the whole.
struct Stats {
    start: Instant,
    every: Duration,
    bytes_pushed: u64,
    messages_pushed: u64,
    /// Microseconds.
    latencies: Histogram<u64>,
    window_start: Instant,
    window: Window,
    delivered: u64,
    lost: u64,
    first_error: Option<String>,
}

#[derive(Default)]
struct Window {
    count: u64,
    total_us: u64,
    max_us: u64,
}

impl Stats {
    fn new(every: Duration) -> Self {
        let now = Instant::now();
        Stats {
            start: now,
            every,
            bytes_pushed: 0,
            messages_pushed: 0,
            latencies: latencies(),
            window_start: now,
            window: Window::default(),
            delivered: 0,
            lost: 0,
            first_error: None,
        }
    }

    fn size(&mut self, bytes: usize) {
        self.bytes_pushed += bytes as u64;
        self.messages_pushed += 1;
    }

    fn ended(&mut self, deliveries: Vec<Delivery>) {
        let now = Instant::now();
        for delivery in deliveries {
            if let Err(error) = delivery.result {
                self.lost += delivery.pushed.len() as u64;
                self.first_error.get_or_insert_with(|| error.to_string());
                continue;
            }
            self.delivered += delivery.pushed.len() as u64;
            for pushed in delivery.pushed {
                let us = (now - pushed).as_micros() as u64;
                self.latencies.saturating_record(us);
                self.window.count += 1;
                self.window.total_us += us;
                self.window.max_us = self.window.max_us.max(us);
            }
        }
        if now - self.window_start >= self.every {
            self.print_window(now);
        }
    }

    fn print_window(&mut self, now: Instant) {
        let Window { count, total_us, max_us } = std::mem::take(&mut self.window);
        let (per_s, mb_per_s) = self.rates(count, now - self.window_start);
        self.window_start = now;
        say!(
            "{count} records sent, {per_s:.1} records/sec ({mb_per_s:.2} MB/sec), \
             {:.1} ms avg latency, {:.1} ms max latency.",
            total_us as f64 / count.max(1) as f64 / 1_000.0,
            max_us as f64 / 1_000.0,
        );
    }

    fn print_total(&self) {
        let (per_s, mb_per_s) = self.rates(self.delivered, self.start.elapsed());
        let ms = |quantile| self.latencies.value_at_quantile(quantile) / 1_000;
        say!(
            "{} records sent, {per_s:.1} records/sec ({mb_per_s:.2} MB/sec), {:.2} ms avg latency, \
             {:.2} ms max latency, {} ms 50th, {} ms 95th, {} ms 99th, {} ms 99.9th.",
            self.delivered,
            self.latencies.mean() / 1_000.0,
            self.latencies.max() as f64 / 1_000.0,
            ms(0.5),
            ms(0.95),
            ms(0.99),
            ms(0.999),
        );
    }

    /// Messages and megabytes a second; the size of a message is the average of all.
    fn rates(&self, count: u64, took: Duration) -> (f64, f64) {
        let per_s = count as f64 / took.as_secs_f64().max(1e-9);
        let size = self.bytes_pushed as f64 / self.messages_pushed.max(1) as f64;
        (per_s, per_s * size / MB)
    }
}
