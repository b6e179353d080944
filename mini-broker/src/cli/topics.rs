//! `mini-broker topics`: topics are made, listed, described, grown and deleted, as with Kafka's
//! `TopicCommand` (`kafka-topics.sh`), line by line.
//!
//! Two things are absent. The columns Elr and LastKnownElr (KIP-966) say N/A, as Kafka's tool says
//! to a broker without the API DescribeTopicPartitions (75): it is not spoken here, so they say it
//! to a broker that has it, too. And replicas that are being moved (KIP-455) are not marked as such.

mod assignment;
mod describe;
mod flags;

use std::fmt;
use std::io::Write;

use uuid::Uuid;
use wire::ErrorCode;
use wire::metadata::MetadataResponseTopic;

use super::topic_pattern::TopicPattern;
use super::{Failure, terminal};
use crate::client::admin::{NewPartitions, NewTopic};
use crate::client::{Client, Error};
use assignment::Assignment;

#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("action").required(true))]
pub struct Args {
    /// The servers to ask first
    #[arg(long, value_name = "HOST:PORT", default_value = terminal::DEFAULT_SERVER)]
    bootstrap_server: String,

    /// Make a topic
    #[arg(long, group = "action")]
    create: bool,

    /// Print the names of the topics
    #[arg(long, group = "action")]
    list: bool,

    /// Print partitions, leaders, replicas and settings
    #[arg(long, group = "action")]
    describe: bool,

    /// Add partitions to topics. Keys may then go to another partition than before
    #[arg(long, group = "action")]
    alter: bool,

    /// Delete topics
    #[arg(long, group = "action")]
    delete: bool,

    /// The topic; except with --create also several with commas between, or a regular expression
    #[arg(long, value_name = "NAME", required_unless_present_any = ["list", "describe"],
        value_parser = clap::builder::NonEmptyStringValueParser::new())]
    topic: Option<String>,

    /// With --describe: the topic by its id, which --describe prints; goes before --topic
    #[arg(long, value_name = "ID", value_parser = flags::topic_id,
        allow_hyphen_values = true)]
    topic_id: Option<Uuid>,

    /// With --create: how many partitions (otherwise the broker's num.partitions); with --alter: how
    /// many there should be in the end
    #[arg(long, value_name = "NUMBER", value_parser = flags::partitions,
        allow_negative_numbers = true)]
    partitions: Option<i32>,

    /// With --create: how many replicas each partition has (otherwise the broker's default)
    #[arg(long, value_name = "NUMBER", value_parser = flags::replication_factor,
        allow_negative_numbers = true)]
    replication_factor: Option<i16>,

    /// With --create and --alter: the brokers of every partition, its preferred leader first, such
    /// as 1:2,2:3 for two partitions with two replicas each; with --alter the partitions that are
    /// there already count too, and stay where they are
    #[arg(long, value_name = "ID:ID,ID:ID", value_parser = assignment::parse)]
    replica_assignment: Option<Assignment>,

    /// With --create: a setting of the topic, such as retention.ms=60000; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = flags::config)]
    config: Vec<(String, String)>,

    /// With --create: say nothing if the topic is there already
    #[arg(long)]
    if_not_exists: bool,

    /// With --describe, --alter and --delete: say nothing if the topic is not there
    #[arg(long)]
    if_exists: bool,

    /// With --list and --describe: leave out topics that the broker made for itself
    #[arg(long)]
    exclude_internal: bool,

    #[command(flatten)]
    only: describe::Only,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Create,
    List,
    Describe,
    Alter,
    Delete,
}

impl Args {
    fn action(&self) -> Action {
        match self {
            Args { create: true, .. } => Action::Create,
            Args { list: true, .. } => Action::List,
            Args { alter: true, .. } => Action::Alter,
            Args { delete: true, .. } => Action::Delete,
            _ => Action::Describe,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Action::Create => "--create",
            Action::List => "--list",
            Action::Describe => "--describe",
            Action::Alter => "--alter",
            Action::Delete => "--delete",
        })
    }
}

