//! `mini-broker configs`: the settings of topics and brokers, told and changed while they run, as
//! with Kafka's `ConfigCommand` (`kafka-configs.sh`), line by line.
//!
//! Kafka's tool also has users, clients, addresses, groups and loggers; none of them is here.

mod changes;

use std::io::{self, Write};

use wire::ErrorCode;
use wire::configs::{DescribeConfigsResourceResult, source};

use super::java_order::{DEFAULT_ROOM, in_map};
use super::{Failure, terminal};
use crate::client::admin::Resource;
use crate::client::{Client, Error};

#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("action").required(true))]
pub struct Args {
    /// The servers to ask first
    #[arg(long, value_name = "HOST:PORT", default_value = terminal::DEFAULT_SERVER)]
    bootstrap_server: String,

    /// Print settings
    #[arg(long, group = "action")]
    describe: bool,

    /// Change settings
    #[arg(long, group = "action")]
    alter: bool,

    /// Whose settings
    #[arg(long, value_name = "TYPE")]
    entity_type: Kind,

    /// A topic's name or a broker's id; with --describe: all of them, if left out
    #[arg(long, value_name = "NAME", conflicts_with = "entity_default",
        value_parser = clap::builder::NonEmptyStringValueParser::new())]
    entity_name: Option<String>,

    /// What holds for every broker that has no setting of its own
    #[arg(long)]
    entity_default: bool,

    /// With --describe: also what nobody has changed
    #[arg(long, conflicts_with = "alter")]
    all: bool,

    /// With --alter: settings to set, such as retention.ms=60000,cleanup.policy=[compact,delete];
    /// brackets hold together what has commas
    #[arg(long, value_name = "NAME=VALUE,…", conflicts_with = "describe",
        value_parser = changes::parse)]
    add_config: Option<changes::Settings>,

    /// With --alter: settings to take away, so that they fall back to what holds behind them
    #[arg(long, value_name = "NAME,…", conflicts_with = "describe", value_delimiter = ',')]
    delete_config: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    Topics,
    Brokers,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    let mut out = terminal::out();
    run_into(args, &mut out).await?;
    Ok(out.flush()?)
}

pub async fn run_into(args: Args, out: &mut impl Write) -> Result<(), Failure> {
    let asked = resource(&args)?;
    match (args.alter, asked) {
        (true, Some(of)) => {
            changes::check(&args)?;
            let mut client = Client::connect(&args.bootstrap_server).await?;
            changes::alter(&mut client, of, &args, out).await
        }
        (true, None) => Err(Failure::usage(match args.entity_type {
            Kind::Topics => "--alter needs --entity-name: the topic whose settings should change",
            Kind::Brokers => "--alter needs --entity-name with a broker's id, or --entity-default",
        })),
        (false, asked) => describe(&args, asked, out).await,
    }
}

/// What is asked for by name; nothing: all.
fn resource(args: &Args) -> Result<Option<Resource<'_>>, Failure> {
    match (args.entity_type, &args.entity_name) {
        (Kind::Topics, _) if args.entity_default => Err(Failure::usage(
            "--entity-default goes with --entity-type brokers: topics without a setting of their \
             own have their broker's",
        )),
        (Kind::Topics, Some(name)) => Ok(Some(Resource::Topic(name))),
        (Kind::Brokers, Some(id)) => match id.parse() {
            Ok(id) => Ok(Some(Resource::Broker(id))),
            Err(_) => Err(Failure::usage(format!(
                "--entity-name `{id}`: expected a broker's id, a number"
            ))),
        },
        (Kind::Brokers, None) if args.entity_default => Ok(Some(Resource::EveryBroker)),
        (_, None) => Ok(None),
    }
}

async fn describe(
    args: &Args,
    asked: Option<Resource<'_>>,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let mut client = Client::connect(&args.bootstrap_server).await?;
    // In the order the broker tells, which decides between two in one bucket.
    let topics = client.metadata(None, false).await?.topics;
    let topics = topics.into_iter().filter_map(|topic| topic.name).collect();
    let topics = in_map(topics, DEFAULT_ROOM, |name| name);
    let brokers: Vec<i32> = client.nodes().collect();
    let resources = match asked {
        Some(of @ Resource::Topic(name)) if !args.all && !topics.iter().any(|t| t == name) => {
            return absent(&mut client, of, out).await;
        }
        Some(of @ Resource::Broker(id)) if !brokers.contains(&id) => {
            return absent(&mut client, of, out).await;
        }
        Some(of) => vec![of],
        None if args.entity_type == Kind::Topics => {
            topics.iter().map(|name| Resource::Topic(name)).collect()
        }
        None => {
            let brokers = brokers.into_iter().map(Resource::Broker);
            brokers.chain([Resource::EveryBroker]).collect()
        }
    };
    for of in resources {
        print_head(of, args.all, out)?;
        print(of, client.configs(of).await?, args.all, out)?;
    }
    Ok(())
}

/// To Kafka's tool this is a success, unless it is a name that no topic can have: the broker knows.
async fn absent(
    client: &mut Client,
    of: Resource<'_>,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let (kind, name) = match of {
        Resource::Topic(name) => ("topic", name.to_owned()),
        Resource::Broker(id) => ("broker", id.to_string()),
        Resource::EveryBroker => ("broker", String::new()),
    };
    if kind == "topic"
        && let Err(error) = client.configs(of).await
        && matches!(error, Error::Refused { code: ErrorCode::INVALID_TOPIC_EXCEPTION, .. })
    {
        return Err(error.into());
    }
    Ok(writeln!(out, "The {kind} '{name}' doesn't exist and doesn't have dynamic config.")?)
}

