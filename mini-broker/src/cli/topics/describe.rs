//! `--describe`: a line for each topic, and one for each of its partitions.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use wire::configs::{DescribeConfigsResourceResult, source};
use wire::metadata::{MetadataResponsePartition, MetadataResponseTopic};

use super::{flags, name};
use crate::cli::Failure;
use crate::cli::java_order::{DEFAULT_ROOM, in_map, room_of_a_copy};
use crate::client::Client;

/// What is to be shown, if not everything. A partition is shown if one of the first four fits.
#[derive(clap::Args, Debug, Default)]
pub struct Only {
    /// With --describe: only partitions with fewer in-sync replicas than replicas
    #[arg(long)]
    under_replicated_partitions: bool,

    /// With --describe: only partitions whose leader is not there
    #[arg(long)]
    unavailable_partitions: bool,

    /// With --describe: only partitions with fewer in-sync replicas than min.insync.replicas
    #[arg(long)]
    under_min_isr_partitions: bool,

    /// With --describe: only partitions with just as many as min.insync.replicas
    #[arg(long)]
    at_min_isr_partitions: bool,

    /// With --describe: only topics with settings of their own, and without their partitions
    #[arg(long, conflicts_with_all = ["under_replicated_partitions", "unavailable_partitions",
        "under_min_isr_partitions", "at_min_isr_partitions"])]
    topics_with_overrides: bool,
}

impl Only {
    /// The first flag that is given, or nothing.
    pub fn flag(&self) -> &'static str {
        match self {
            Only { under_replicated_partitions: true, .. } => "--under-replicated-partitions",
            Only { unavailable_partitions: true, .. } => "--unavailable-partitions",
            Only { under_min_isr_partitions: true, .. } => "--under-min-isr-partitions",
            Only { at_min_isr_partitions: true, .. } => "--at-min-isr-partitions",
            Only { topics_with_overrides: true, .. } => "--topics-with-overrides",
            _ => "",
        }
    }

    fn is_about_partitions(&self) -> bool {
        self.flag() != "" && !self.topics_with_overrides
    }

    fn fits(&self, partition: &MetadataResponsePartition, cluster: &Cluster, least: usize) -> bool {
        let leader = partition.leader_id;
        let in_sync = partition.isr_nodes.len();
        self.under_replicated_partitions && in_sync < partition.replica_nodes.len()
            || self.unavailable_partitions && !cluster.live.contains(&leader)
            || self.under_min_isr_partitions && (leader < 0 || in_sync < least)
            || self.at_min_isr_partitions && in_sync == least
    }
}

/// What the brokers say beside the topics.
struct Cluster {
    live: BTreeSet<i32>,
    configs: BTreeMap<String, Vec<DescribeConfigsResourceResult>>,
}

pub async fn describe(
    client: &mut Client,
    only: &Only,
    topics: Vec<MetadataResponseTopic>,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let names: Vec<&str> = topics.iter().map(name).collect();
    let configs = client.topic_configs(&names).await?;
    let cluster = Cluster { live: client.nodes().collect(), configs };
    for topic in in_kafkas_order(topics) {
        print(&topic, only, &cluster, out)?;
    }
    Ok(())
}

/// Kafka's admin client puts what it asks for into a map, hands out a copy of it, and puts the
/// answers into a third: `DescribeTopicsResult.allTopicNames`.
fn in_kafkas_order(topics: Vec<MetadataResponseTopic>) -> Vec<MetadataResponseTopic> {
    let room = topics.len();
    let copied = in_map(in_map(topics, room, name), room_of_a_copy(room), name);
    in_map(copied, room, name)
}

