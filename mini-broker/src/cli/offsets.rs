//! `mini-broker offsets`: where logs begin, end, or have a time, as with Kafka's `GetOffsetShell`
//! (`kafka-get-offsets.sh`), line by line.
//!
//! The ends that tiered storage adds (`earliest-local`, `latest-tiered`) are not known here.

mod filter;

use std::io::Write;

use wire::list_offsets::{EARLIEST, LATEST, MAX_TIMESTAMP};
use wire::metadata::MetadataResponseTopic;

use super::{Failure, terminal};
use crate::client::{Client, Led};
use filter::Filter;

#[derive(clap::Args)]
pub struct Args {
    /// The servers to ask first
    #[arg(long, value_name = "HOST:PORT", default_value = terminal::DEFAULT_SERVER)]
    bootstrap_server: String,

    /// The topic: a name, several with commas between, or a regular expression; all, if left out
    #[arg(long, value_name = "NAME",
        value_parser = clap::builder::NonEmptyStringValueParser::new())]
    topic: Option<String>,

    /// Only these partitions
    #[arg(long, value_name = "NUMBER,NUMBER", value_delimiter = ',',
        value_parser = partition)]
    partitions: Vec<i32>,

    /// Topics, each with its partitions: t:1 is one, t:0-3 are 0 to 2, t:5- are all from 5, t:-3 all
    /// below 3, t are all of t
    #[arg(long, value_name = "TOPIC:PARTITIONS,…", conflicts_with_all = ["topic", "partitions"],
        value_parser = clap::builder::NonEmptyStringValueParser::new())]
    topic_partitions: Option<String>,

    /// latest (the high watermark), earliest (the log's start), max-timestamp (the newest record), or
    /// milliseconds since 1970: the first offset at or after that time
    #[arg(long, value_name = "TIME", default_value = "latest", value_parser = time,
        allow_negative_numbers = true)]
    time: i64,

    /// Leave out topics that the broker made for itself
    #[arg(long)]
    exclude_internal_topics: bool,
}

fn partition(argument: &str) -> Result<i32, String> {
    let number = argument.trim().parse().ok().filter(|number| *number >= 0);
    number
        .ok_or_else(|| "expected numbers of partitions with commas between, such as 0,3".to_owned())
}

fn time(argument: &str) -> Result<i64, String> {
    match argument {
        "latest" => Ok(LATEST),
        "earliest" => Ok(EARLIEST),
        "max-timestamp" => Ok(MAX_TIMESTAMP),
        number => number.parse().ok().filter(|time| *time >= MAX_TIMESTAMP).ok_or_else(|| {
            "expected latest (-1), earliest (-2), max-timestamp (-3), or milliseconds since 1970"
                .to_owned()
        }),
    }
}

pub async fn run(args: Args) -> Result<(), Failure> {
    let mut out = terminal::out();
    run_into(args, &mut out).await?;
    Ok(out.flush()?)
}

pub async fn run_into(args: Args, out: &mut impl Write) -> Result<(), Failure> {
    let filter = match &args.topic_partitions {
        Some(list) => Filter::of_list(list)?,
        None => Filter::of_topic(args.topic.as_deref(), &args.partitions)?,
    };
    let mut client = Client::connect(&args.bootstrap_server).await?;
    let mut topics = client.topics().await?;
    topics.retain(|topic| !args.exclude_internal_topics || !topic.is_internal);
    let mut missing = Vec::new();
    let mut matched = 0;
    let mut lines = Vec::new();
    for topic in topics {
        let name = topic.name.clone().unwrap_or_default();
        let wanted = wanted(&topic, &name, &filter, &mut missing);
        matched += wanted.len();
        let wanted: Vec<_> = wanted.into_iter().map(|led| (led, args.time)).collect();
        match client.list_offsets(&name, &wanted).await {
            Ok(found) => {
                lines.extend(found.iter().filter(|found| found.offset >= 0).map(|found| {
                    let sorted_by = format!("{name}-{}", found.partition);
                    (sorted_by, format!("{name}:{}:{}", found.partition, found.offset))
                }))
            }
            Err(error) => missing.push(error.to_string()),
        }
    }
    // As text: partition 10 stands before partition 2.
    lines.sort();
    for (_, line) in lines {
        writeln!(out, "{line}")?;
    }
    match &missing[..] {
        [] if matched == 0 => {
            Err(Failure::new("no partition fits: see `mini-broker topics --list`"))
        }
        [] => Ok(()),
        missing => {
            out.flush()?;
            Err(Failure::new(missing.join("\n")))
        }
    }
}

/// The partitions that fit and have a leader; those without one are told.
fn wanted(
    topic: &MetadataResponseTopic,
    name: &str,
    filter: &Filter,
    missing: &mut Vec<String>,
) -> Vec<Led> {
    let mut wanted = Vec::new();
    for partition in &topic.partitions {
        if !filter.fits(name, partition.partition_index) {
            continue;
        }
        match partition.leader_id {
            -1 => missing.push(format!("{name}-{} has no leader", partition.partition_index)),
            _ => wanted.push(Led::from(partition)),
        }
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn a_time_is_a_word_or_a_number() {
        assert_eq!(time("latest"), Ok(-1));
        assert_eq!(time("-2"), Ok(-2));
        assert_eq!(time("1732240000000"), Ok(1_732_240_000_000));
        for wrong in ["soon", "-4", "earliest-local", ""] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }
}
