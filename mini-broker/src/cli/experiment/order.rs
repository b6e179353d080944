//! `experiment order`: 600 orders of 100 users go through a topic of one partition, through one of
//! three, and through one whose three partitions become six meanwhile. What does a reader see?
//!
//! Everything is drawn from a printed seed, and the reader has one fetch on its way at a time. So the
//! same seed shows the same again, also on another broker.

mod picture;
mod traffic;
mod words;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::own_node::{OwnNode, Room};
use crate::cli::{Failure, terminal};
use crate::client::Client;
use crate::client::admin::{NewPartitions, NewTopic};
use crate::labs;
use crate::labs::partitions::{Seen, by_time, moved};
use traffic::{Orders, Reader, Sender};

const USERS: u64 = 100;
const ORDERS: u64 = 600;
/// So many partitions does a topic of three get.
const GROWN: i32 = 6;
/// For these numbers of partitions the users are counted who go elsewhere; a prediction asks for the
/// last.
const GROWTHS: [(u32, u32); 3] = [(3, 6), (3, 4), (12, 13)];
/// A reader that falls behind: it fetches about 30 orders while 60 are sent.
const GROUPS_A_FETCH: u64 = 6;
const PATIENCE: Duration = Duration::from_secs(15);

#[derive(clap::Args)]
pub struct Args {
    /// A broker that runs already; without it one is started, and stopped in the end
    #[arg(long, value_name = "HOST:PORT")]
    bootstrap_server: Option<String>,

    /// Where chance begins: the same seed shows the same orders
    #[arg(long, value_name = "NUMBER", default_value_t = 7)]
    seed: u64,

    /// A file that gets the picture, as SVG
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,

    /// What you had guessed, such as P2.2=5; shown beside what was seen
    #[arg(long, value_name = "ID=ANSWER", value_parser = terminal::name_value)]
    said: Vec<(String, String)>,
}

/// What was seen of one topic.
pub struct View {
    pub title: &'static str,
    pub seen: Vec<Seen>,
    /// The question of lab 2's predictions that asks for the users whose orders were overtaken.
    pub asked: Option<&'static str>,
}

/// All that the experiment has found out.
pub struct Outcome {
    pub seed: u64,
    pub views: Vec<View>,
    /// Users whose orders go elsewhere with more partitions: from, to, and how many.
    pub moved: Vec<(u32, u32, usize)>,
    pub said: Vec<(String, String)>,
}

impl Outcome {
    pub fn said(&self, question: &str) -> Option<&str> {
        let said = self.said.iter().find(|(id, _)| id == question);
        said.map(|(_, answer)| answer.as_str())
    }
}

pub async fn run(args: Args) -> Result<(), Failure> {
    super::check_picture(args.picture.as_deref())?;
    let (own, server, suffix) = match args.bootstrap_server {
        // On a broker that stays, each run has topics of its own.
        Some(server) => (None, server, format!("-{}", terminal::wall_ms())),
        None => {
            let room = Room::new()?;
            let broker = OwnNode::start("serve", &[], &room.folder("broker"), 0).await?;
            let address = broker.address();
            (Some((broker, room)), address, String::new())
        }
    };
    let outcome = experiment(&server, &suffix, args.seed, args.said).await;
    drop(own);
    let outcome = outcome?;
    let mut out = terminal::out();
    words::write(&outcome, &labs::banner(), &mut out)?;
    if let Some(file) = &args.picture {
        fs::write(file, picture::svg(&outcome))?;
        writeln!(out, "\nThe picture: {}", file.display())?;
    }
    Ok(out.flush()?)
}

