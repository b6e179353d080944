//! `mini-broker delete-records`: logs begin later, as with Kafka's `DeleteRecordsCommand`
//! (`kafka-delete-records.sh`, KIP-107). Records are only ever deleted from a log's start.
//!
//! Kafka's tool takes a file; a single partition can also be named by flags here.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use wire::ErrorCode;
use wire::delete_records::HIGH_WATERMARK;
use wire::metadata::MetadataResponseTopic;

use super::{Failure, terminal};
use crate::client::{Client, Error, Led};

#[derive(clap::Args)]
pub struct Args {
    /// The servers to ask first
    #[arg(long, value_name = "HOST:PORT", default_value = terminal::DEFAULT_SERVER)]
    bootstrap_server: String,

    /// What should be deleted:
    /// {"partitions": [{"topic": "orders", "partition": 0, "offset": 3}], "version": 1}
    #[arg(long, value_name = "FILE", conflicts_with_all = ["topic", "partition", "offset"],
        required_unless_present = "topic")]
    offset_json_file: Option<PathBuf>,

    /// One topic, in place of a file
    #[arg(long, value_name = "NAME", requires_all = ["partition", "offset"])]
    topic: Option<String>,

    /// With --topic: its partition
    #[arg(long, value_name = "NUMBER", requires = "topic")]
    partition: Option<i32>,

    /// With --topic: the first offset to keep; -1 deletes all below the high watermark
    #[arg(long, value_name = "OFFSET", requires = "topic", allow_negative_numbers = true,
        value_parser = first_to_keep)]
    offset: Option<i64>,
}

fn first_to_keep(argument: &str) -> Result<i64, String> {
    let offset = argument.parse().ok().filter(|offset| *offset >= HIGH_WATERMARK);
    offset.ok_or_else(|| "expected the first offset to keep: 0 or more, or -1".to_owned())
}

/// Topic → partition → first offset to keep.
type Wanted = BTreeMap<String, BTreeMap<i32, i64>>;

pub async fn run(args: Args) -> Result<(), Failure> {
    let wanted = match (args.offset_json_file, args.topic, args.partition, args.offset) {
        (Some(file), ..) => read(&file)?,
        (None, Some(topic), Some(partition), Some(offset)) => {
            BTreeMap::from([(topic, BTreeMap::from([(partition, offset)]))])
        }
        _ => {
            return Err(Failure::usage(
                "expected --offset-json-file, or --topic and its partition",
            ));
        }
    };
    let mut client = Client::connect(&args.bootstrap_server).await?;
    let mut out = terminal::out();
    let result = delete(&mut client, wanted, &mut out).await;
    out.flush()?;
    result
}

/// The lines stand in the order of topics and partitions; Kafka's tool has none that lasts.
async fn delete(client: &mut Client, wanted: Wanted, out: &mut impl Write) -> Result<(), Failure> {
    writeln!(out, "Executing records delete operation")?;
    writeln!(out, "Records delete operation completed:")?;
    let names: Vec<&str> = wanted.keys().map(String::as_str).collect();
    let there = client.metadata(Some(&names), false).await?.topics;
    let mut failed = Vec::new();
    for (topic, partitions) in &wanted {
        let found = there.iter().find(|found| found.name.as_ref() == Some(topic));
        let asked = led(topic, partitions, found, &mut failed);
        for deleted in client.delete_records(topic, &asked).await? {
            let partition = deleted.partition;
            match deleted.result {
                Ok(offset) => {
                    writeln!(out, "partition: {topic}-{partition}\tlow_watermark: {offset}")?;
                }
                Err(error) => failed.push(error.to_string()),
            }
        }
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(Failure::new(failed.join("\n"))),
    }
}

/// The partitions that can be asked for, each with its leader and offset; the others are told.
fn led(
    topic: &str,
    partitions: &BTreeMap<i32, i64>,
    found: Option<&MetadataResponseTopic>,
    failed: &mut Vec<String>,
) -> Vec<(Led, i64)> {
    let code = found.map_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, |found| found.error_code);
    if code.is_err() {
        failed.push(Error::refused(format!("topic `{topic}`"), code, None).to_string());
        return Vec::new();
    }
    let there = found.map_or(&[][..], |found| &found.partitions);
    let mut led = Vec::new();
    for (partition, offset) in partitions {
        match there.iter().find(|there| there.partition_index == *partition) {
            Some(there) if there.leader_id < 0 => {
                failed.push(format!("{topic}-{partition} has no leader"));
            }
            Some(there) => led.push((Led::from(there), *offset)),
            None => failed.push(format!(
                "topic `{topic}` has no partition {partition}: it has {}, counted from 0",
                there.len()
            )),
        }
    }
    led
}

#[derive(serde::Deserialize)]
struct File {
    #[serde(default = "first_version")]
    version: i32,
    partitions: Vec<Partition>,
}

fn first_version() -> i32 {
    1
}

#[derive(serde::Deserialize)]
struct Partition {
    topic: String,
    partition: i32,
    offset: i64,
}

fn read(file: &Path) -> Result<Wanted, Failure> {
    let name = file.display();
    let text = fs::read_to_string(file)
        .map_err(|error| Failure::new(format!("cannot read {name}: {error}")))?;
    parse(&text).map_err(|why| Failure::new(format!("{name}: {why}")))
}

fn parse(text: &str) -> Result<Wanted, String> {
    let File { version, partitions } = serde_json::from_str(text).map_err(|error| {
        format!(
            "{error}. Expected {{\"partitions\": [{{\"topic\": \"orders\", \"partition\": 0, \
             \"offset\": 3}}], \"version\": 1}}"
        )
    })?;
    if version != 1 {
        return Err(format!("version {version} is not known, expected 1"));
    }
    let mut wanted = Wanted::new();
    for Partition { topic, partition, offset } in partitions {
        if offset < HIGH_WATERMARK {
            return Err(format!("offset {offset} of {topic}-{partition}: expected -1 or more"));
        }
        let of_topic = wanted.entry(topic.clone()).or_default();
        if of_topic.insert(partition, offset).is_some() {
            return Err(format!("{topic}-{partition} stands there twice"));
        }
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_file_names_partitions_and_offsets() {
        let one = r#"{"topic": "t", "partition": 1, "offset": 3}"#;
        let wanted = parse(&format!(r#"{{"partitions": [{one}], "version": 1}}"#)).unwrap();
        assert_eq!(wanted["t"][&1], 3);
        assert_eq!(parse(&format!(r#"{{"partitions": [{one}]}}"#)).unwrap(), wanted);

        let twice = parse(&format!(r#"{{"partitions": [{one}, {one}]}}"#)).unwrap_err();
        assert_eq!(twice, "t-1 stands there twice");
        let later = parse(r#"{"partitions": [], "version": 2}"#).unwrap_err();
        assert_eq!(later, "version 2 is not known, expected 1");
        for wrong in ["", "[]", "{}", r#"{"partitions": [{"topic": "t"}]}"#] {
            assert!(parse(wrong).unwrap_err().contains("Expected {\"partitions\""), "{wrong}");
        }
        let below = r#"{"partitions": [{"topic": "t", "partition": 0, "offset": -2}]}"#;
        assert_eq!(parse(below).unwrap_err(), "offset -2 of t-0: expected -1 or more");
    }
}
