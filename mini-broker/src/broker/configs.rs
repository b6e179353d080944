//! The settings, under Kafka's names: one table, from which come the defaults, the check of every
//! value, the topics' own settings, and the answer to DescribeConfigs.

use std::collections::BTreeMap;

use wire::configs::{DescribeConfigsResourceResult, DescribeConfigsSynonym, kind, source};

/// A setting of the broker, and what it is called where a topic has its own.
#[derive(Debug)]
pub struct Setting {
    pub name: &'static str,
    pub topic: Option<&'static str>,
    pub default: &'static str,
    pub kind: Kind,
    pub about: &'static str,
}

/// What a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Bool,
    Int {
        min: i64,
    },
    Long {
        min: i64,
    },
    /// One of these; Kafka may know more.
    Choice(&'static [&'static str]),
}

macro_rules! settings {
    ($($name:literal $(=> $topic:literal)?, $kind:expr, $default:literal, $about:literal;)*) => {
        &[$(Setting {
            name: $name,
            topic: settings!(@topic $($topic)?),
            default: $default,
            kind: $kind,
            about: $about,
        }),*]
    };
    (@topic $topic:literal) => { Some($topic) };
    (@topic) => { None };
}

/// Every setting there is. Kafka has many more; one that is not here is refused by name.
///
/// `num.partitions` is Kafka's own default: one partition, so that a first topic is one log in one
/// order. Client test suites that want four ask for them.
#[rustfmt::skip]
pub const SETTINGS: &[Setting] = settings! {
    "auto.create.topics.enable", Kind::Bool, "true",
        "Whether asking for the metadata of an unknown topic creates it.";
    "default.replication.factor", Kind::Int { min: 1 }, "1",
        "Replicas of a topic that is created without saying how many.";
    "delete.topic.enable", Kind::Bool, "true",
        "Whether topics may be deleted.";
    "fetch.max.bytes", Kind::Int { min: 1024 }, "57671680",
        "The most bytes one fetch is answered with, whatever the client allows.";
    "log.cleanup.policy" => "cleanup.policy", Kind::Choice(&["delete"]), "delete",
        "What happens to old segments.";
    "compression.type" => "compression.type", Kind::Choice(&["producer"]), "producer",
        "Batches are stored as the producer compressed them.";
    "log.flush.interval.ms", Kind::Long { min: 1 }, "60000",
        "The longest time that written records wait for an fsync.";
    "log.index.interval.bytes" => "index.interval.bytes", Kind::Int { min: 0 }, "4096",
        "Bytes of log between two entries of its index.";
    "log.message.timestamp.after.max.ms" => "message.timestamp.after.max.ms", Kind::Long { min: 0 }, "3600000",
        "How far ahead of the broker's clock a record's timestamp may be.";
    "log.message.timestamp.type" => "message.timestamp.type", Kind::Choice(&["CreateTime"]), "CreateTime",
        "Whose clock a record's timestamp comes from.";
    "log.retention.bytes" => "retention.bytes", Kind::Long { min: -1 }, "-1",
        "The size of a partition from which on its oldest segments are deleted; -1: no limit.";
    "log.retention.check.interval.ms", Kind::Long { min: 1 }, "300000",
        "How often segments are looked at that may be too old.";
    "log.retention.ms" => "retention.ms", Kind::Long { min: -1 }, "604800000",
        "The age at which a segment is deleted, read or not; -1: never.";
    "log.roll.ms" => "segment.ms", Kind::Long { min: 1 }, "604800000",
        "The age at which a segment is closed and a new one begun.";
    "log.segment.bytes" => "segment.bytes", Kind::Int { min: 1024 }, "1073741824",
        "The size at which a segment is closed and a new one begun.";
    "message.max.bytes" => "max.message.bytes", Kind::Int { min: 0 }, "1048588",
        "The largest batch that is taken.";
    "min.insync.replicas" => "min.insync.replicas", Kind::Int { min: 1 }, "1",
        "In-sync replicas that acks=all asks for.";
    "num.partitions", Kind::Int { min: 1 }, "1",
        "Partitions of a topic that is created without saying how many.";
    "socket.request.max.bytes", Kind::Int { min: 8 }, "104857600",
        "The largest request that is read.";
};

/// Names for the same setting in another unit, and its milliseconds.
const IN_OTHER_UNITS: &[(&str, &str, i64)] = &[
    ("log.retention.minutes", "log.retention.ms", 60_000),
    ("log.retention.hours", "log.retention.ms", 3_600_000),
    ("log.roll.hours", "log.roll.ms", 3_600_000),
];

