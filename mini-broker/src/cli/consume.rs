//! `mini-broker consume`: prints the messages of a topic, as `kafka-console-consumer.sh` does.
//!
//! Without a group it reads all partitions itself, and nobody learns how far. As a member of a group
//! it reads its share, and commits.

mod formatter;
mod group;
mod properties;

use std::io::{self, Write};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use wire::list_offsets::{EARLIEST, LATEST};

use super::{Failure, terminal};
use crate::client::consumer::{Fetched, Settings};
use crate::client::group_consumer::Reset;
use crate::client::{Client, Consumer, Led};
use crate::records;
use formatter::Formatter;
use properties::Properties;

#[derive(clap::Args)]
pub struct Args {
    /// The servers to ask first
    #[arg(long, value_name = "HOST:PORT", default_value = terminal::DEFAULT_SERVER)]
    bootstrap_server: String,

    /// The topic to read
    #[arg(long, value_name = "NAME")]
    topic: String,

    /// Read as a member of this group: its share of the partitions, from where the group has committed
    #[arg(long, value_name = "NAME", conflicts_with = "partition",
        value_parser = clap::builder::NonEmptyStringValueParser::new())]
    group: Option<String>,

    /// Read only this partition
    #[arg(long, value_name = "NUMBER")]
    partition: Option<i32>,

    /// Where to begin: earliest, latest, or an offset
    #[arg(long, value_name = "OFFSET", requires = "partition", conflicts_with = "from_beginning",
        value_parser = start)]
    offset: Option<Start>,

    /// Begin with the oldest message there is; in a group, where it has not committed yet
    #[arg(long)]
    from_beginning: bool,

    /// End after so many messages
    #[arg(long, value_name = "NUMBER")]
    max_messages: Option<u64>,

    /// End when nothing has come for so long
    #[arg(long, value_name = "MS")]
    timeout_ms: Option<u64>,

    /// A setting of the consumer: client.id, auto.offset.reset (earliest, latest or none); for a group
    /// also group.id, group.instance.id, partition.assignment.strategy (range, roundrobin or sticky),
    /// enable.auto.commit, auto.commit.interval.ms, session.timeout.ms, heartbeat.interval.ms,
    /// max.poll.interval.ms, metadata.max.age.ms
    #[arg(long = "consumer-property", visible_alias = "command-property", value_name = "NAME=VALUE",
        value_parser = terminal::name_value)]
    consumer_properties: Vec<(String, String)>,

    /// What to print: print.key=true, print.timestamp, print.partition, print.offset,
    /// print.headers, print.value=false; key.separator (a tab unless told otherwise),
    /// headers.separator, line.separator, null.literal
    #[arg(long = "property", visible_alias = "formatter-property", value_name = "NAME=VALUE",
        value_parser = terminal::name_value)]
    properties: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Start {
    Earliest,
    Latest,
    Offset(i64),
}

fn start(argument: &str) -> Result<Start, String> {
    match argument {
        "earliest" => Ok(Start::Earliest),
        "latest" => Ok(Start::Latest),
        number => match number.parse() {
            Ok(offset) if offset >= 0 => Ok(Start::Offset(offset)),
            _ => Err("expected earliest, latest, or an offset of 0 or more".to_owned()),
        },
    }
}

pub async fn run(args: Args) -> Result<(), Failure> {
    let formatter = Formatter::new(&args.properties)?;
    let properties = Properties::new(&args)?;
    let mut printer =
        Printer { formatter, max: args.max_messages, printed: 0, out: terminal::out() };
    let result = match properties.group.clone() {
        Some(settings) => group::run(&args, &properties, settings, &mut printer).await,
        None => tokio::select! {
            result = print_messages(&args, &properties, &mut printer) => result,
            _ = tokio::signal::ctrl_c() => Ok(()),
        },
    };
    printer.out.flush()?;
    let printed = printer.printed;
    if result.is_ok() || printed > 0 {
        eprintln!("Processed a total of {printed} messages");
    }
    result
}

async fn print_messages(
    args: &Args,
    properties: &Properties,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let mut client =
        Client::connect(&args.bootstrap_server).await?.client_id(&properties.client_id);
    let from = positions(&mut client, args, properties).await?;
    let mut consumer = Consumer::new(client, &args.topic, &from, Settings::default());
    let mut patience = Patience::new(args);
    let mut progress = terminal::Progress::beside_output();
    while !printer.has_all() {
        let fetched = tokio::select! {
            fetched = consumer.poll() => fetched?,
            () = patience.ends() => return Ok(()),
        };
        let before = printer.printed;
        for fetched in &fetched {
            printer.print(fetched)?;
        }
        if printer.printed > before {
            patience.begins_anew();
            printer.out.flush()?;
            progress.update(|| format!("{} messages", printer.printed));
        }
    }
    Ok(())
}

