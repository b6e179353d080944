//! `mini-broker produce`: each line of standard input is a message, as with
//! `kafka-console-producer.sh`.

use std::io::{self, BufRead, IsTerminal, Write};
use std::time::Duration;

use tokio::sync::mpsc;

use super::{Failure, terminal};
use crate::client::partitioner::Partitioner;
use crate::client::producer::{Delivery, Message, Settings};
use crate::client::{Client, Producer};
use crate::records::Codec;

#[derive(clap::Args)]
pub struct Args {
    /// The servers to ask first
    #[arg(long, value_name = "HOST:PORT", default_value = terminal::DEFAULT_SERVER)]
    bootstrap_server: String,

    /// The topic to write to
    #[arg(long, value_name = "NAME")]
    topic: String,

    /// How lines are read: parse.key=true, key.separator=: (a tab unless told otherwise),
    /// parse.headers=true, headers.delimiter, headers.separator, headers.key.separator,
    /// ignore.error=true, null.marker
    #[arg(long = "property", visible_alias = "reader-property", value_name = "NAME=VALUE",
        value_parser = terminal::name_value)]
    properties: Vec<(String, String)>,

    /// none, gzip, snappy, lz4 or zstd; without a value gzip
    #[arg(long, value_name = "CODEC", num_args = 0..=1, default_value = "none",
        default_missing_value = "gzip")]
    compression_codec: Codec,

    /// 0: do not wait; 1: the leader has it; -1 or all: every in-sync replica has it
    #[arg(long, value_name = "ACKS", default_value = "all", value_parser = acks,
        allow_negative_numbers = true)]
    request_required_acks: i16,

    /// Wait for each message's answer before the next one is sent
    #[arg(long)]
    sync: bool,

    /// The largest batch in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 16 << 10)]
    batch_size: usize,
}

pub fn acks(argument: &str) -> Result<i16, String> {
    match argument {
        "0" => Ok(0),
        "1" => Ok(1),
        "-1" | "all" => Ok(-1),
        _ => Err("expected 0, 1, -1 or all".to_owned()),
    }
}

pub async fn run(args: Args) -> Result<(), Failure> {
    let (lines, received) = mpsc::channel(1024);
    let interactive = io::stdin().is_terminal() && io::stderr().is_terminal();
    let reader = LineReader::new(&args.properties)?;
    let client = Client::connect(&args.bootstrap_server).await?;
    let settings = Settings {
        acks: args.request_required_acks,
        linger: Duration::from_millis(5),
        batch_size: args.batch_size,
        codec: args.compression_codec,
        ..Settings::default()
    };
    let producer = Producer::new(client, &args.topic, settings).await?;
    terminal::say_whose_partitioner();
    // Standard input can only be read by blocking; this thread ends with the process.
    tokio::task::spawn_blocking(move || read_lines(&lines, interactive));
    send_all(producer, &reader, received, &args).await
}

async fn send_all(
    mut producer: Producer,
    reader: &LineReader,
    mut lines: mpsc::Receiver<io::Result<Vec<u8>>>,
    args: &Args,
) -> Result<(), Failure> {
    let mut partitioner = Partitioner::new(args.batch_size, terminal::seed());
    let mut tally = Tally::default();
    let mut progress = terminal::Progress::alone();
    let mut number = 0u64;
    loop {
        tokio::select! {
            biased;
            line = lines.recv(), if !producer.is_full() => {
                let Some(line) = line else { break };
                number += 1;
                let line = line.map_err(|error| {
                    Failure::new(format!("cannot read standard input: {error}"))
                })?;
                let parsed = match reader.parse(&line, number) {
                    Ok(parsed) => parsed,
                    Err(failure) => {
                        // What was read before is still delivered.
                        finish(&mut producer, &mut tally).await?;
                        return Err(failure);
                    }
                };
                let bytes = parsed.value.map_or(0, <[u8]>::len);
                let chosen = partitioner.partition(parsed.key, bytes, producer.partitions());
                let partition = match chosen {
                    Ok(partition) => partition,
                    Err(error) => {
                        finish(&mut producer, &mut tally).await?;
                        return Err(error.into());
                    }
                };
                producer.push(partition, parsed.message(terminal::wall_ms()));
                if args.sync {
                    finish(&mut producer, &mut tally).await?;
                }
            }
            ended = producer.progress() => tally.count(ended?),
        }
        // A fast reader must not keep the batches from leaving.
        tally.count(producer.try_progress()?);
        progress.update(|| format!("{number} messages read, {} delivered", tally.delivered));
    }
    finish(&mut producer, &mut tally).await?;
    drop(progress);
    tally.verdict()
}

