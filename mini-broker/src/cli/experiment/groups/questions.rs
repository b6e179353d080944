//! Lab 4's predictions, tried on the same broker beside the story.

use std::future::Future;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::play::SESSION_MS;
use super::tally::Tally;
use crate::cli::Failure;
use crate::cli::experiment::message;
use crate::cli::experiment::own_member::{Heard, OwnMember, Said, What};
use crate::client::admin::NewTopic;
use crate::client::member::{Member, Settings};
use crate::client::{Client, Producer, producer};

/// What comes to no end by then has a reason. The longest of them takes 45 seconds.
const PATIENCE: Duration = Duration::from_secs(90);
const RECORDS: i64 = 100;
const DONE: u64 = 70;

pub struct Answers {
    /// P4.1: of three members, those that have one of three topics of one partition.
    pub busy: usize,
    /// P4.2: so long is a dead member missed by nobody, with Kafka's defaults.
    pub noticed: Duration,
    /// P4.3: what is done twice, if the first of two dies when it has done 70 of 100.
    pub doubled: u64,
}

pub async fn ask(server: String) -> Result<Answers, Failure> {
    let (busy, noticed, doubled) = tokio::try_join!(
        in_time("P4.1", busy(&server)),
        in_time("P4.2", noticed(&server)),
        in_time("P4.3", doubled(&server))
    )?;
    Ok(Answers { busy, noticed, doubled })
}

async fn in_time<T>(
    question: &str,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let late = |_| {
        let seconds = PATIENCE.as_secs();
        Failure::new(format!(
            "{question} was tried beside the story, and has no end after {seconds} s"
        ))
    };
    timeout(PATIENCE, work).await.map_err(late)?
}

async fn busy(server: &str) -> Result<usize, Failure> {
    let topics = ["tea", "coffee", "cake"].map(str::to_owned);
    for topic in &topics {
        create(server, topic, 1).await?;
    }
    let (tells, mut told) = unbounded_channel();
    let mut members = JoinSet::new();
    for number in 0..topics.len() {
        let client = Client::connect(server).await?.client_id(&format!("guest-{number}"));
        let mut member = Member::new(client, topics.to_vec(), Settings::of_group("guests"));
        let tells = tells.clone();
        members.spawn(async move {
            loop {
                let partitions = member.join().await?.len();
                let _ = tells.send((number, member.generation(), partitions));
                member.must_rejoin().await?;
            }
        });
    }
    let mut known = vec![(-1, 0); topics.len()];
    while !agree(known.iter().map(|(generation, _)| *generation)) {
        tokio::select! {
            Some((number, generation, partitions)) = told.recv() => {
                known[number] = (generation, partitions);
            }
            Some(Ok::<Result<(), Failure>, _>(ended)) = members.join_next() => ended?,
        }
    }
    Ok(known.iter().filter(|(_, partitions)| *partitions > 0).count())
}

async fn noticed(server: &str) -> Result<Duration, Failure> {
    create(server, "mail", 2).await?;
    let (hears, mut heard) = unbounded_channel();
    let start = |number, name| OwnMember::start(number, &args(server, "mail", name, &[]), &hears);
    let mut dies = start(0, "postman")?;
    let _lives = start(1, "postwoman")?;
    let mut generations = [-1, -1];
    while !agree(generations.into_iter()) {
        if let (member, Said::Assigned { generation, .. }) = said(&mut heard).await? {
            generations[member] = generation;
        }
    }
    // It was heard of a moment ago, so this is nearly the longest that it can take.
    dies.kill()?;
    let dead = Instant::now();
    let mut client = Client::connect(server).await?;
    while client.describe_group("mail").await?.0.members.len() > 1 {
        sleep(Duration::from_millis(100)).await;
    }
    Ok(dead.elapsed())
}

async fn doubled(server: &str) -> Result<u64, Failure> {
    create(server, "letters", 1).await?;
    let client = Client::connect(server).await?;
    let mut producer = Producer::new(client, "letters", producer::Settings::default()).await?;
    for number in 0..RECORDS {
        producer.push(0, message(number.to_string().as_bytes()));
    }
    producer.close_all();
    while !producer.is_idle() {
        for delivery in producer.progress().await? {
            delivery.result?;
        }
    }
    let (hears, mut heard) = unbounded_channel();
    let session = SESSION_MS.to_string();
    let start = |number, name, more: &[&str]| {
        let more = [&["--session-timeout-ms", &session], more].concat();
        OwnMember::start(number, &args(server, "letters", name, &more), &hears)
    };
    let mut tally = Tally::new(1);
    let _dies = start(0, "first", &["--dies-after", &DONE.to_string()])?;
    loop {
        match heard.recv().await.map(|heard| heard.what) {
            Some(What::Said(Said::Done { first, last, .. })) => tally.done(0, first, last),
            Some(What::Said(_)) => {}
            Some(What::Ended(_)) | None => break,
        }
    }
    let _next = start(1, "second", &[])?;
    while tally.lost(&[RECORDS]) > 0 {
        if let (_, Said::Done { first, last, .. }) = said(&mut heard).await? {
            tally.done(0, first, last);
        }
    }
    Ok(tally.doubled)
}

/// Whether all have heard of a generation, and of the same.
fn agree(mut generations: impl Iterator<Item = i32>) -> bool {
    let first = generations.next().unwrap_or(-1);
    first >= 0 && generations.all(|generation| generation == first)
}

async fn create(server: &str, topic: &str, partitions: i32) -> Result<(), Failure> {
    Ok(Client::connect(server).await?.create_topic(&NewTopic::named(topic, partitions)).await?)
}

/// A member of a group that is called as its topic is, with Kafka's defaults but for `more`.
fn args(server: &str, topic: &str, name: &str, more: &[&str]) -> Vec<String> {
    let named = ["--bootstrap-server", server, "--topic", topic, "--group", topic, "--name", name];
    named.iter().chain(more).map(|arg| (*arg).to_owned()).collect()
}

/// What a member says next. None of them should end.
async fn said(heard: &mut UnboundedReceiver<Heard>) -> Result<(usize, Said), Failure> {
    match heard.recv().await {
        Some(Heard { member, what: What::Said(said), .. }) => Ok((member, said)),
        Some(Heard { what: What::Ended(words), .. }) => {
            Err(Failure::new(format!("a consumer has ended: {words}")))
        }
        None => Err(Failure::new("no consumer is left")),
    }
}
