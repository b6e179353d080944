//! `mini-broker lag`: how far behind groups are, partition by partition, and what to make of it. Live in a
//! terminal; for scripts a table, or JSON.
//!
//! It reads `__consumer_offsets` and asks for the ends of logs, as Burrow does, so it works with any Kafka broker.

mod json;
pub mod table;

use std::io::Write;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::live::Live;
use super::{Failure, terminal};
use crate::client::Client;
use crate::monitor::view::GroupView;
use crate::monitor::watch::Watch;
use crate::monitor::{Monitor, Settings};

#[derive(clap::Args)]
pub struct Args {
    /// The servers to ask first
    #[arg(long, value_name = "HOST:PORT", default_value = terminal::DEFAULT_SERVER)]
    bootstrap_server: String,

    /// Only this group
    #[arg(long, value_name = "NAME",
        value_parser = clap::builder::NonEmptyStringValueParser::new())]
    group: Option<String>,

    /// Milliseconds between two looks
    #[arg(long, value_name = "MS", default_value = "1000",
        value_parser = clap::value_parser!(u64).range(50..=86_400_000))]
    interval: u64,

    /// Look so many times, and print what is known then. Without a terminal: 2, so that there are rates
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    looks: Option<u32>,

    /// Print JSON
    #[arg(long)]
    json: bool,

    /// How many commits, and how many ends of a log, are remembered for a verdict
    #[arg(long, value_name = "NUMBER", default_value = "10",
        value_parser = clap::value_parser!(u16).range(1..=1000))]
    intervals: u16,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    let client = Client::connect(&args.bootstrap_server).await?.client_id("mini-broker-lag");
    let settings = Settings {
        intervals: args.intervals.into(),
        curve: args.intervals.into(),
        ..Settings::default()
    };
    let mut watch = Watch::begin(client, args.group.as_deref(), settings, now_ms()).await?;
    let mut live = match args.json || args.looks.is_some() {
        true => None,
        false => Live::new()?,
    };
    let mut left = match live {
        Some(_) => u32::MAX,
        None => args.looks.unwrap_or(2) - 1,
    };
    let interval = Duration::from_millis(args.interval);
    let mut looks = interval_at(Instant::now() + interval, interval);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    show(&mut live, &watch.monitor, &args)?;
    while left > 0 {
        tokio::select! {
            fetched = watch.wait() => watch.take(now_ms(), &fetched?),
            _ = looks.tick() => {
                watch.look(now_ms()).await?;
                watch.look_up_times().await?;
                show(&mut live, &watch.monitor, &args)?;
                left -= 1;
            }
            key = key(&mut live) => if key == b'q' { return Ok(()) },
        }
    }
    print(&watch.monitor, &args)
}

fn now_ms() -> u64 {
    terminal::wall_ms().try_into().unwrap_or(0)
}

async fn key(live: &mut Option<Live>) -> u8 {
    match live {
        Some(live) => live.key().await,
        None => std::future::pending().await,
    }
}

/// The groups that are asked for, as they are now.
fn groups(monitor: &Monitor, args: &Args) -> Vec<GroupView> {
    let wanted = |name: &&str| args.group.as_deref().is_none_or(|group| group == *name);
    let names = monitor.groups().filter(wanted);
    names.filter_map(|name| monitor.group(now_ms(), name)).collect()
}

fn show(live: &mut Option<Live>, monitor: &Monitor, args: &Args) -> Result<(), Failure> {
    let Some(live) = live else { return Ok(()) };
    let groups = groups(monitor, args);
    let mut lines = match (groups.is_empty(), &args.group) {
        (false, _) => table::lines(&groups),
        (true, Some(group)) => table::nothing(&format!("group {group} has committed nothing yet")),
        (true, None) => table::nothing("no group has committed anything yet"),
    };
    lines.extend(table::nothing(""));
    lines.extend(table::nothing("q: quit"));
    Ok(live.draw(&lines)?)
}

fn print(monitor: &Monitor, args: &Args) -> Result<(), Failure> {
    let groups = groups(monitor, args);
    if let (true, Some(group)) = (groups.is_empty(), &args.group) {
        return Err(Failure::new(format!("group `{group}` has committed nothing")));
    }
    if groups.is_empty() && !args.json {
        eprintln!("no group has committed anything");
    }
    let mut out = terminal::out();
    match args.json {
        true => writeln!(out, "{}", json::text(&groups))?,
        false => {
            for line in table::lines(&groups) {
                writeln!(out, "{}", line.text)?;
            }
        }
    }
    Ok(out.flush()?)
}
