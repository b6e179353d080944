//! `experiment member`: a consumer of a group as a process of its own, for experiments that kill it,
//! freeze it and slow it down.
//!
//! A record costs it a fixed time, which it sleeps: so a small machine has room for many. It says on
//! standard output what happens, a line each (`Said`). What it has said to be done is done, whatever
//! becomes of it in the next moment. It takes orders from standard input: `cost-us 5000`, and `stuck 1` or
//! `stuck 0`. When that ends, so does the member, with a commit and a goodbye.

use std::io::{self, BufRead, Write};
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::own_member::Said;
use crate::cli::Failure;
use crate::client::group_consumer::{Event, GroupConsumer, Reset, Settings};
use crate::client::{Client, member};
use crate::records;

/// So much of what the machine has held it up for is made up for. What it has been frozen for is not.
const CREDIT: Duration = Duration::from_millis(50);
/// A record that cannot be done is tried so often.
const RETRY: Duration = Duration::from_millis(100);
/// For each of commit and leave.
const GOODBYE: Duration = Duration::from_secs(5);

#[derive(clap::Args)]
pub struct Args {
    #[arg(long, value_name = "HOST:PORT")]
    bootstrap_server: String,

    #[arg(long)]
    topic: String,

    #[arg(long)]
    group: String,

    /// Its client id: member ids begin with it
    #[arg(long)]
    name: String,

    /// What a record costs, in microseconds
    #[arg(long, default_value_t = 0)]
    cost_us: u64,

    #[arg(long, default_value_t = 45_000)]
    session_timeout_ms: u64,

    #[arg(long, default_value_t = 3_000)]
    heartbeat_interval_ms: u64,

    #[arg(long, default_value_t = 300_000)]
    max_poll_interval_ms: u64,

    /// Without: it never commits
    #[arg(long)]
    auto_commit_interval_ms: Option<u64>,

    #[arg(long, default_value_t = 1 << 20)]
    max_partition_fetch_bytes: i32,

    /// It is stuck at the first record, until it is told otherwise
    #[arg(long)]
    stuck: bool,

    /// Its own kill -9, when so many records are done
    #[arg(long)]
    dies_after: Option<u64>,
}

impl Args {
    fn settings(&self) -> Settings {
        let millis = Duration::from_millis;
        Settings {
            member: member::Settings {
                session_timeout: millis(self.session_timeout_ms),
                heartbeat_interval: millis(self.heartbeat_interval_ms),
                rebalance_timeout: millis(self.max_poll_interval_ms),
                ..member::Settings::of_group(&self.group)
            },
            reset: Reset::Earliest,
            auto_commit_interval: self.auto_commit_interval_ms.map(millis),
            partition_max_bytes: self.max_partition_fetch_bytes,
            ..Settings::of_group(&self.group)
        }
    }
}

pub async fn run(args: Args) -> Result<(), Failure> {
    let mut orders = orders(Orders { cost_us: args.cost_us, stuck: args.stuck });
    let client = Client::connect(&args.bootstrap_server).await?.client_id(&args.name);
    let mut consumer = GroupConsumer::new(client, &args.topic, args.settings());
    let mut work = Work {
        orders: orders.clone(),
        due: Instant::now(),
        done: 0,
        dies_after: args.dies_after,
        unsaid: None,
    };
    tokio::select! {
        result = work.on(&mut consumer) => result?,
        () = ended(&mut orders) => {}
    }
    Ok(consumer.close(GOODBYE).await?)
}

/// How it works from now on.
#[derive(Debug, Clone, Copy)]
struct Orders {
    /// What a record costs, in microseconds.
    cost_us: u64,
    /// There is a record that it cannot do. It tries it again and again, and commits where it is.
    stuck: bool,
}

impl Orders {
    fn told(&mut self, line: &str) -> Option<()> {
        let (name, number) = line.split_once(' ')?;
        match name {
            "cost-us" => self.cost_us = number.parse().ok()?,
            "stuck" => self.stuck = number.parse::<u8>().ok()? == 1,
            _ => return None,
        }
        Some(())
    }
}