async fn experiment(
    server: &str,
    suffix: &str,
    seed: u64,
    said: Vec<(String, String)>,
) -> Result<Outcome, Failure> {
    let one = Topic { server, name: format!("order-of-1{suffix}"), partitions: 1 };
    let three = Topic { server, name: format!("order-of-3{suffix}"), partitions: 3 };
    let clocks = Topic { server, name: format!("order-by-clocks{suffix}"), partitions: 3 };
    let growing = Topic { server, name: format!("order-growing{suffix}"), partitions: 3 };
    let one = through(&one, Orders::new(seed, 1)).await?;
    let three = through(&three, Orders::new(seed, 1)).await?;
    let clocks = through(&clocks, Orders::new(seed, 3)).await?;
    let grown = while_growing(&growing, Orders::new(seed, 1)).await?;
    let users: Vec<String> = (0..USERS).map(traffic::user).collect();
    let users: Vec<&[u8]> = users.iter().map(String::as_bytes).collect();
    let moved = labs::fenced(|| {
        GROWTHS.map(|(before, after)| (before, after, moved(&users, before, after))).to_vec()
    });
    let moved = moved.map_err(|broken| Failure::new(labs::told("partitions", &broken)))?;
    let sorted = by_time(&three);
    let view = |title, seen, asked| View { title, seen, asked };
    Ok(Outcome {
        seed,
        views: vec![
            view("1 partition", one, None),
            view("3 partitions", three, Some("P2.2")),
            view("the same, sorted by time", sorted, None),
            view("from 3 clocks, sorted by time", by_time(&clocks), None),
            view("3 partitions become 6", grown, None),
        ],
        moved,
        said,
    })
}

/// A topic of this experiment, on a broker.
struct Topic<'a> {
    server: &'a str,
    name: String,
    partitions: i32,
}

impl Topic<'_> {
    async fn create(&self) -> Result<(), Failure> {
        Ok(self.client().await?.create_topic(&NewTopic::named(&self.name, self.partitions)).await?)
    }

    async fn grow(&self) -> Result<(), Failure> {
        let new = NewPartitions { topic: self.name.clone(), count: GROWN, assignments: None };
        let mut client = self.client().await?;
        client.create_partitions(vec![new]).await?;
        // Apache Kafka says so a little before its brokers know.
        let give_up = Instant::now() + PATIENCE;
        while client.partitions(&self.name, false).await?.len() < GROWN as usize {
            if Instant::now() > give_up {
                return Err(Failure::new(format!("{} does not grow", self.name)));
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    async fn sender(&self) -> Result<Sender, Failure> {
        Ok(Sender::new(self.client().await?, &self.name).await?)
    }

    async fn client(&self) -> Result<Client, Failure> {
        Ok(Client::connect(self.server).await?)
    }
}

/// Writes all orders into a new topic, then reads them all.
async fn through(topic: &Topic<'_>, mut orders: Orders) -> Result<Vec<Seen>, Failure> {
    topic.create().await?;
    let mut sender = topic.sender().await?;
    while let Some(group) = orders.group() {
        sender.send(&group).await?;
    }
    let mut reader = Reader::new(topic.client().await?, &topic.name).await?;
    let mut seen = Vec::new();
    while reader.is_behind() {
        seen.extend(reader.fetch().await?);
    }
    Ok(seen)
}

/// Writes and reads at the same time, the reader more slowly; in the middle the topic grows.
async fn while_growing(topic: &Topic<'_>, mut orders: Orders) -> Result<Vec<Seen>, Failure> {
    topic.create().await?;
    let mut sender = topic.sender().await?;
    let mut reader = Reader::new(topic.client().await?, &topic.name).await?;
    let mut seen = Vec::new();
    let mut groups = 0;
    while let Some(group) = orders.group() {
        sender.send(&group).await?;
        groups += 1;
        if orders.sent() == ORDERS / 2 {
            topic.grow().await?;
            sender = topic.sender().await?;
            reader.take_new_partitions().await?;
        }
        if groups % GROUPS_A_FETCH == 0 {
            seen.extend(reader.fetch().await?);
        }
    }
    while reader.is_behind() {
        seen.extend(reader.fetch().await?);
    }
    Ok(seen)
}
