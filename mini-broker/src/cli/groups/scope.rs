//! Which partitions are meant, and where their logs begin, end, or have a time.

use std::collections::{BTreeMap, BTreeSet};

use wire::ErrorCode;
use wire::metadata::MetadataResponseTopic;

use crate::cli::Failure;
use crate::client::{Client, Error, Led, TopicPartition};

/// `orders`, or `orders:0,3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    pub name: String,
    /// `None`: all.
    pub partitions: Option<Vec<i32>>,
}

pub fn parse(argument: &str) -> Result<Topic, String> {
    let expected = "expected a topic, or a topic and partitions, such as orders:0,3";
    let (name, numbers) = match argument.split_once(':') {
        Some((name, numbers)) => (name, Some(numbers)),
        None => (argument, None),
    };
    if name.is_empty() {
        return Err(expected.to_owned());
    }
    let number = |text: &str| {
        let number = text.parse::<i32>().ok().filter(|number| *number >= 0);
        number.ok_or_else(|| format!("`{text}` is no number of a partition; {expected}"))
    };
    let partitions = numbers.map(|numbers| numbers.split(',').map(number).collect()).transpose()?;
    Ok(Topic { name: name.to_owned(), partitions })
}

/// All partitions that are meant. A topic or partition that is not there is an error.
pub async fn partitions(
    client: &mut Client,
    wanted: &[Topic],
) -> Result<BTreeSet<TopicPartition>, Failure> {
    let names: Vec<&str> = wanted.iter().map(|topic| &topic.name[..]).collect();
    let topics = client.metadata(Some(&names), false).await?.topics;
    let mut partitions = BTreeSet::new();
    for Topic { name, partitions: numbers } in wanted {
        let there = numbers_of(name, &topics)?;
        for number in numbers.as_ref().unwrap_or(&there) {
            if !there.contains(number) {
                return Err(Failure::new(format!(
                    "topic `{name}` has no partition {number}: it has {}, counted from 0",
                    there.len()
                )));
            }
            partitions.insert((name.clone(), *number));
        }
    }
    Ok(partitions)
}

/// The numbers of a topic's partitions.
pub fn numbers_of(name: &str, topics: &[MetadataResponseTopic]) -> Result<Vec<i32>, Error> {
    let found = topics.iter().find(|topic| topic.name.as_deref() == Some(name));
    match found.map_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, |topic| topic.error_code) {
        ErrorCode::NONE => {}
        code => return Err(Error::refused(format!("topic `{name}`"), code, None)),
    }
    let partitions = found.into_iter().flat_map(|topic| &topic.partitions);
    Ok(partitions.map(|partition| partition.partition_index).collect())
}

/// For each partition the offset at a time, or at one of its ends. What is not there, or has no
/// leader, is not in the answer.
pub async fn log_offsets(
    client: &mut Client,
    partitions: &BTreeSet<TopicPartition>,
    time: i64,
) -> Result<BTreeMap<TopicPartition, i64>, Failure> {
    let names: BTreeSet<&str> = partitions.iter().map(|(topic, _)| &topic[..]).collect();
    let names: Vec<&str> = names.into_iter().collect();
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut offsets = BTreeMap::new();
    for topic in client.metadata(Some(&names), false).await?.topics {
        let name = topic.name.clone().unwrap_or_default();
        let led =
            topic.partitions.iter().filter(|partition| partition.leader_id >= 0).map(Led::from);
        let led = led.filter(|led| partitions.contains(&(name.clone(), led.partition)));
        let wanted: Vec<_> = led.map(|led| (led, time)).collect();
        for found in client.list_offsets(&name, &wanted).await? {
            offsets.insert((name.clone(), found.partition), found.offset);
        }
    }
    Ok(offsets)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_topic_or_some_of_its_partitions() {
        assert_eq!(parse("orders").unwrap().partitions, None);
        assert_eq!(parse("orders:0,3").unwrap().partitions, Some(vec![0, 3]));
        for wrong in ["", ":1", "orders:", "orders:a", "orders:1,", "orders:-1", "o:1:2"] {
            assert!(parse(wrong).unwrap_err().contains("such as orders:0,3"), "{wrong}");
        }
    }
}