fn print(
    topic: &MetadataResponseTopic,
    only: &Only,
    cluster: &Cluster,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let configs = cluster.configs.get(name(topic)).map_or(&[][..], |configs| configs);
    if only.is_about_partitions() {
        let counts_least = only.under_min_isr_partitions || only.at_min_isr_partitions;
        let least = match min_insync_replicas(configs) {
            Some(least) => least,
            None if !counts_least => 0,
            None => {
                let topic = name(topic);
                let sentence = format!("the broker does not tell min.insync.replicas of `{topic}`");
                return Err(Failure::new(sentence));
            }
        };
        for partition in by_number(topic).filter(|p| only.fits(p, cluster, least)) {
            print_partition(name(topic), partition, out)?;
        }
        return Ok(());
    }
    let is_set = |c: &&DescribeConfigsResourceResult| c.config_source != source::DEFAULT_CONFIG;
    if only.topics_with_overrides && !configs.iter().any(|config| is_set(&config)) {
        return Ok(());
    }
    let configs = in_map(configs.iter().collect(), DEFAULT_ROOM, |config| &config.name);
    let set = configs.into_iter().filter(is_set);
    let set = set.map(|c| format!("{}={}", c.name, c.value.as_deref().unwrap_or("null")));
    write!(out, "Topic: {}", name(topic))?;
    // A broker older than topic ids has none (KIP-516).
    if !topic.topic_id.is_nil() {
        write!(out, "\tTopicId: {}", flags::id_text(&topic.topic_id))?;
    }
    writeln!(
        out,
        "\tPartitionCount: {}\tReplicationFactor: {}\tConfigs: {}",
        topic.partitions.len(),
        by_number(topic).next().map_or(0, |first| first.replica_nodes.len()),
        set.collect::<Vec<_>>().join(","),
    )?;
    if !only.topics_with_overrides {
        for partition in by_number(topic) {
            print_partition(name(topic), partition, out)?;
        }
    }
    Ok(())
}

fn by_number(topic: &MetadataResponseTopic) -> impl Iterator<Item = &MetadataResponsePartition> {
    let mut partitions: Vec<_> = topic.partitions.iter().collect();
    partitions.sort_by_key(|partition| partition.partition_index);
    partitions.into_iter()
}

fn min_insync_replicas(configs: &[DescribeConfigsResourceResult]) -> Option<usize> {
    let config = configs.iter().find(|config| config.name == "min.insync.replicas")?;
    config.value.as_deref()?.parse().ok()
}

fn print_partition(
    topic: &str,
    partition: &MetadataResponsePartition,
    out: &mut impl Write,
) -> io::Result<()> {
    let leader = match partition.leader_id {
        -1 => "none".to_owned(),
        id => id.to_string(),
    };
    writeln!(
        out,
        "\tTopic: {topic}\tPartition: {}\tLeader: {leader}\tReplicas: {}\tIsr: {}\tElr: N/A\t\
         LastKnownElr: N/A",
        partition.partition_index,
        ids(&partition.replica_nodes),
        ids(&partition.isr_nodes),
    )
}

