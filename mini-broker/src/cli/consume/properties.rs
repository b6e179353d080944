//! `--consumer-property NAME=VALUE`: the settings of Kafka's consumer that there are here.

use std::time::Duration;

use super::Args;
use crate::cli::Failure;
use crate::client::assignor::Strategy;
use crate::client::group_consumer::{Reset, Settings};

/// What is set, by flags and by properties.
pub struct Properties {
    pub client_id: String,
    pub reset: Reset,
    /// `None`: it reads for itself.
    pub group: Option<Settings>,
}

/// What only members of a group have.
const OF_GROUPS: &[&str] = &[
    "group.instance.id",
    "partition.assignment.strategy",
    "enable.auto.commit",
    "auto.commit.interval.ms",
    "session.timeout.ms",
    "heartbeat.interval.ms",
    "max.poll.interval.ms",
    "metadata.max.age.ms",
];

impl Properties {
    pub fn new(args: &Args) -> Result<Self, Failure> {
        let group = group(args)?;
        // For the settings to go somewhere; without a group there are none for groups.
        let mut settings = Settings::of_group(group.unwrap_or_default());
        let mut client_id = "console-consumer".to_owned();
        let mut reset = None;
        let mut interval = settings.auto_commit_interval;
        let mut commits = true;
        for (name, text) in &args.consumer_properties {
            if group.is_none() && OF_GROUPS.contains(&&name[..]) {
                let sentence = format!(
                    "--consumer-property {name} is for members of a group: say which with --group"
                );
                return Err(Failure::usage(sentence));
            }
            let value = Value { name, text: text.trim() };
            match &name[..] {
                "group.id" => {}
                "client.id" => client_id = value.name()?,
                "auto.offset.reset" => reset = Some(value.reset()?),
                "group.instance.id" => settings.member.instance = Some(value.name()?),
                "partition.assignment.strategy" => {
                    settings.member.strategies = value.strategies()?
                }
                "enable.auto.commit" => commits = value.yes_or_no()?,
                "auto.commit.interval.ms" => interval = Some(value.millis_from(0)?),
                "session.timeout.ms" => settings.member.session_timeout = value.millis()?,
                "heartbeat.interval.ms" => settings.member.heartbeat_interval = value.millis()?,
                "max.poll.interval.ms" => settings.member.rebalance_timeout = value.millis()?,
                "metadata.max.age.ms" => settings.metadata_max_age = value.millis()?,
                _ => {
                    return Err(Failure::usage(format!(
                        "consumer property `{name}` is unknown: expected client.id, \
                         auto.offset.reset, group.id, {}",
                        OF_GROUPS.join(", ")
                    )));
                }
            }
        }
        settings.auto_commit_interval = interval.filter(|_| commits);
        let member = &settings.member;
        if member.heartbeat_interval >= member.session_timeout {
            return Err(Failure::usage(format!(
                "heartbeat.interval.ms={} must be smaller than session.timeout.ms={}, best a third",
                member.heartbeat_interval.as_millis(),
                member.session_timeout.as_millis()
            )));
        }
        settings.reset = match (args.from_beginning, reset) {
            (true, None | Some(Reset::Earliest)) => Reset::Earliest,
            (true, Some(other)) => {
                return Err(Failure::usage(format!(
                    "--from-beginning and auto.offset.reset={} contradict each other",
                    if other == Reset::None { "none" } else { "latest" }
                )));
            }
            (false, reset) => reset.unwrap_or(Reset::Latest),
        };
        let reset = settings.reset;
        Ok(Properties { client_id, reset, group: group.map(|_| settings) })
    }
}

/// From the flag, from the property, or from both if they agree.
fn group(args: &Args) -> Result<Option<&str>, Failure> {
    let properties = args.consumer_properties.iter();
    let mut groups: Vec<&str> =
        properties.filter(|(name, _)| name == "group.id").map(|(_, value)| value.trim()).collect();
    groups.extend(args.group.as_deref());
    groups.sort_unstable();
    groups.dedup();
    match groups[..] {
        [] => Ok(None),
        [""] => Err(Failure::usage("group.id=``: expected the name of a group")),
        [_] if args.partition.is_some() => Err(Failure::usage(
            "a group and --partition cannot go together: the group decides who reads what",
        )),
        [group] => Ok(Some(group)),
        _ => Err(Failure::usage(format!(
            "--group and group.id name several groups, expected one: {}",
            groups.join(", ")
        ))),
    }
}

struct Value<'a> {
    name: &'a str,
    text: &'a str,
}

impl Value<'_> {
    fn wrong(&self, expected: &str) -> Failure {
        Failure::usage(format!("{}=`{}`: expected {expected}", self.name, self.text))
    }

    fn name(&self) -> Result<String, Failure> {
        match self.text {
            "" => Err(self.wrong("a name")),
            name => Ok(name.to_owned()),
        }
    }

    fn reset(&self) -> Result<Reset, Failure> {
        match self.text {
            "earliest" => Ok(Reset::Earliest),
            "latest" => Ok(Reset::Latest),
            "none" => Ok(Reset::None),
            _ => Err(self.wrong("earliest, latest or none")),
        }
    }

    fn yes_or_no(&self) -> Result<bool, Failure> {
        match self.text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(self.wrong("true or false")),
        }
    }

    fn millis(&self) -> Result<Duration, Failure> {
        self.millis_from(1)
    }

    fn millis_from(&self, least: i32) -> Result<Duration, Failure> {
        match self.text.parse::<i32>() {
            Ok(ms) if ms >= least => Ok(Duration::from_millis(ms as u64)),
            _ => Err(self.wrong(&format!("milliseconds, a whole number from {least} on"))),
        }
    }

    fn strategies(&self) -> Result<Vec<Strategy>, Failure> {
        let mut strategies = Vec::new();
        for name in self.text.split(',').map(str::trim) {
            let strategy = Strategy::parse(name);
            let strategy = strategy.ok_or_else(|| {
                let value = Value { name: self.name, text: name };
                value.wrong("range, roundrobin or sticky, or several of them with commas between")
            })?;
            if !strategies.contains(&strategy) {
                strategies.push(strategy);
            }
        }
        Ok(strategies)
    }
}
