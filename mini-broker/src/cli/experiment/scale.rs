//! `experiment scale`: 1, 2, 4 and 8 consumers on 1, 2, 4 and 8 partitions. A record costs each consumer
//! a fixed time, as if it called somebody else. How many do they do together in a second?
//!
//! The consumers are processes, the cost is a sleep, and the records are there before: what is measured
//! is how a group shares, and neither broker nor machine.

mod group;
mod picture;
mod questions;
mod words;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use super::message;
use super::own_node::{OwnNode, Room};
use crate::cli::nodes::Signals;
use crate::cli::{Failure, terminal};
use crate::client::Client;
use crate::client::Producer;
use crate::client::admin::NewTopic;
use crate::client::producer::Settings;
use crate::labs;
use group::Measured;
use questions::Answer;

/// So many partitions, and so many consumers.
const COUNTS: [usize; 4] = [1, 2, 4, 8];
/// What a consumer can do, in records a second.
const RATE: u64 = 300;
/// Beside what is measured, a group needs records while it comes together, also on a slow machine.
const SLACK: Duration = Duration::from_secs(10);
/// Records in a batch. A consumer works one fetch off before it asks its group again.
const BATCH: u64 = 10;
const SETTINGS: &[&str] = &["group.initial.rebalance.delay.ms=300"];

#[derive(clap::Args)]
pub struct Args {
    /// For so long each of the sixteen groups is measured
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0, value_parser = seconds)]
    seconds: f64,

    /// A file that gets the picture, as SVG
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,

    /// What you had guessed, such as S1=900 and S2=700; shown beside what was seen. At a terminal you
    /// are asked
    #[arg(long, value_name = "ID=ANSWER", value_parser = terminal::name_value)]
    said: Vec<(String, String)>,
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds, such as 2")?;
    match (0.2..=30.0).contains(&seconds) {
        true => Ok(seconds),
        false => Err("expected 0.2 to 30 seconds".to_owned()),
    }
}

/// What was seen of one number of consumers on one number of partitions.
#[derive(Debug, Clone, Copy)]
pub struct Cell {
    pub partitions: usize,
    pub consumers: usize,
    pub measured: Measured,
}

/// All that the experiment has found out.
pub struct Outcome {
    pub seconds: f64,
    /// By partitions, then by consumers.
    pub cells: Vec<Cell>,
    pub answers: Vec<Answer>,
}

impl Outcome {
    pub fn at(&self, partitions: usize, consumers: usize) -> Option<Measured> {
        let wanted = |cell: &&Cell| (cell.partitions, cell.consumers) == (partitions, consumers);
        self.cells.iter().find(wanted).map(|cell| cell.measured)
    }
}

pub async fn run(args: Args) -> Result<(), Failure> {
    super::check_picture(args.picture.as_deref())?;
    let answers = questions::ask(&args.said)?;
    let mut signals = Signals::new()?;
    let cells = tokio::select! {
        cells = experiment(args.seconds) => cells?,
        // What was begun is dropped, and all processes with it.
        () = signals.next() => return Err(Failure::new("interrupted; broker and consumers are gone")),
    };
    let outcome = Outcome { seconds: args.seconds, cells, answers };
    let mut out = terminal::out();
    words::write(&outcome, &labs::banner(), &mut out)?;
    if let Some(file) = &args.picture {
        fs::write(file, picture::svg(&outcome))?;
        writeln!(out, "\nThe picture: {}", file.display())?;
    }
    Ok(out.flush()?)
}

async fn experiment(seconds: f64) -> Result<Vec<Cell>, Failure> {
    let room = Room::new()?;
    let node = OwnNode::start_quiet(SETTINGS, &[], &room.folder("broker")).await?;
    let window = Duration::from_secs_f64(seconds);
    let records = ((window + SLACK).as_secs_f64() * RATE as f64) as u64;
    let mut progress = terminal::Progress::alone();
    let mut cells = Vec::new();
    for partitions in COUNTS {
        let topic = topic(&node.address(), partitions, records).await?;
        for consumers in COUNTS {
            let place = format!("{} of {}", cells.len() + 1, COUNTS.len() * COUNTS.len());
            progress.update(|| format!("{place}: consumers {consumers}, partitions {partitions}"));
            let group = group::Plan { server: node.address(), topic: topic.clone(), consumers };
            let measured = group.measure(window).await?;
            cells.push(Cell { partitions, consumers, measured });
        }
    }
    Ok(cells)
}

/// A topic with so many records in each partition: its name.
async fn topic(server: &str, partitions: usize, records: u64) -> Result<String, Failure> {
    let name = format!("scale-{partitions}");
    let mut client = Client::connect(server).await?;
    client.create_topic(&NewTopic::named(&name, partitions as i32)).await?;
    let mut producer = Producer::new(client, &name, Settings::default()).await?;
    for number in 0..records {
        for partition in 0..partitions as i32 {
            producer.push(partition, message(number.to_string().as_bytes()));
        }
        if number % BATCH == BATCH - 1 || number + 1 == records {
            producer.close_all();
            while producer.has_ready() || !producer.is_idle() {
                for delivery in producer.progress().await? {
                    delivery.result?;
                }
            }
        }
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everybody does 300, and nobody without a partition.
    pub fn outcome() -> Outcome {
        let cell = |partitions: usize, consumers: usize| {
            let busy = partitions.min(consumers);
            let time = Duration::from_secs(2);
            let measured =
                Measured { records: busy as u64 * RATE * 2, time, idle: consumers - busy };
            Cell { partitions, consumers, measured }
        };
        let row = |partitions| COUNTS.map(|consumers| cell(partitions, consumers));
        let answer = |id, partitions, consumers, said: &str| Answer {
            id,
            partitions,
            consumers,
            said: said.to_owned(),
        };
        Outcome {
            seconds: 2.0,
            cells: COUNTS.map(row).concat(),
            answers: vec![answer("S1", 4, 8, "2400"), answer("S2", 8, 4, "")],
        }
    }
}