/// A broker's settings: the defaults, and what was set at its start.
#[derive(Debug, Clone)]
pub struct Config {
    pub node_id: i32,
    /// Where clients are told to connect to.
    pub host: String,
    pub port: u16,
    set: BTreeMap<&'static str, String>,
}

impl Config {
    pub fn new(node_id: i32, host: &str, port: u16) -> Self {
        Self { node_id, host: host.into(), port, set: BTreeMap::new() }
    }

    /// Sets one setting by Kafka's name. The error is a sentence.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        if let Some((_, same, factor)) = IN_OTHER_UNITS.iter().find(|other| other.0 == name) {
            let number = value.parse::<i64>().ok().and_then(|number| match number {
                -1 => Some(-1),
                _ => number.checked_mul(*factor),
            });
            let number = number.ok_or_else(|| format!("{name}={value}: not a whole number"))?;
            return self.set(same, &number.to_string());
        }
        let setting = SETTINGS.iter().find(|setting| setting.name == name).ok_or_else(|| {
            let known: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
            format!("{name} is not a setting of this broker; it has {}", known.join(", "))
        })?;
        setting.check(name, value)?;
        self.set.insert(setting.name, value.into());
        Ok(())
    }

    /// The value of a broker's setting, and whether it was set rather than being the default.
    pub fn get(&self, setting: &Setting) -> (&str, bool) {
        match self.set.get(setting.name) {
            Some(value) => (value, true),
            None => (setting.default, false),
        }
    }

    /// A setting that is a number.
    pub fn number(&self, name: &str) -> i64 {
        self.text(name).parse().expect("numbers are checked when set")
    }

    pub fn flag(&self, name: &str) -> bool {
        self.text(name) == "true"
    }

    fn text(&self, name: &str) -> &str {
        let setting = SETTINGS.iter().find(|setting| setting.name == name);
        self.get(setting.expect("a name from the table")).0
    }
}

impl Setting {
    /// Whether a value is one. `name` is what the caller called the setting.
    pub fn check(&self, name: &str, value: &str) -> Result<(), String> {
        let number = |min: i64, max: i64| match value.parse::<i64>() {
            Ok(number) if (min..=max).contains(&number) => Ok(()),
            Ok(_) => Err(format!("{name}={value}: the value must be {min} to {max}")),
            Err(_) => Err(format!("{name}={value}: not a whole number")),
        };
        match self.kind {
            Kind::Bool if matches!(value, "true" | "false") => Ok(()),
            Kind::Bool => Err(format!("{name}={value}: the value must be true or false")),
            Kind::Int { min } => number(min, i32::MAX.into()),
            Kind::Long { min } => number(min, i64::MAX),
            Kind::Choice(choices) if choices.contains(&value) => Ok(()),
            Kind::Choice(choices) => {
                Err(format!("{name}={value}: supported here is only {}", choices.join(", ")))
            }
        }
    }
}

/// Checks a topic's own settings, under the topics' names.
pub fn check_topic(configs: &BTreeMap<String, String>) -> Result<(), String> {
    for (name, value) in configs {
        let setting = SETTINGS.iter().find(|setting| setting.topic == Some(name));
        let setting =
            setting.ok_or_else(|| format!("{name} is not a setting of a topic in this broker"))?;
        setting.check(name, value)?;
    }
    Ok(())
}

/// A topic's settings as DescribeConfigs and CreateTopics tell them.
pub fn describe_topic(
    config: &Config,
    topic: &BTreeMap<String, String>,
) -> Vec<DescribeConfigsResourceResult> {
    let settings = SETTINGS.iter().filter_map(|setting| Some((setting, setting.topic?)));
    settings
        .map(|(setting, name)| {
            let (broker, set) = config.get(setting);
            let outer = if set { source::STATIC_BROKER_CONFIG } else { source::DEFAULT_CONFIG };
            let mut all = vec![synonym(setting.name, broker, outer)];
            if let Some(own) = topic.get(name) {
                all.insert(0, synonym(name, own, source::TOPIC_CONFIG));
            }
            described(setting, name, all, false)
        })
        .collect()
}