fn ids(nodes: &[i32]) -> String {
    nodes.iter().map(i32::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    /// Partition 0 is well, 1 has lost a follower, 2 is at the least, 3 has no leader.
    fn topic() -> MetadataResponseTopic {
        let partition = |partition_index, leader_id, isr_nodes: &[i32]| MetadataResponsePartition {
            partition_index,
            leader_id,
            replica_nodes: vec![1, 2, 3],
            isr_nodes: isr_nodes.to_vec(),
            ..Default::default()
        };
        MetadataResponseTopic {
            name: Some("orders".to_owned()),
            topic_id: Uuid::from_u128(1),
            partitions: vec![
                partition(3, -1, &[3]),
                partition(0, 1, &[1, 2, 3]),
                partition(2, 2, &[2]),
                partition(1, 1, &[1, 2]),
            ],
            ..Default::default()
        }
    }

    fn config(name: &str, value: &str, config_source: i8) -> DescribeConfigsResourceResult {
        DescribeConfigsResourceResult {
            name: name.to_owned(),
            value: Some(value.to_owned()),
            config_source,
            ..Default::default()
        }
    }

    fn printed(only: Only, min_insync: DescribeConfigsResourceResult) -> String {
        let configs = vec![config("retention.ms", "7", source::DEFAULT_CONFIG), min_insync];
        let cluster = Cluster {
            live: BTreeSet::from([2, 3]),
            configs: BTreeMap::from([("orders".to_owned(), configs)]),
        };
        let mut out = Vec::new();
        print(&topic(), &only, &cluster, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// The numbers of the partitions that are shown.
    fn shown(only: Only) -> Vec<String> {
        let text = printed(only, config("min.insync.replicas", "2", source::TOPIC_CONFIG));
        let number = |line: &str| Some(line.split("Partition: ").nth(1)?[..1].to_owned());
        text.lines().map(|line| number(line).unwrap()).collect()
    }

    #[test]
    fn a_topic_is_a_line_and_each_partition_too() {
        assert_eq!(
            printed(Only::default(), config("min.insync.replicas", "2", source::TOPIC_CONFIG)),
            "Topic: orders\tTopicId: AAAAAAAAAAAAAAAAAAAAAQ\tPartitionCount: 4\t\
             ReplicationFactor: 3\tConfigs: min.insync.replicas=2\n\
             \tTopic: orders\tPartition: 0\tLeader: 1\tReplicas: 1,2,3\tIsr: 1,2,3\tElr: N/A\t\
             LastKnownElr: N/A\n\
             \tTopic: orders\tPartition: 1\tLeader: 1\tReplicas: 1,2,3\tIsr: 1,2\tElr: N/A\t\
             LastKnownElr: N/A\n\
             \tTopic: orders\tPartition: 2\tLeader: 2\tReplicas: 1,2,3\tIsr: 2\tElr: N/A\t\
             LastKnownElr: N/A\n\
             \tTopic: orders\tPartition: 3\tLeader: none\tReplicas: 1,2,3\tIsr: 3\tElr: N/A\t\
             LastKnownElr: N/A\n"
        );
    }

    #[test]
    fn only_what_is_asked_for_is_shown() {
        let only = Only { under_replicated_partitions: true, ..Only::default() };
        assert_eq!(shown(only), ["1", "2", "3"]);
        // Broker 1 is gone, and so is the leader of 0 and 1.
        let only = Only { unavailable_partitions: true, ..Only::default() };
        assert_eq!(shown(only), ["0", "1", "3"]);
        let only = Only { under_min_isr_partitions: true, ..Only::default() };
        assert_eq!(shown(only), ["2", "3"]);
        let only = Only { at_min_isr_partitions: true, ..Only::default() };
        assert_eq!(shown(only), ["1"]);
        // Whatever fits one of them.
        let only =
            Only { at_min_isr_partitions: true, under_min_isr_partitions: true, ..Only::default() };
        assert_eq!(shown(only), ["1", "2", "3"]);
    }

    #[test]
    fn overrides_are_settings_that_are_not_the_default() {
        let only = || Only { topics_with_overrides: true, ..Only::default() };
        let text = printed(only(), config("min.insync.replicas", "2", source::TOPIC_CONFIG));
        assert!(text.ends_with("\tConfigs: min.insync.replicas=2\n"), "{text}");
        assert_eq!(text.lines().count(), 1);
        let default = config("min.insync.replicas", "1", source::DEFAULT_CONFIG);
        assert_eq!(printed(only(), default), "");
    }

    #[test]
    fn topics_stand_as_they_leave_the_third_map() {
        let topic = |name: &str| MetadataResponseTopic {
            name: Some(name.to_owned()),
            ..Default::default()
        };
        // All in one bucket of four, but not of eight.
        let topics = in_kafkas_order(["t.g2r", "t.m3a", "t.qfh"].map(topic).to_vec());
        let order: Vec<&str> = topics.iter().map(name).collect();
        assert_eq!(order, ["t.m3a", "t.qfh", "t.g2r"]);
    }
}