fn print_head(of: Resource<'_>, all: bool, out: &mut impl Write) -> io::Result<()> {
    let which = if all { "All" } else { "Dynamic" };
    match of {
        Resource::Topic(name) => writeln!(out, "{which} configs for topic {name} are:"),
        Resource::Broker(id) => writeln!(out, "{which} configs for broker {id} are:"),
        Resource::EveryBroker => writeln!(out, "Default configs for brokers in the cluster are:"),
    }
}

fn print(
    of: Resource<'_>,
    mut configs: Vec<DescribeConfigsResourceResult>,
    all: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    configs.retain(|config| all || is_own(of, config));
    configs.sort_by(|a, b| a.name.cmp(&b.name));
    for config in configs {
        let synonyms = config.synonyms.iter().map(|synonym| {
            let value = synonym.value.as_deref().unwrap_or("null");
            format!("{}:{}={value}", source_name(synonym.source), synonym.name)
        });
        writeln!(
            out,
            "  {}={} sensitive={} synonyms={{{}}}",
            config.name,
            config.value.as_deref().unwrap_or("null"),
            config.is_sensitive,
            synonyms.collect::<Vec<_>>().join(", ")
        )?;
    }
    Ok(())
}

/// Whether a setting was made here, and can be taken away here.
fn is_own(of: Resource<'_>, config: &DescribeConfigsResourceResult) -> bool {
    config.config_source
        == match of {
            Resource::Topic(_) => source::TOPIC_CONFIG,
            Resource::Broker(_) => source::DYNAMIC_BROKER_CONFIG,
            Resource::EveryBroker => source::DYNAMIC_DEFAULT_BROKER_CONFIG,
        }
}

/// The names of `ConfigEntry.ConfigSource` in Kafka.
fn source_name(number: i8) -> &'static str {
    match number {
        source::TOPIC_CONFIG => "DYNAMIC_TOPIC_CONFIG",
        source::DYNAMIC_BROKER_CONFIG => "DYNAMIC_BROKER_CONFIG",
        source::DYNAMIC_DEFAULT_BROKER_CONFIG => "DYNAMIC_DEFAULT_BROKER_CONFIG",
        source::STATIC_BROKER_CONFIG => "STATIC_BROKER_CONFIG",
        source::DEFAULT_CONFIG => "DEFAULT_CONFIG",
        _ => "UNKNOWN",
    }
}

#[cfg(test)]
mod tests {
    use wire::configs::DescribeConfigsSynonym;

    use super::*;

    /// What Kafka 4.1.1 answered for a topic, and for all brokers.
    fn configs() -> Vec<DescribeConfigsResourceResult> {
        let synonym = |name: &str, value: &str, source| DescribeConfigsSynonym {
            name: name.to_owned(),
            value: Some(value.to_owned()),
            source,
        };
        vec![
            DescribeConfigsResourceResult {
                name: "retention.ms".to_owned(),
                value: Some("70000".to_owned()),
                config_source: source::TOPIC_CONFIG,
                synonyms: vec![synonym("retention.ms", "70000", source::TOPIC_CONFIG)],
                ..Default::default()
            },
            DescribeConfigsResourceResult {
                name: "min.insync.replicas".to_owned(),
                value: Some("1".to_owned()),
                config_source: source::DYNAMIC_DEFAULT_BROKER_CONFIG,
                synonyms: vec![
                    synonym("min.insync.replicas", "1", source::DYNAMIC_DEFAULT_BROKER_CONFIG),
                    synonym("min.insync.replicas", "1", source::DEFAULT_CONFIG),
                ],
                ..Default::default()
            },
            DescribeConfigsResourceResult {
                name: "a.password".to_owned(),
                config_source: source::DEFAULT_CONFIG,
                is_sensitive: true,
                ..Default::default()
            },
        ]
    }

    fn printed(of: Resource<'_>, all: bool) -> String {
        let mut out = Vec::new();
        print_head(of, all, &mut out).unwrap();
        print(of, configs(), all, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn settings_stand_in_kafkas_layout() {
        assert_eq!(
            printed(Resource::Topic("t"), false),
            "Dynamic configs for topic t are:\n  \
             retention.ms=70000 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:retention.ms=70000}\n"
        );
        assert_eq!(
            printed(Resource::Topic("t"), true),
            "All configs for topic t are:\n  \
             a.password=null sensitive=true synonyms={}\n  \
             min.insync.replicas=1 sensitive=false \
             synonyms={DYNAMIC_DEFAULT_BROKER_CONFIG:min.insync.replicas=1, \
             DEFAULT_CONFIG:min.insync.replicas=1}\n  \
             retention.ms=70000 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:retention.ms=70000}\n"
        );
        assert_eq!(printed(Resource::Broker(1), false), "Dynamic configs for broker 1 are:\n");
        let of_all = printed(Resource::EveryBroker, false);
        assert!(
            of_all.starts_with("Default configs for brokers in the cluster are:\n  min.insync")
        );
        assert_eq!(of_all.lines().count(), 2);
    }
}
