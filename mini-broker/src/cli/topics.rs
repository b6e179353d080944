//! `mini-broker topics`: create, list, describe and delete, in the words of `kafka-topics.sh`.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use wire::ErrorCode;
use wire::configs::source;
use wire::metadata::{MetadataResponsePartition, MetadataResponseTopic};

use super::{Failure, terminal};
use crate::client::admin::NewTopic;
use crate::client::{Client, Error};

#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("action").required(true))]
pub struct Args {
    /// The servers to ask first
    #[arg(long, value_name = "HOST:PORT", default_value = terminal::DEFAULT_SERVER)]
    bootstrap_server: String,

    /// Make a topic
    #[arg(long, group = "action", requires = "topic")]
    create: bool,

    /// Print the names of the topics
    #[arg(long, group = "action")]
    list: bool,

    /// Print partitions, leaders, replicas and settings
    #[arg(long, group = "action")]
    describe: bool,

    /// Delete topics
    #[arg(long, group = "action", requires = "topic")]
    delete: bool,

    /// The topic; except with --create several, with commas between
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    topic: Vec<String>,

    /// With --create: how many partitions (otherwise the broker's num.partitions)
    #[arg(long, value_name = "NUMBER", requires = "create")]
    partitions: Option<i32>,

    /// With --create: how many replicas each partition has (otherwise the broker's default)
    #[arg(long, value_name = "NUMBER", requires = "create")]
    replication_factor: Option<i16>,

    /// With --create: a setting of the topic, such as retention.ms=60000
    #[arg(long, value_name = "NAME=VALUE", requires = "create",
        value_parser = terminal::name_value)]
    config: Vec<(String, String)>,

    /// With --create: say nothing if the topic is there already
    #[arg(long, requires = "create")]
    if_not_exists: bool,

    /// With --describe and --delete: say nothing if the topic is not there
    #[arg(long)]
    if_exists: bool,

    /// With --list and --describe: leave out topics that the broker made for itself
    #[arg(long)]
    exclude_internal: bool,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    let mut out = terminal::out();
    run_into(args, &mut out).await?;
    Ok(out.flush()?)
}

pub async fn run_into(args: Args, out: &mut impl Write) -> Result<(), Failure> {
    let mut client = Client::connect(&args.bootstrap_server).await?;
    if args.create {
        return create(&mut client, &args, out).await;
    }
    let topics = chosen(&mut client, &args).await?;
    if args.list {
        for topic in &topics {
            writeln!(out, "{}", name(topic))?;
        }
    } else if args.delete {
        for topic in &topics {
            client.delete_topic(name(topic)).await?;
        }
    } else {
        describe(&mut client, &topics, out).await?;
    }
    Ok(())
}

async fn create(client: &mut Client, args: &Args, out: &mut impl Write) -> Result<(), Failure> {
    let [name] = &args.topic[..] else {
        return Err(Failure::new("--create makes one topic: give --topic one name"));
    };
    if name.contains(['.', '_']) {
        writeln!(
            out,
            "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore \
             ('_') could collide. To avoid issues it is best to use either, but not both."
        )?;
    }
    let new = NewTopic {
        name: name.clone(),
        partitions: args.partitions.unwrap_or(-1),
        replication_factor: args.replication_factor.unwrap_or(-1),
        configs: args.config.clone(),
    };
    match client.create_topic(&new).await {
        Ok(()) => Ok(writeln!(out, "Created topic {name}.")?),
        Err(Error::Refused { code: ErrorCode::TOPIC_ALREADY_EXISTS, .. }) if args.if_not_exists => {
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// The topics named, or all of them.
async fn chosen(client: &mut Client, args: &Args) -> Result<Vec<MetadataResponseTopic>, Failure> {
    let mut topics = client.topics().await?;
    if args.exclude_internal {
        topics.retain(|topic| !topic.is_internal);
    }
    if args.topic.is_empty() {
        return Ok(topics);
    }
    topics.retain(|topic| args.topic.iter().any(|wanted| wanted == name(topic)));
    let missing = args.topic.iter().find(|wanted| !topics.iter().any(|t| name(t) == **wanted));
    match missing {
        Some(wanted) if !args.if_exists && !args.list => {
            Err(Failure::new(format!("topic `{wanted}` does not exist")))
        }
        _ => Ok(topics),
    }
}

async fn describe(
    client: &mut Client,
    topics: &[MetadataResponseTopic],
    out: &mut impl Write,
) -> Result<(), Failure> {
    let names: Vec<&str> = topics.iter().map(name).collect();
    if names.is_empty() {
        return Ok(());
    }
    let configs = client.topic_configs(&names).await?;
    for topic in topics {
        let configs = configs.get(name(topic)).map_or(&[][..], |configs| configs);
        let set = configs.iter().filter(|config| config.config_source != source::DEFAULT_CONFIG);
        let set = set.map(|c| format!("{}={}", c.name, c.value.as_deref().unwrap_or("null")));
        writeln!(
            out,
            "Topic: {}\tTopicId: {}\tPartitionCount: {}\tReplicationFactor: {}\tConfigs: {}",
            name(topic),
            URL_SAFE_NO_PAD.encode(topic.topic_id.as_bytes()),
            topic.partitions.len(),
            topic.partitions.first().map_or(0, |partition| partition.replica_nodes.len()),
            set.collect::<Vec<_>>().join(","),
        )?;
        let mut partitions: Vec<_> = topic.partitions.iter().collect();
        partitions.sort_by_key(|partition| partition.partition_index);
        for partition in partitions {
            describe_partition(name(topic), partition, out)?;
        }
    }
    Ok(())
}

/// Eligible leader replicas (Elr) are asked for by an API that is not spoken here: N/A, as Kafka's
/// own tool says to a broker without it.
fn describe_partition(
    topic: &str,
    partition: &MetadataResponsePartition,
    out: &mut impl Write,
) -> std::io::Result<()> {
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

fn name(topic: &MetadataResponseTopic) -> &str {
    topic.name.as_deref().unwrap_or_default()
}