fn orders(first: Orders) -> watch::Receiver<Orders> {
    let (sender, receiver) = watch::channel(first);
    // Nobody waits for it in the end: it may be reading for as long as the process lives.
    tokio::task::spawn_blocking(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            let mut orders = *sender.borrow();
            match orders.told(&line) {
                Some(()) => _ = sender.send_replace(orders),
                None => eprintln!("an order is `cost-us NUMBER` or `stuck 1`, not `{line}`"),
            }
        }
    });
    receiver
}

async fn ended(orders: &mut watch::Receiver<Orders>) {
    while orders.changed().await.is_ok() {}
}

struct Work {
    orders: watch::Receiver<Orders>,
    /// When the last record's time is over.
    due: Instant,
    done: u64,
    dies_after: Option<u64>,
    /// Done, and not said yet.
    unsaid: Option<Said>,
}

impl Work {
    async fn on(&mut self, consumer: &mut GroupConsumer) -> Result<(), Failure> {
        loop {
            match consumer.poll().await? {
                Event::Assigned { generation, mut partitions } => {
                    partitions.sort_unstable();
                    say(&Said::Assigned { generation, partitions })?;
                }
                Event::Late(_) => say(&Said::Late)?,
                Event::Fetched(fetched) => {
                    for fetched in &fetched {
                        for batch in records::batches(&fetched.batches) {
                            let batch = batch.map_err(io::Error::from)?;
                            let leader_epoch = batch.header.leader_epoch;
                            let records = batch.records().map_err(io::Error::from)?;
                            for record in records.iter() {
                                let offset = record.map_err(io::Error::from)?.offset;
                                // The first batch may begin before what was asked for.
                                if offset >= fetched.from {
                                    self.waits_while_stuck(consumer).await?;
                                    self.one(fetched.partition, offset).await?;
                                    consumer.read(fetched.partition, offset, leader_epoch);
                                }
                            }
                        }
                    }
                    self.say_all()?;
                }
            }
        }
    }

    /// A record that cannot be done holds up all that come after it.
    async fn waits_while_stuck(&mut self, consumer: &mut GroupConsumer) -> Result<(), Failure> {
        while self.orders.borrow_and_update().stuck {
            self.say_all()?;
            consumer.commit_if_due().await?;
            sleep(RETRY).await;
        }
        Ok(())
    }

    /// Works on a record for as long as it costs.
    async fn one(&mut self, partition: i32, offset: i64) -> io::Result<()> {
        let now = Instant::now();
        let begun = self.due.max(now.checked_sub(CREDIT).unwrap_or(now));
        loop {
            let cost_us = self.orders.borrow_and_update().cost_us;
            self.due = begun + Duration::from_micros(cost_us);
            if self.due <= Instant::now() {
                break;
            }
            self.say_all()?;
            tokio::select! {
                () = sleep_until(self.due) => break,
                // Another cost, also for the record that is worked on. Without orders it is about to end.
                changed = self.orders.changed() => if changed.is_err() { std::future::pending().await },
            }
        }
        self.count(partition, offset)?;
        self.done += 1;
        if self.dies_after == Some(self.done) {
            self.say_all()?;
            let _ = kill_process(getpid(), Signal::KILL);
        }
        Ok(())
    }

    fn count(&mut self, partition: i32, offset: i64) -> io::Result<()> {
        match &mut self.unsaid {
            Some(Said::Done { partition: of, last, .. })
                if (*of, *last + 1) == (partition, offset) =>
            {
                *last = offset;
            }
            _ => {
                self.say_all()?;
                self.unsaid = Some(Said::Done { partition, first: offset, last: offset });
            }
        }
        Ok(())
    }

    fn say_all(&mut self) -> io::Result<()> {
        self.unsaid.take().map_or(Ok(()), |said| say(&said))
    }
}

/// In one piece, so that nobody reads half of it.
fn say(said: &Said) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(format!("{said}\n").as_bytes())?;
    out.flush()
}