pub async fn run(args: Args) -> Result<(), Failure> {
    let mut out = terminal::out();
    run_into(args, &mut out).await?;
    Ok(out.flush()?)
}

pub async fn run_into(args: Args, out: &mut impl Write) -> Result<(), Failure> {
    let action = args.action();
    flags::check(&args, action)?;
    let pattern = match &args.topic {
        Some(topic) if action != Action::Create => TopicPattern::new("--topic", topic)?,
        _ => TopicPattern::any(),
    };
    let mut client = Client::connect(&args.bootstrap_server).await?;
    if action == Action::Create {
        return create(&mut client, args, out).await;
    }
    let topics = chosen(&mut client, &args, &pattern, out).await?;
    match action {
        // Kafka's tool joins the names and prints a line: no topics are an empty one.
        Action::List => Ok(writeln!(out, "{}", names(&topics).join("\n"))?),
        _ if topics.is_empty() => Ok(()),
        Action::Alter => alter(&mut client, &args, topics).await,
        Action::Delete => Ok(client.delete_topics(names(&topics)).await?),
        Action::Create | Action::Describe => {
            describe::describe(&mut client, &args.only, topics, out).await
        }
    }
}

async fn create(client: &mut Client, args: Args, out: &mut impl Write) -> Result<(), Failure> {
    let name = args.topic.unwrap_or_default();
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
        assignments: args.replica_assignment.map(|assignment| assignment.0).unwrap_or_default(),
        configs: flags::last_of_each_name(args.config),
    };
    match client.create_topic(&new).await {
        Ok(()) => Ok(writeln!(out, "Created topic {name}.")?),
        Err(Error::Refused { code: ErrorCode::TOPIC_ALREADY_EXISTS, .. }) if args.if_not_exists => {
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

async fn alter(
    client: &mut Client,
    args: &Args,
    topics: Vec<MetadataResponseTopic>,
) -> Result<(), Failure> {
    let count = args.partitions.unwrap_or_default();
    let new = topics.iter().map(|topic| NewPartitions {
        topic: name(topic).to_owned(),
        count,
        assignments: args.replica_assignment.as_ref().map(|of| of.after(topic.partitions.len())),
    });
    Ok(client.create_partitions(new.collect()).await?)
}

/// The topics that are meant. None is an error, unless it may be so.
async fn chosen(
    client: &mut Client,
    args: &Args,
    pattern: &TopicPattern,
    out: &mut impl Write,
) -> Result<Vec<MetadataResponseTopic>, Failure> {
    // The id of zeros is no topic's, and means none.
    let id = args.topic_id.filter(|id| !id.is_nil());
    if args.topic.is_some() && args.topic_id.is_some() && args.if_exists {
        writeln!(
            out,
            "Only topic id will be used when both --topic and --topic-id are specified and topicId \
             is not Uuid.ZERO_UUID"
        )?;
    }
    let mut topics = client.topics().await?;
    topics.retain(|topic| match id {
        Some(id) => topic.topic_id == id,
        None => pattern.fits(name(topic)),
    });
    topics.retain(|topic| !args.exclude_internal || !topic.is_internal);
    if !topics.is_empty() || args.if_exists || args.list {
        return Ok(topics);
    }
    match (id, &args.topic) {
        (Some(id), _) => {
            let id = flags::id_text(&id);
            Err(Failure::new(format!("no topic has the id `{id}`")))
        }
        (None, Some(topic)) => Err(Failure::new(format!("topic `{topic}` does not exist"))),
        (None, None) => Ok(topics),
    }
}

fn names(topics: &[MetadataResponseTopic]) -> Vec<String> {
    topics.iter().map(|topic| name(topic).to_owned()).collect()
}

fn name(topic: &MetadataResponseTopic) -> &str {
    topic.name.as_deref().unwrap_or_default()
}