async fn finish(producer: &mut Producer, tally: &mut Tally) -> Result<(), Failure> {
    producer.close_all();
    while !producer.is_idle() {
        tally.count(producer.progress().await?);
    }
    Ok(())
}

#[derive(Default)]
struct Tally {
    delivered: usize,
    lost: usize,
    first_error: Option<String>,
}

impl Tally {
    fn count(&mut self, deliveries: Vec<Delivery>) {
        for delivery in deliveries {
            match delivery.result {
                Ok(_) => self.delivered += delivery.pushed.len(),
                Err(error) => {
                    self.lost += delivery.pushed.len();
                    self.first_error.get_or_insert_with(|| error.to_string());
                }
            }
        }
    }

    fn verdict(self) -> Result<(), Failure> {
        match self.first_error {
            None => Ok(()),
            Some(error) => {
                let all = self.lost + self.delivered;
                Err(Failure::new(format!("{} of {all} messages not delivered: {error}", self.lost)))
            }
        }
    }
}

fn read_lines(lines: &mpsc::Sender<io::Result<Vec<u8>>>, interactive: bool) {
    let mut stdin = io::stdin().lock();
    loop {
        if interactive {
            eprint!(">");
            let _ = io::stderr().flush();
        }
        let mut line = Vec::new();
        let read = stdin.read_until(b'\n', &mut line);
        if matches!(read, Ok(0)) {
            return;
        }
        if line.last() == Some(&b'\n') {
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
        }
        let failed = read.is_err();
        if lines.blocking_send(read.map(|_| line)).is_err() || failed {
            return;
        }
    }
}

type Headers = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// A line, taken apart as the properties say.
#[derive(Debug, PartialEq)]
struct Parsed<'a> {
    key: Option<&'a [u8]>,
    value: Option<&'a [u8]>,
    headers: Headers,
}

impl Parsed<'_> {
    fn message(&self, timestamp: i64) -> Message<'_> {
        Message { timestamp, key: self.key, value: self.value, headers: &self.headers }
    }
}

/// `LineMessageReader` in Kafka: headers, then the key, then the value.
struct LineReader {
    parse_key: bool,
    key_separator: String,
    parse_headers: bool,
    headers_delimiter: String,
    headers_separator: String,
    headers_key_separator: String,
    ignore_error: bool,
    null_marker: Option<String>,
}

impl LineReader {
    fn new(properties: &[(String, String)]) -> Result<Self, Failure> {
        let mut reader = LineReader {
            parse_key: false,
            key_separator: "\t".to_owned(),
            parse_headers: false,
            headers_delimiter: "\t".to_owned(),
            headers_separator: ",".to_owned(),
            headers_key_separator: ":".to_owned(),
            ignore_error: false,
            null_marker: None,
        };
        for (name, value) in properties {
            let yes = value.trim().eq_ignore_ascii_case("true");
            let value = value.clone();
            match &name[..] {
                "parse.key" => reader.parse_key = yes,
                "key.separator" => reader.key_separator = value,
                "parse.headers" => reader.parse_headers = yes,
                "headers.delimiter" => reader.headers_delimiter = value,
                "headers.separator" => reader.headers_separator = value,
                "headers.key.separator" => reader.headers_key_separator = value,
                "ignore.error" => reader.ignore_error = yes,
                "null.marker" => reader.null_marker = Some(value),
                _ => {
                    return Err(Failure::new(format!(
                        "property `{name}` is unknown: expected parse.key, key.separator, \
                         parse.headers, headers.delimiter, headers.separator, \
                         headers.key.separator, ignore.error or null.marker"
                    )));
                }
            }
        }
        Ok(reader)
    }

