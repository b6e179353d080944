//! Many consumer groups on one broker, ours or Kafka's: how fast their members join, show that they
//! live, and commit; how long a rebalance takes; what all that costs the broker.
//!
//! ```text
//! cargo run --release -p mini-broker --example group_load -- --bootstrap-server 127.0.0.1:9092 --topic load
//! ```
//!
//! Each member has a connection of its own, as each consumer of a group has: a join is answered when
//! the round is over, and holds up whatever else was asked on its connection. The topic must be
//! there, with a partition for each member of a group. Nothing is read from it: what is measured is
//! the coordinator, not the log.

mod broker; // what it costs the broker

mod member; // one member, and what it knows of its group

use std::collections::VecDeque;
use std::error::Error;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Parser;
use hdrhistogram::Histogram;
use mini_broker::client::{Client, Connection};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use broker::Broker;
use member::{Group, Member};

type Failure = Box<dyn Error + Send + Sync>;

const CLIENT_ID: &str = "group-load";
/// Besides the members' connections: files of ours, and of a broker that runs under the same limit.
const OTHER_FILES: u64 = 1_000;
/// Connections that are opened at the same time: the queue of those not yet accepted is short.
const OPENING: usize = 32;
/// How often a member shows that it lives, and how often it commits, if nobody says otherwise:
/// Kafka's `heartbeat.interval.ms` and `auto.commit.interval.ms`.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(3);
const COMMIT_EVERY: Duration = Duration::from_secs(5);
/// How often one more member joins a group of each size.
const TIMES: usize = 5;
/// A broker that gives memory back does so when nothing has come for a while.
const SETTLED: Duration = Duration::from_secs(3);

#[derive(Parser)]
struct Args {
    /// The broker
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:9092")]
    bootstrap_server: String,
    /// What the members subscribe to, and commit offsets of
    #[arg(long, value_name = "NAME")]
    topic: String,
    /// How many groups
    #[arg(long, default_value_t = 500)]
    groups: usize,
    /// How many members each has
    #[arg(long, default_value_t = 20)]
    members: usize,
    /// How long heartbeats are sent, and how long commits
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Heartbeats or commits under way at the same time
    #[arg(long, value_name = "N", default_value_t = 500)]
    in_flight: usize,
    /// Sizes of groups that one more member joins
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "2,20,100,500,1000")]
    rebalance: Vec<usize>,
    /// The broker's process, if its memory and CPU time are to be told
    #[arg(long)]
    pid: Option<u32>,
    /// One JSON object instead of lines
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let args = Args::parse();
    let most = args.rebalance.iter().max().map_or(0, |size| size + 1);
    may_open((args.groups * args.members).max(most) as u64)?;
    let broker = Broker::of(args.pid);
    let mut told = json!({
        "groups": args.groups, "members": args.members, "seconds": args.seconds,
        "in_flight": args.in_flight,
    });
    load(&args, &broker, &mut told).await?;
    let mut rebalances = Vec::new();
    for &size in &args.rebalance {
        rebalances.push(json!({ "members": size, "ms": rebalance(&args, size).await? }));
    }
    told["rebalances"] = rebalances.into();
    match args.json {
        true => println!("{told}"),
        false => print(&told),
    }
    Ok(())
}

/// Makes the limit of open files as high as it may be, and says so if that is too low.
fn may_open(connections: u64) -> Result<(), Failure> {
    let needed = connections + OTHER_FILES;
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    match limit.maximum.filter(|most| *most < needed) {
        None => Ok(()),
        Some(most) => Err(format!(
            "{connections} members need about {needed} open files, and `ulimit -Hn` is {most}: \
             raise it, or ask for fewer --groups or --members"
        )
        .into()),
    }
}

/// All groups: they join, show that they live, commit, go on at an ordinary pace, and leave.
async fn load(args: &Args, broker: &Broker, told: &mut Value) -> Result<(), Failure> {
    told["rss_kib"] = json!({ "before": broker.rss_kib() });
    let mut members = Vec::new();
    for _ in 0..args.groups {
        members.extend(group(args, args.members).await?);
    }
    sleep(SETTLED).await;
    told["rss_kib"]["connected"] = broker.rss_kib().into();

    let (cpu_s, start) = (broker.cpu_s(), Instant::now());
    let members = all(members, Member::join).await?;
    let took_s = start.elapsed().as_secs_f64();
    let joins_per_s = members.len() as f64 / took_s;
    told["join"] =
        json!({ "took_s": took_s, "per_s": joins_per_s, "cpu_s": broker.cpu_s() - cpu_s });
    sleep(SETTLED).await;
    told["rss_kib"]["stable"] = broker.rss_kib().into();

    let (members, heartbeats) = again_and_again(args, broker, members, Member::heartbeat).await?;
    told["heartbeat"] = heartbeats;
    let (members, commits) = again_and_again(args, broker, members, Member::commit).await?;
    told["commit"] = commits;
    let (members, ordinary) = ordinary(args, broker, members).await?;
    told["ordinary"] = ordinary;

    let (cpu_s, start) = (broker.cpu_s(), Instant::now());
    let members = all(members, Member::leave).await?;
    told["leave"] = json!({
        "took_s": start.elapsed().as_secs_f64(), "cpu_s": broker.cpu_s() - cpu_s,
    });
    drop(members);
    sleep(SETTLED).await;
    told["rss_kib"]["left"] = broker.rss_kib().into();
    Ok(())
}