/// The broker's settings. They are read-only: they are set at the start.
pub fn describe_broker(config: &Config) -> Vec<DescribeConfigsResourceResult> {
    SETTINGS
        .iter()
        .map(|setting| {
            let mut all = vec![synonym(setting.name, setting.default, source::DEFAULT_CONFIG)];
            if let (value, true) = config.get(setting) {
                all.insert(0, synonym(setting.name, value, source::STATIC_BROKER_CONFIG));
            }
            described(setting, setting.name, all, true)
        })
        .collect()
}

/// The nearest of the places where a setting is set counts.
fn described(
    setting: &Setting,
    name: &str,
    synonyms: Vec<DescribeConfigsSynonym>,
    read_only: bool,
) -> DescribeConfigsResourceResult {
    DescribeConfigsResourceResult {
        name: name.into(),
        value: synonyms[0].value.clone(),
        read_only,
        config_source: synonyms[0].source,
        is_sensitive: false,
        config_type: match setting.kind {
            Kind::Bool => kind::BOOLEAN,
            Kind::Int { .. } => kind::INT,
            Kind::Long { .. } => kind::LONG,
            Kind::Choice(_) => kind::STRING,
        },
        documentation: Some(setting.about.into()),
        synonyms,
    }
}

fn synonym(name: &str, value: &str, source: i8) -> DescribeConfigsSynonym {
    DescribeConfigsSynonym { name: name.into(), value: Some(value.into()), source }
}

/// What a partition goes by: the broker's settings with the topic's own over them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicSettings {
    pub max_message_bytes: usize,
    pub timestamp_after_max_ms: i64,
    pub min_insync_replicas: usize,
    pub segment_bytes: u64,
    pub segment_ms: u64,
    pub index_interval_bytes: u64,
    /// `None`: for ever.
    pub retention_ms: Option<u64>,
    pub retention_bytes: Option<u64>,
    pub retention_check_ms: u64,
    pub flush_ms: u64,
}

impl TopicSettings {
    pub fn new(config: &Config, topic: &BTreeMap<String, String>) -> Self {
        let number = |name: &str| -> i64 {
            let setting = SETTINGS.iter().find(|setting| setting.name == name);
            let own = setting.and_then(|setting| topic.get(setting.topic?));
            own.and_then(|value| value.parse().ok()).unwrap_or_else(|| config.number(name))
        };
        let natural = |name: &str| number(name).max(0) as u64;
        let limit = |name: &str| u64::try_from(number(name)).ok();
        Self {
            max_message_bytes: natural("message.max.bytes") as usize,
            timestamp_after_max_ms: number("log.message.timestamp.after.max.ms"),
            min_insync_replicas: natural("min.insync.replicas") as usize,
            segment_bytes: natural("log.segment.bytes"),
            segment_ms: natural("log.roll.ms"),
            index_interval_bytes: natural("log.index.interval.bytes"),
            retention_ms: limit("log.retention.ms"),
            retention_bytes: limit("log.retention.bytes"),
            retention_check_ms: natural("log.retention.check.interval.ms"),
            flush_ms: natural("log.flush.interval.ms"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_passes_its_own_check() {
        for setting in SETTINGS {
            assert_eq!(setting.check(setting.name, setting.default), Ok(()));
        }
    }

    #[test]
    fn unknown_names_and_bad_values_are_refused_with_a_sentence() {
        let mut config = Config::new(1, "127.0.0.1", 9092);
        let refused = [
            ("no.such.thing", "1", "no.such.thing is not a setting of this broker"),
            ("num.partitions", "0", "num.partitions=0: the value must be 1 to 2147483647"),
            ("num.partitions", "four", "num.partitions=four: not a whole number"),
            ("log.message.timestamp.type", "LogAppendTime", "supported here is only CreateTime"),
            ("auto.create.topics.enable", "yes", "the value must be true or false"),
            ("log.retention.hours", "99999999999999999", "not a whole number"),
        ];
        for (name, value, why) in refused {
            let told = config.set(name, value).unwrap_err();
            assert!(told.contains(why), "{told}");
        }
    }

    #[test]
    fn a_topic_goes_before_the_broker_and_hours_are_milliseconds() {
        let mut config = Config::new(1, "127.0.0.1", 9092);
        config.set("log.retention.hours", "2").unwrap();
        config.set("log.segment.bytes", "4096").unwrap();
        let topic = BTreeMap::from([("segment.bytes".to_string(), "2048".to_string())]);

        let settings = TopicSettings::new(&config, &topic);

        assert_eq!(settings.retention_ms, Some(7_200_000));
        assert_eq!(settings.segment_bytes, 2048);
        assert_eq!(settings.retention_bytes, None);
    }
}
