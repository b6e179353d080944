//! `ConsumerPerformance`: how fast messages can be read. All partitions, without a group.

use std::io;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use wire::list_offsets::{EARLIEST, LATEST};

use super::MB;
use crate::cli::{Failure, terminal};
use crate::client::consumer::{Fetched, Settings};
use crate::client::{Client, Consumer};
use crate::records;

#[derive(clap::Args)]
pub struct Args {
    /// The servers to ask first
    #[arg(long, value_name = "HOST:PORT", default_value = terminal::DEFAULT_SERVER)]
    bootstrap_server: String,

    /// The topic to read
    #[arg(long, value_name = "NAME")]
    topic: String,

    /// How many messages to read
    #[arg(long, visible_alias = "messages", value_name = "NUMBER")]
    num_records: u64,

    /// The most that one answer brings of a partition
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 20)]
    fetch_size: i32,

    /// Read what is written from now on, not from the beginning
    #[arg(long)]
    from_latest: bool,

    /// Give up when nothing has come for so long
    #[arg(long, value_name = "MS", default_value_t = 10_000)]
    timeout: u64,

    /// Print no line of column names
    #[arg(long)]
    hide_header: bool,

    /// Print a line every reporting interval
    #[arg(long)]
    show_detailed_stats: bool,

    /// How often
    #[arg(long, value_name = "MS", default_value_t = 5_000)]
    reporting_interval: u64,
}

#[derive(Clone, Copy, Default)]
struct Count {
    messages: u64,
    bytes: u64,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    let mut client = Client::connect(&args.bootstrap_server).await?;
    let partitions = client.partitions(&args.topic, true).await?;
    let end = if args.from_latest { LATEST } else { EARLIEST };
    let wanted: Vec<_> = partitions.iter().map(|led| (*led, end)).collect();
    let found = client.list_offsets(&args.topic, &wanted).await?;
    let from: Vec<_> = partitions
        .iter()
        .filter_map(|led| {
            found.iter().find(|f| f.partition == led.partition).map(|f| (*led, f.offset))
        })
        .collect();
    let settings = Settings { partition_max_bytes: args.fetch_size, ..Settings::default() };
    let mut consumer = Consumer::new(client, &args.topic, &from, settings);

    print_header(&args);
    let (start, start_ms) = (Instant::now(), terminal::wall_ms());
    let read = read(&mut consumer, &args, start).await?;
    if !args.show_detailed_stats {
        let took = start.elapsed();
        let times = [start_ms, terminal::wall_ms()].map(|ms| terminal::utc(ms, ':'));
        say!("{}, {}", times.join(", "), columns(read, read, took, took));
    }
    Ok(())
}

async fn read(consumer: &mut Consumer, args: &Args, start: Instant) -> Result<Count, Failure> {
    let patience = Duration::from_millis(args.timeout);
    let interval = Duration::from_millis(args.reporting_interval);
    let (mut all, mut last) = (Count::default(), Count::default());
    let (mut last_message, mut last_report) = (start, start);
    let mut progress = terminal::Progress::alone();
    while all.messages < args.num_records {
        let fetched = tokio::select! {
            fetched = consumer.poll() => fetched?,
            () = sleep_until(last_message + patience) => {
                drop(progress);
                say!(
                    "WARNING: Exiting before consuming the expected number of messages: timeout \
                     ({} ms) exceeded. You can use the --timeout option to increase the timeout.",
                    args.timeout
                );
                return Ok(all);
            }
        };
        let before = all.messages;
        for fetched in &fetched {
            count(fetched, &mut all).map_err(io::Error::from)?;
        }
        let now = Instant::now();
        if all.messages > before {
            last_message = now;
        }
        if args.show_detailed_stats && now - last_report >= interval {
            let time = terminal::utc(terminal::wall_ms(), ':');
            let delta =
                Count { messages: all.messages - last.messages, bytes: all.bytes - last.bytes };
            say!("{time}, 0, {}", columns(all, delta, now - last_report, now - last_report));
            (last, last_report) = (all, now);
        }
        progress.update(|| format!("{} of {} messages", all.messages, args.num_records));
    }
    Ok(all)
}

fn count(fetched: &Fetched, all: &mut Count) -> Result<(), records::Error> {
    for batch in records::batches(&fetched.batches) {
        let batch = batch?;
        if batch.header.is_control() {
            continue;
        }
        for record in batch.records()?.iter() {
            let record = record?;
            if record.offset >= fetched.from {
                let size = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len) as u64;
                all.messages += 1;
                all.bytes += size(record.key) + size(record.value);
            }
        }
    }
    Ok(())
}

fn print_header(args: &Args) {
    if args.hide_header {
        return;
    }
    let times = match args.show_detailed_stats {
        true => "time, threadId",
        false => "start.time, end.time",
    };
    say!(
        "{times}, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, \
         rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec"
    );
}

/// All read so far, and the rates of the part that took so long. Without a group there is no
/// rebalance, and all time is fetch time.
fn columns(all: Count, part: Count, took: Duration, fetching: Duration) -> String {
    let mb = |count: Count| count.bytes as f64 / MB;
    let per = |amount: f64, time: Duration| amount / time.as_secs_f64().max(0.001);
    format!(
        "{:.4}, {:.4}, {}, {:.4}, 0, {}, {:.4}, {:.4}",
        mb(all),
        per(mb(part), took),
        all.messages,
        per(part.messages as f64, took),
        fetching.as_millis(),
        per(mb(part), fetching),
        per(part.messages as f64, fetching),
    )
}
