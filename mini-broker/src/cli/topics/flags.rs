//! Which flags go together, and what their values may be.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use super::{Action, Args};
use crate::cli::{Failure, terminal};

/// `TopicCommandOptions.checkArgs`, and two more: what Kafka's tool would leave unread is refused.
pub fn check(args: &Args, action: Action) -> Result<(), Failure> {
    use Action::{Alter, Create, Delete, Describe, List};
    let refuse = |sentence: String| Err(Failure::usage(sentence));
    if action == Alter && !args.config.is_empty() {
        return refuse(
            "--config goes with --create, not with --alter: `mini-broker configs --alter` changes \
             the settings of a topic that exists"
                .to_owned(),
        );
    }
    for (flag, given, goes_with) in [
        ("--topic-id", args.topic_id.is_some(), &[Describe][..]),
        ("--partitions", args.partitions.is_some(), &[Create, Alter]),
        ("--replication-factor", args.replication_factor.is_some(), &[Create]),
        ("--replica-assignment", args.replica_assignment.is_some(), &[Create, Alter]),
        ("--config", !args.config.is_empty(), &[Create]),
        ("--if-not-exists", args.if_not_exists, &[Create]),
        ("--if-exists", args.if_exists, &[Describe, Alter, Delete]),
        ("--exclude-internal", args.exclude_internal, &[List, Describe]),
        (args.only.flag(), args.only.flag() != "", &[Describe]),
    ] {
        if given && !goes_with.contains(&action) {
            let with: Vec<_> = goes_with.iter().map(Action::to_string).collect();
            return refuse(format!("{flag} goes with {}, not with {action}", with.join(", ")));
        }
    }
    if action == Create && args.replica_assignment.is_some() {
        for (flag, given) in [
            ("--partitions", args.partitions.is_some()),
            ("--replication-factor", args.replication_factor.is_some()),
        ] {
            if given {
                return refuse(format!(
                    "{flag} and --replica-assignment do not go together: the assignment says it"
                ));
            }
        }
    }
    match action {
        Alter if args.partitions.is_none() => {
            refuse("--alter needs --partitions: how many there should be in the end".to_owned())
        }
        Describe if args.if_exists && args.topic.is_none() && args.topic_id.is_none() => {
            refuse("--if-exists needs --topic or --topic-id: all topics exist".to_owned())
        }
        _ => Ok(()),
    }
}

/// A topic's id as Kafka writes it: 16 bytes in base64, for URLs and without padding.
pub fn topic_id(argument: &str) -> Result<Uuid, String> {
    let bytes = URL_SAFE_NO_PAD.decode(argument).ok();
    bytes
        .and_then(|bytes| Uuid::from_slice(&bytes).ok())
        .ok_or_else(|| "expected the 22 characters that --describe prints after TopicId".to_owned())
}

pub fn id_text(id: &Uuid) -> String {
    URL_SAFE_NO_PAD.encode(id.as_bytes())
}

pub fn partitions(argument: &str) -> Result<i32, String> {
    number(argument, i32::MAX)
}

pub fn replication_factor(argument: &str) -> Result<i16, String> {
    number(argument, i16::MAX)
}

/// The broker's default is asked for by leaving the flag out, not by −1.
fn number<N: TryFrom<i64> + std::fmt::Display>(argument: &str, max: N) -> Result<N, String> {
    let number = argument.parse::<i64>().ok().filter(|number| *number >= 1);
    number
        .and_then(|number| N::try_from(number).ok())
        .ok_or_else(|| format!("expected a number from 1 to {max}"))
}

/// Kafka's tool takes no empty value here.
pub fn config(argument: &str) -> Result<(String, String), String> {
    let (name, value) = terminal::name_value(argument)?;
    match (name.trim(), value.trim()) {
        (_, "") => Err("expected NAME=VALUE".to_owned()),
        (name, value) => Ok((name.to_owned(), value.to_owned())),
    }
}

/// Of a setting that is given twice the later one counts; a broker would refuse both.
pub fn last_of_each_name(configs: Vec<(String, String)>) -> Vec<(String, String)> {
    configs.into_iter().collect::<BTreeMap<_, _>>().into_iter().collect()
}