/// The members of a new group, each with its connection.
async fn group(args: &Args, size: usize) -> Result<Vec<Member>, Failure> {
    let group = Arc::new(Group::new(&args.topic, size));
    let address = coordinator(args, &group.name).await?;
    let mut members = Vec::with_capacity(size);
    while members.len() < size {
        let numbers = members.len()..size.min(members.len() + OPENING);
        let mut opening = JoinSet::new();
        for number in numbers {
            let (address, group) = (address.clone(), Arc::clone(&group));
            opening.spawn(async move {
                let connection = Connection::open(&address, CLIENT_ID).await?;
                Ok(Member::new(group, connection, number as i32))
            });
        }
        members.extend(ended(opening).await?);
    }
    Ok(members)
}

async fn coordinator(args: &Args, group: &str) -> Result<String, Failure> {
    let mut client = Client::connect(&args.bootstrap_server).await?;
    let give_up = Instant::now() + member::PATIENCE;
    loop {
        match client.coordinator(group).await {
            Ok(found) => return Ok(format!("{}:{}", found.host, found.port)),
            // The first who asks makes `__consumer_offsets` come into being.
            Err(error) if error.is_retriable() && Instant::now() < give_up => {
                sleep(member::SOON).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Has all members do something at the same time, and waits for the last one.
async fn all<F>(members: Vec<Member>, does: impl Fn(Member) -> F) -> Result<Vec<Member>, Failure>
where
    F: Future<Output = Result<Member, Failure>> + Send + 'static,
{
    ended(members.into_iter().map(does).collect()).await
}

/// What came of tasks. The first failure is that of all: others may wait for the one that failed.
async fn ended<T: 'static>(mut tasks: JoinSet<Result<T, Failure>>) -> Result<Vec<T>, Failure> {
    let mut all = Vec::with_capacity(tasks.len());
    while let Some(one) = tasks.join_next().await {
        all.push(one??);
    }
    Ok(all)
}

/// Members do something one after the other, as fast as they are answered; `in_flight` at the same
/// time.
async fn again_and_again<F>(
    args: &Args,
    broker: &Broker,
    members: Vec<Member>,
    does: impl Fn(Member) -> F + Send + Copy + 'static,
) -> Result<(Vec<Member>, Value), Failure>
where
    F: Future<Output = Result<Member, Failure>> + Send + 'static,
{
    let measured = Measured::new(broker);
    let end = measured.start + Duration::from_secs(args.seconds);
    // Members of one group stand in different lines.
    let count = args.in_flight.min(members.len());
    let mut lines: Vec<VecDeque<Member>> = (0..count).map(|_| VecDeque::new()).collect();
    for (number, member) in members.into_iter().enumerate() {
        lines[number % count].push_back(member);
    }
    let work = |mut line: VecDeque<Member>| {
        let took = Arc::clone(&measured.took);
        async move {
            while Instant::now() < end {
                let first = line.pop_front().expect("nobody stands in two lines, or in none");
                line.push_back(took.of(does(first)).await?);
            }
            Ok(line)
        }
    };
    let lines = ended(lines.into_iter().map(work).collect()).await?;
    Ok((lines.into_iter().flatten().collect(), measured.told(broker)))
}

/// Members show that they live, and commit, as often as Kafka's consumers do by default.
async fn ordinary(
    args: &Args,
    broker: &Broker,
    members: Vec<Member>,
) -> Result<(Vec<Member>, Value), Failure> {
    let measured = Measured::new(broker);
    let end = measured.start + Duration::from_secs(args.seconds);
    let count = members.len() as u32;
    let live = |(number, mut member): (usize, Member)| {
        let first = |every: Duration| measured.start + every * number as u32 / count;
        let (mut heartbeat, mut commit) = (first(HEARTBEAT_EVERY), first(COMMIT_EVERY));
        let took = Arc::clone(&measured.took);
        async move {
            while heartbeat.min(commit) < end {
                sleep_until(heartbeat.min(commit)).await;
                if heartbeat <= commit {
                    member = took.of(member.heartbeat()).await?;
                    heartbeat += HEARTBEAT_EVERY;
                } else {
                    member = took.of(member.commit()).await?;
                    commit += COMMIT_EVERY;
                }
            }
            Ok(member)
        }
    };
    let members = ended(members.into_iter().enumerate().map(live).collect()).await?;
    Ok((members, measured.told(broker)))
}

/// Many requests, how long each took, and what they cost the broker.
struct Measured {
    start: Instant,
    cpu_s: f64,
    took: Arc<Took>,
}

/// Microseconds up to ten minutes, to three digits.
struct Took(Mutex<Histogram<u64>>);

impl Took {
    async fn of<T>(&self, request: impl Future<Output = T>) -> T {
        let start = Instant::now();
        let done = request.await;
        let us = start.elapsed().as_micros() as u64;
        self.0.lock().expect("nobody panics with it").saturating_record(us);
        done
    }
}

impl Measured {
    fn new(broker: &Broker) -> Self {
        let took = Histogram::new_with_bounds(1, 600_000_000, 3).expect("the bounds are possible");
        let took = Arc::new(Took(Mutex::new(took)));
        Measured { start: Instant::now(), cpu_s: broker.cpu_s(), took }
    }

    fn told(&self, broker: &Broker) -> Value {
        let (took_s, cpu_s) = (self.start.elapsed().as_secs_f64(), broker.cpu_s() - self.cpu_s);
        let took = self.took.0.lock().expect("nobody panics with it");
        let count = took.len() as f64;
        let ms = |quantile| took.value_at_quantile(quantile) as f64 / 1_000.0;
        json!({
            "count": count, "per_s": count / took_s, "p50_ms": ms(0.5), "p99_ms": ms(0.99),
            "cpu_s_of_100000": cpu_s / count * 100_000.0, "cpu_share": cpu_s / took_s,
        })
    }
}

/// One more member joins a group that is stable, and leaves again: the median of the times until all
/// have their part, in milliseconds. The others hear of the round as soon as one that does nothing
/// but ask does: how often members ask is their own affair.
async fn rebalance(args: &Args, size: usize) -> Result<f64, Failure> {
    let mut members = all(group(args, size).await?, Member::join).await?;
    let group = members[0].group();
    let address = coordinator(args, &group.name).await?;
    let mut took_ms = Vec::new();
    for _ in 0..TIMES {
        let connection = Connection::open(&address, CLIENT_ID).await?;
        let newcomer = Member::new(Arc::clone(&group), connection, size as i32);
        group.grows_to(size + 1);
        let start = Instant::now();
        let newcomer = tokio::spawn(newcomer.join());
        members[0].hears_of_round().await?;
        members = all(members, Member::join).await?;
        let newcomer = newcomer.await??;
        took_ms.push(start.elapsed().as_secs_f64() * 1_000.0);
        group.grows_to(size);
        newcomer.leave().await?;
        members = all(members, Member::join).await?;
    }
    all(members, Member::leave).await?;
    took_ms.sort_by(f64::total_cmp);
    Ok(took_ms[TIMES / 2])
}

fn print(told: &Value) {
    let number = |path: &str| told.pointer(path).and_then(Value::as_f64).unwrap_or_default();
    let mb = |when: &str| number(&format!("/rss_kib/{when}")) / 1024.0;
    println!("{} groups of {} members", told["groups"], told["members"]);
    println!("joins a second            {:>12.0}", number("/join/per_s"));
    for (name, key) in [("heartbeats", "heartbeat"), ("commits", "commit")] {
        let of = |what: &str| number(&format!("/{key}/{what}"));
        println!("{:25} {:>12.0}", format!("{name} a second"), of("per_s"));
        println!("  p50, p99                {:>12.2} {:>8.2} ms", of("p50_ms"), of("p99_ms"));
        println!("  the broker's CPU        {:>12.2} s of 100,000", of("cpu_s_of_100000"));
    }
    println!("at an ordinary pace");
    let (p50, p99) = (number("/ordinary/p50_ms"), number("/ordinary/p99_ms"));
    println!("  p50, p99                {p50:>12.2} {p99:>8.2} ms");
    println!("  the broker's CPU        {:>12.1} %", number("/ordinary/cpu_share") * 100.0);
    for when in ["before", "connected", "stable", "left"] {
        println!("the broker's memory, {when:9} {:>7.1} MB", mb(when));
    }
    for one in told["rebalances"].as_array().into_iter().flatten() {
        let (size, ms) = (&one["members"], one["ms"].as_f64().unwrap_or_default());
        println!("one more joins {size:>5} members {ms:>8.1} ms");
    }
}
