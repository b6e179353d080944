//! `mini-broker consume`: prints the messages of a topic, as `kafka-console-consumer.sh` does.

use std::io::{self, Write};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use wire::list_offsets::{EARLIEST, LATEST};

use super::{Failure, terminal};
use crate::client::consumer::{Fetched, Settings};
use crate::client::{Client, Consumer, Led};
use crate::records::{self, Header, Record};

#[derive(clap::Args)]
pub struct Args {
    /// The servers to ask first
    #[arg(long, value_name = "HOST:PORT", default_value = terminal::DEFAULT_SERVER)]
    bootstrap_server: String,

    /// The topic to read
    #[arg(long, value_name = "NAME")]
    topic: String,

    /// Read only this partition
    #[arg(long, value_name = "NUMBER")]
    partition: Option<i32>,

    /// Where to begin: earliest, latest, or an offset
    #[arg(long, value_name = "OFFSET", requires = "partition", conflicts_with = "from_beginning",
        value_parser = start)]
    offset: Option<Start>,

    /// Begin with the oldest message there is
    #[arg(long)]
    from_beginning: bool,

    /// End after so many messages
    #[arg(long, value_name = "NUMBER")]
    max_messages: Option<u64>,

    /// End when nothing has come for so long
    #[arg(long, value_name = "MS")]
    timeout_ms: Option<u64>,

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
    let mut out = terminal::out();
    let mut printed = 0;
    let result = tokio::select! {
        result = print_messages(&args, &mut out, &mut printed) => result,
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    out.flush()?;
    if result.is_ok() || printed > 0 {
        eprintln!("Processed a total of {printed} messages");
    }
    result
}

async fn print_messages(
    args: &Args,
    out: &mut impl Write,
    printed: &mut u64,
) -> Result<(), Failure> {
    let formatter = Formatter::new(&args.properties)?;
    let mut client = Client::connect(&args.bootstrap_server).await?;
    let from = positions(&mut client, args).await?;
    let mut consumer = Consumer::new(client, &args.topic, &from, Settings::default());
    let patience = args.timeout_ms.map(Duration::from_millis);
    let mut progress = terminal::Progress::beside_output();
    let mut last_message = Instant::now();
    while args.max_messages.is_none_or(|max| *printed < max) {
        let timed_out = async {
            match patience {
                Some(patience) => sleep_until(last_message + patience).await,
                None => std::future::pending().await,
            }
        };
        let fetched = tokio::select! {
            fetched = consumer.poll() => fetched?,
            () = timed_out => return Ok(()),
        };
        let before = *printed;
        for fetched in &fetched {
            print_fetched(fetched, &formatter, args.max_messages, out, printed)?;
        }
        if *printed > before {
            last_message = Instant::now();
            out.flush()?;
            progress.update(|| format!("{printed} messages"));
        }
    }
    Ok(())
}

/// The partitions to read, each with its first offset.
async fn positions(client: &mut Client, args: &Args) -> Result<Vec<(Led, i64)>, Failure> {
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
    let end = match (args.offset, args.from_beginning) {
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

fn print_fetched(
    fetched: &Fetched,
    formatter: &Formatter,
    max: Option<u64>,
    out: &mut impl Write,
    printed: &mut u64,
) -> Result<(), Failure> {
    for batch in records::batches(&fetched.batches) {
        let batch = batch.map_err(io::Error::from)?;
        if batch.header.is_control() {
            continue;
        }
        for record in batch.records().map_err(io::Error::from)?.iter() {
            let record = record.map_err(io::Error::from)?;
            // A fetch answers with whole batches: the first may begin before the offset asked for.
            if record.offset < fetched.from {
                continue;
            }
            if max.is_some_and(|max| *printed >= max) {
                return Ok(());
            }
            formatter.print(fetched.partition, &batch.header, &record, out)?;
            *printed += 1;
        }
    }
    Ok(())
}

/// `DefaultMessageFormatter` in Kafka.
struct Formatter {
    timestamp: bool,
    partition: bool,
    offset: bool,
    headers: bool,
    key: bool,
    value: bool,
    key_separator: String,
    headers_separator: String,
    line_separator: String,
    null: String,
}

impl Formatter {
    fn new(properties: &[(String, String)]) -> Result<Self, Failure> {
        let mut formatter = Formatter {
            timestamp: false,
            partition: false,
            offset: false,
            headers: false,
            key: false,
            value: true,
            key_separator: "\t".to_owned(),
            headers_separator: ",".to_owned(),
            line_separator: "\n".to_owned(),
            null: "null".to_owned(),
        };
        for (name, value) in properties {
            let yes = value.trim().eq_ignore_ascii_case("true");
            let value = value.clone();
            match &name[..] {
                "print.timestamp" => formatter.timestamp = yes,
                "print.partition" => formatter.partition = yes,
                "print.offset" => formatter.offset = yes,
                "print.headers" => formatter.headers = yes,
                "print.key" => formatter.key = yes,
                "print.value" => formatter.value = yes,
                "key.separator" => formatter.key_separator = value,
                "headers.separator" => formatter.headers_separator = value,
                "line.separator" => formatter.line_separator = value,
                "null.literal" => formatter.null = value,
                _ => {
                    return Err(Failure::new(format!(
                        "property `{name}` is unknown: expected print.timestamp, print.partition, \
                         print.offset, print.headers, print.key, print.value, key.separator, \
                         headers.separator, line.separator or null.literal"
                    )));
                }
            }
        }
        Ok(formatter)
    }

    fn print(
        &self,
        partition: i32,
        header: &Header,
        record: &Record<'_>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let mut columns = Columns { separator: &self.key_separator, first: true, out };
        if self.timestamp {
            let kind = if header.is_log_append_time() { "LogAppendTime" } else { "CreateTime" };
            write!(columns.next()?, "{kind}:{}", record.timestamp)?;
        }
        if self.partition {
            write!(columns.next()?, "Partition:{partition}")?;
        }
        if self.offset {
            write!(columns.next()?, "Offset:{}", record.offset)?;
        }
        if self.headers {
            self.print_headers(record, columns.next()?)?;
        }
        if self.key {
            columns.next()?.write_all(record.key.unwrap_or(self.null.as_bytes()))?;
        }
        if self.value {
            columns.next()?.write_all(record.value.unwrap_or(self.null.as_bytes()))?;
        }
        out.write_all(self.line_separator.as_bytes())
    }

    fn print_headers(&self, record: &Record<'_>, out: &mut impl Write) -> io::Result<()> {
        if record.headers.is_empty() {
            return out.write_all(b"NO_HEADERS");
        }
        for (index, (name, value)) in record.headers.iter().enumerate() {
            if index > 0 {
                out.write_all(self.headers_separator.as_bytes())?;
            }
            out.write_all(name)?;
            out.write_all(b":")?;
            out.write_all(value.unwrap_or(self.null.as_bytes()))?;
        }
        Ok(())
    }
}

struct Columns<'a, W> {
    separator: &'a str,
    first: bool,
    out: &'a mut W,
}

impl<W: Write> Columns<'_, W> {
    /// The writer for the next column, after a separator if there was one before.
    fn next(&mut self) -> io::Result<&mut W> {
        if !std::mem::take(&mut self.first) {
            self.out.write_all(self.separator.as_bytes())?;
        }
        Ok(self.out)
    }
}