    fn parse<'a>(&self, line: &'a [u8], number: u64) -> Result<Parsed<'a>, Failure> {
        let mut rest = line;
        let mut headers = Vec::new();
        if self.parse_headers
            && let Some(text) = self.cut(&mut rest, &self.headers_delimiter, "headers", number)?
            && !self.is_null(text)
        {
            headers = self.headers(text, number)?;
        }
        let key = match self.parse_key {
            true => self.cut(&mut rest, &self.key_separator, "key", number)?,
            false => None,
        };
        let some = |bytes: &'a [u8]| (!self.is_null(bytes)).then_some(bytes);
        Ok(Parsed { key: key.and_then(some), value: some(rest), headers })
    }

    /// What stands before `separator`; `rest` is then what follows it.
    fn cut<'a>(
        &self,
        rest: &mut &'a [u8],
        separator: &str,
        what: &str,
        number: u64,
    ) -> Result<Option<&'a [u8]>, Failure> {
        match find(rest, separator.as_bytes()) {
            Some(at) => {
                let (before, after) = rest.split_at(at);
                *rest = &after[separator.len()..];
                Ok(Some(before))
            }
            None if self.ignore_error => Ok(None),
            None => Err(Failure::new(format!(
                "line {number}, `{}`, has no {what} separator {separator:?}",
                String::from_utf8_lossy(rest)
            ))),
        }
    }

    fn headers(&self, text: &[u8], number: u64) -> Result<Headers, Failure> {
        let mut headers = Vec::new();
        let mut rest = Some(text);
        while let Some(text) = rest {
            let end = find(text, self.headers_separator.as_bytes());
            let (mut header, after) = match end {
                Some(at) => (&text[..at], Some(&text[at + self.headers_separator.len()..])),
                None => (text, None),
            };
            rest = after;
            let name = self.cut(&mut header, &self.headers_key_separator, "header key", number)?;
            headers.push(match name {
                Some(name) => (name.to_vec(), (!self.is_null(header)).then(|| header.to_vec())),
                None => (header.to_vec(), None),
            });
        }
        Ok(headers)
    }

    fn is_null(&self, bytes: &[u8]) -> bool {
        self.null_marker.as_ref().is_some_and(|marker| marker.as_bytes() == bytes)
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    match needle.is_empty() {
        true => None,
        false => haystack.windows(needle.len()).position(|window| window == needle),
    }
}

#[cfg(test)]
mod tests {
    use super::{Failure, LineReader, Parsed};

    type Fields = (Option<String>, Option<String>, Vec<(String, Option<String>)>);

    fn parse(properties: &[(&str, &str)], line: &str) -> Result<Fields, Failure> {
        let properties: Vec<_> =
            properties.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let Parsed { key, value, headers } =
            LineReader::new(&properties)?.parse(line.as_bytes(), 1)?;
        let headers = headers.iter().map(|(name, value)| (text(name), value.as_deref().map(text)));
        Ok((key.map(text), value.map(text), headers.collect()))
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn a_line_is_a_value_unless_told_otherwise() {
        assert_eq!(parse(&[], "a\tb").unwrap(), (None, some("a\tb"), vec![]));
        assert_eq!(parse(&[], "").unwrap(), (None, some(""), vec![]));
        let keyed = [("parse.key", "true"), ("key.separator", "::")];
        assert_eq!(parse(&keyed, "a::b::c").unwrap(), (some("a"), some("b::c"), vec![]));
        assert!(parse(&keyed, "a:b").is_err());
        let lenient = [keyed[0], keyed[1], ("ignore.error", "true")];
        assert_eq!(parse(&lenient, "a:b").unwrap(), (None, some("a:b"), vec![]));
    }

    #[test]
    fn headers_come_first_and_null_has_a_marker() {
        let all = [("parse.headers", "true"), ("parse.key", "true"), ("null.marker", "-")];
        let h = |name: &str, value: Option<String>| (name.to_owned(), value);
        assert_eq!(
            parse(&all, "a:1,b:,c:-\tkey\tvalue").unwrap(),
            (some("key"), some("value"), vec![h("a", some("1")), h("b", some("")), h("c", None)])
        );
        assert_eq!(parse(&all, "-\t-\t-").unwrap(), (None, None, vec![]));
        assert!(parse(&all, "a\tkey\tvalue").is_err(), "a header without its separator");
    }
}