/// `--timeout-ms`: how long to wait for the next message.
struct Patience {
    limit: Option<Duration>,
    last_message: Instant,
}

impl Patience {
    fn new(args: &Args) -> Self {
        let limit = args.timeout_ms.map(Duration::from_millis);
        Patience { limit, last_message: Instant::now() }
    }

    fn begins_anew(&mut self) {
        self.last_message = Instant::now();
    }

    async fn ends(&self) {
        match self.limit {
            Some(limit) => sleep_until(self.last_message + limit).await,
            None => std::future::pending().await,
        }
    }
}

/// The partitions to read, each with its first offset.
async fn positions(
    client: &mut Client,
    args: &Args,
    properties: &Properties,
) -> Result<Vec<(Led, i64)>, Failure> {
    let mut partitions = client.partitions(&args.topic, true).await?;
    if let Some(wanted) = args.partition {
        let count = partitions.len();
        partitions.retain(|led| led.partition == wanted);
        if partitions.is_empty() {
            return Err(Failure::new(format!(
                "topic `{}` has no partition {wanted}: it has {count}, counted from 0",
                args.topic
            )));
        }
    }
    let end = match (args.offset, properties.reset == Reset::Earliest) {
        (Some(Start::Offset(offset)), _) => {
            return known(client, args, &partitions, offset).await;
        }
        (Some(Start::Earliest), _) | (None, true) => EARLIEST,
        (Some(Start::Latest), _) | (None, false) => LATEST,
    };
    ends(client, args, &partitions, end).await
}

async fn ends(
    client: &mut Client,
    args: &Args,
    partitions: &[Led],
    end: i64,
) -> Result<Vec<(Led, i64)>, Failure> {
    let wanted: Vec<_> = partitions.iter().map(|led| (*led, end)).collect();
    let found = client.list_offsets(&args.topic, &wanted).await?;
    let offset = |led: &Led| found.iter().find(|f| f.partition == led.partition).map(|f| f.offset);
    Ok(partitions.iter().filter_map(|led| Some((*led, offset(led)?))).collect())
}

/// An offset that is asked for must lie within the log.
async fn known(
    client: &mut Client,
    args: &Args,
    partitions: &[Led],
    offset: i64,
) -> Result<Vec<(Led, i64)>, Failure> {
    let first = ends(client, args, partitions, EARLIEST).await?;
    let last = ends(client, args, partitions, LATEST).await?;
    for ((led, first), (_, end)) in first.iter().zip(&last) {
        if !(*first..=*end).contains(&offset) {
            return Err(Failure::new(format!(
                "partition {} of topic `{}` has no offset {offset}: its log begins at {first} and \
                 ends before {end}",
                led.partition, args.topic
            )));
        }
    }
    Ok(partitions.iter().map(|led| (*led, offset)).collect())
}

/// Prints messages, and knows how many it should.
struct Printer {
    formatter: Formatter,
    max: Option<u64>,
    printed: u64,
    out: terminal::Out,
}

impl Printer {
    fn has_all(&self) -> bool {
        self.max.is_some_and(|max| self.printed >= max)
    }

    /// Tells how far it came: the offset of the last record that needs no second look, with the
    /// leader epoch of its batch.
    fn print(&mut self, fetched: &Fetched) -> Result<Option<(i64, i32)>, Failure> {
        let mut read = None;
        for batch in records::batches(&fetched.batches) {
            let batch = batch.map_err(io::Error::from)?;
            let header = &batch.header;
            let records = match header.is_control() {
                true => None,
                false => Some(batch.records().map_err(io::Error::from)?),
            };
            for record in records.iter().flat_map(|records| records.iter()) {
                let record = record.map_err(io::Error::from)?;
                // A fetch answers with whole batches: the first may begin before the offset asked
                // for.
                if record.offset < fetched.from {
                    continue;
                }
                if self.has_all() {
                    return Ok(read);
                }
                self.formatter.print(fetched.partition, header, &record, &mut self.out)?;
                self.printed += 1;
                read = Some((record.offset, header.leader_epoch));
            }
            // Compaction may have taken the batch's last records.
            read = Some((header.last_offset(), header.leader_epoch));
        }
        Ok(read)
    }
}
