//! Every setting there is, under Kafka's names, with what its value may be.

/// A setting of the broker, and what it is called where a topic has its own.
#[derive(Debug)]
pub struct Setting {
    pub name: &'static str,
    pub topic: Option<&'static str>,
    /// `None`: without a value nothing is set, and a name in another unit counts.
    pub default: Option<&'static str>,
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
    /// From 0 to 1.
    Ratio,
    /// One of these; Kafka may know more.
    Choice(&'static [&'static str]),
    /// Any of these, or none, with commas between them.
    List(&'static [&'static str]),
}

macro_rules! settings {
    ($($name:literal $(=> $topic:literal)?, $kind:expr, $default:expr, $about:literal;)*) => {
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
/// order. Client test suites that want four ask for them. Segments may be smaller than Kafka's least,
/// which is 1 MiB: small enough to watch them come and go.
#[rustfmt::skip]
pub const SETTINGS: &[Setting] = settings! {
    "auto.create.topics.enable", Kind::Bool, Some("true"),
        "Whether asking for the metadata of an unknown topic creates it.";
    "auto.leader.rebalance.enable", Kind::Bool, Some("true"),
        "Whether a partition's preferred leader gets it back once it is in sync again.";
    "broker.heartbeat.interval.ms", Kind::Int { min: 1 }, Some("2000"),
        "How often a broker tells the coordinator that it lives.";
    "broker.session.timeout.ms", Kind::Int { min: 1 }, Some("9000"),
        "How long a broker may not be heard of before the coordinator takes it for dead. One whose connection is closed is dead at once.";
    "compression.type" => "compression.type", Kind::Choice(&["producer"]), Some("producer"),
        "Batches are stored as the producer compressed them.";
    "default.replication.factor", Kind::Int { min: 1 }, Some("1"),
        "Replicas of a topic that is created without saying how many.";
    "delete.topic.enable", Kind::Bool, Some("true"),
        "Whether topics may be deleted.";
    "fetch.max.bytes", Kind::Int { min: 1024 }, Some("57671680"),
        "The most bytes one fetch is answered with, whatever the client allows. The first batch comes however large it is.";
    "group.initial.rebalance.delay.ms", Kind::Int { min: 0 }, Some("3000"),
        "How long an empty group waits for more members after the first, so that they come into one generation together.";
    "group.max.session.timeout.ms", Kind::Int { min: 1 }, Some("1800000"),
        "The longest session timeout that a member may ask for.";
    "group.max.size", Kind::Int { min: 1 }, Some("2147483647"),
        "The most members of a group.";
    "group.min.session.timeout.ms", Kind::Int { min: 0 }, Some("6000"),
        "The shortest session timeout that a member may ask for.";
    "leader.imbalance.check.interval.seconds", Kind::Long { min: 1 }, Some("300"),
        "How often the coordinator looks for preferred leaders that could lead again.";
    "log.cleaner.backoff.ms", Kind::Long { min: 0 }, Some("15000"),
        "How often compacted logs are looked at for something to clean.";
    "log.cleaner.dedupe.buffer.size", Kind::Long { min: 1 }, Some("134217728"),
        "Bytes of memory that the keys of one pass of compaction may take.";
    "log.cleaner.delete.retention.ms" => "delete.retention.ms", Kind::Long { min: 0 }, Some("86400000"),
        "How long a record without a value stays after compaction has first seen it.";
    "log.cleaner.min.cleanable.ratio" => "min.cleanable.dirty.ratio", Kind::Ratio, Some("0.5"),
        "The part of a log that must be new since the last compaction before the next begins.";
    "log.cleaner.min.compaction.lag.ms" => "min.compaction.lag.ms", Kind::Long { min: 0 }, Some("0"),
        "The age below which a record is not compacted.";
    "log.cleanup.policy" => "cleanup.policy", Kind::List(&["compact", "delete"]), Some("delete"),
        "What happens to old segments: deleted by age and size, compacted to the newest record of each key, or both.";
    "log.flush.interval.ms" => "flush.ms", Kind::Long { min: 0 }, Some("60000"),
        "The longest time that written records wait for an fsync.";
    "log.index.interval.bytes" => "index.interval.bytes", Kind::Int { min: 0 }, Some("4096"),
        "Bytes of log between two entries of its index.";
    "log.message.timestamp.after.max.ms" => "message.timestamp.after.max.ms", Kind::Long { min: 0 }, Some("3600000"),
        "How far ahead of the broker's clock a record's timestamp may be.";
    "log.message.timestamp.before.max.ms" => "message.timestamp.before.max.ms", Kind::Long { min: 0 }, Some("9223372036854775807"),
        "How far behind the broker's clock a batch's first timestamp may be.";
    "log.message.timestamp.type" => "message.timestamp.type", Kind::Choice(&["CreateTime", "LogAppendTime"]), Some("CreateTime"),
        "Whose clock a record's timestamp comes from: the producer's, or the broker's.";
    "log.retention.bytes" => "retention.bytes", Kind::Long { min: i64::MIN }, Some("-1"),
        "The oldest segment of a partition is deleted if at least so many bytes stay without it; -1: no limit.";
    "log.retention.check.interval.ms", Kind::Long { min: 1 }, Some("300000"),
        "How often segments are looked at that may be too old.";
    "log.retention.hours", Kind::Int { min: i64::MIN }, Some("168"),
        "log.retention.ms in hours, where neither that nor log.retention.minutes is set.";
    "log.retention.minutes", Kind::Int { min: i64::MIN }, None,
        "log.retention.ms in minutes, where that is not set.";
    "log.retention.ms" => "retention.ms", Kind::Long { min: -1 }, None,
        "The age at which a segment is deleted, read or not; -1: never.";
    "log.roll.hours", Kind::Int { min: 1 }, Some("168"),
        "log.roll.ms in hours, where that is not set.";
    "log.roll.ms" => "segment.ms", Kind::Long { min: 1 }, None,
        "The age at which a segment is closed and a new one begun.";
    "log.segment.bytes" => "segment.bytes", Kind::Int { min: 1024 }, Some("1073741824"),
        "The size at which a segment is closed and a new one begun.";
    "message.max.bytes" => "max.message.bytes", Kind::Int { min: 0 }, Some("1048588"),
        "The largest batch that is taken.";
    "metadata.log.max.record.bytes.between.snapshots", Kind::Long { min: 1 }, Some("20971520"),
        "How many bytes the coordinator decides between two snapshots of its metadata log.";
    "metadata.log.segment.bytes", Kind::Int { min: 1 }, Some("8388608"),
        "How large a segment of the metadata log may grow. (Kafka's default is 1 GiB: here what a snapshot holds is soon deleted.)";
    "min.insync.replicas" => "min.insync.replicas", Kind::Int { min: 1 }, Some("1"),
        "In-sync replicas that acks=all asks for.";
    "num.partitions", Kind::Int { min: 1 }, Some("1"),
        "Partitions of a topic that is created without saying how many.";
    "offset.metadata.max.bytes", Kind::Int { min: 0 }, Some("4096"),
        "The longest text that goes with a committed offset.";
    "offsets.commit.timeout.ms", Kind::Int { min: 1 }, Some("5000"),
        "How long a commit may wait until it is on every replica in sync.";
    "offsets.retention.check.interval.ms", Kind::Long { min: 1 }, Some("600000"),
        "How often committed offsets are looked at that may be too old.";
    "offsets.retention.minutes", Kind::Int { min: 1 }, Some("10080"),
        "How long committed offsets are kept once their group has no members.";
    "offsets.topic.num.partitions", Kind::Int { min: 1 }, Some("50"),
        "Partitions of __consumer_offsets, when it is created.";
    "offsets.topic.replication.factor", Kind::Int { min: 1 }, Some("3"),
        "Replicas of __consumer_offsets, when it is created. (In a cluster of fewer brokers, as many as there are; Kafka waits for more.)";
    "offsets.topic.segment.bytes", Kind::Int { min: 1024 }, Some("104857600"),
        "The size of the segments of __consumer_offsets, when it is created.";
    "producer.id.expiration.ms", Kind::Int { min: 1 }, Some("86400000"),
        "How long the last batches of a producer that is silent are remembered.";
    "replica.fetch.backoff.ms", Kind::Int { min: 0 }, Some("1000"),
        "How long a follower waits after its leader gave an error.";
    "replica.fetch.max.bytes", Kind::Int { min: 0 }, Some("1048576"),
        "The most bytes of one partition that a follower asks for. The first batch comes however large it is.";
    "replica.fetch.response.max.bytes", Kind::Int { min: 0 }, Some("10485760"),
        "The most bytes that a follower asks for at a time.";
    "replica.fetch.wait.max.ms", Kind::Int { min: 0 }, Some("500"),
        "How long a leader may wait for something to give to a follower.";
    "replica.high.watermark.checkpoint.interval.ms", Kind::Long { min: 1 }, Some("5000"),
        "How often high watermarks are written down.";
    "replica.lag.time.max.ms", Kind::Long { min: 1 }, Some("30000"),
        "How long a follower may be behind before it is in sync no more.";
    "socket.request.max.bytes", Kind::Int { min: 8 }, Some("104857600"),
        "The largest request that is read.";
    "unclean.leader.election.enable" => "unclean.leader.election.enable", Kind::Bool, Some("false"),
        "Whether a replica may lead that was not in sync, where no other is there: records may be lost.";
};

/// Names of the same setting in a larger unit, and its milliseconds: the first that is set counts.
const IN_OTHER_UNITS: &[(&str, &[(&str, i64)])] = &[
    ("log.retention.ms", &[("log.retention.minutes", 60_000), ("log.retention.hours", 3_600_000)]),
    ("log.roll.ms", &[("log.roll.hours", 3_600_000)]),
];

/// A broker's setting by its name.
pub fn of_broker(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// A topic's setting by the name that topics have for it.
pub fn of_topic(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.topic == Some(name))
}

impl Setting {
    /// Whether it may change while the broker runs. Like Kafka's, those may that a topic can have of
    /// its own, and the cleaner's. (`DynamicLogConfig.ReconfigurableConfigs`,
    /// `LogCleaner.RECONFIGURABLE_CONFIGS`.)
    pub fn is_dynamic(&self) -> bool {
        self.topic.is_some() || self.name.starts_with("log.cleaner.")
    }

    pub fn is_list(&self) -> bool {
        matches!(self.kind, Kind::List(_))
    }

    /// The names of this setting, itself first, each with what one of its units is in its own.
    pub fn names(&self) -> impl Iterator<Item = (&'static str, i64)> {
        let others = IN_OTHER_UNITS.iter().find(|(name, _)| *name == self.name);
        let others = others.map_or(&[][..], |(_, others)| others);
        std::iter::once((self.name, 1)).chain(others.iter().copied())
    }

    /// Whether a value is one, and the same value without the spaces that do not count. `name` is what
    /// the caller called the setting. The error is Kafka's sentence.
    pub fn check(&self, name: &str, value: &str) -> Result<String, String> {
        let invalid = |value: &str, why: &str| {
            format!("Invalid value {value} for configuration {name}: {why}")
        };
        let number = |min: i64, max: i64, kind: &str| match value.trim().parse::<i64>() {
            Ok(number) if number >= min && number <= max => Ok(number.to_string()),
            Ok(number) if number < min => {
                Err(invalid(&number.to_string(), &format!("Value must be at least {min}")))
            }
            _ => Err(invalid(value, &format!("Not a number of type {kind}"))),
        };
        let one_of = |choices: &[&str], value: &str| match choices.contains(&value) {
            true => Ok(()),
            false => Err(invalid(value, &format!("String must be one of: {}", choices.join(", ")))),
        };
        match self.kind {
            Kind::Bool => match value.trim().to_ascii_lowercase() {
                flag if flag == "true" || flag == "false" => Ok(flag),
                _ => Err(invalid(value, "Expected value to be either true or false")),
            },
            // A number that is too small for an Int is too small for its least value as well.
            Kind::Int { min } => number(min.max(i32::MIN.into()), i32::MAX.into(), "INT"),
            Kind::Long { min } => number(min, i64::MAX, "LONG"),
            Kind::Ratio => match value.trim().parse::<f64>() {
                Ok(ratio) if (0.0..=1.0).contains(&ratio) => Ok(format!("{ratio:?}")),
                Ok(ratio) if ratio > 1.0 => {
                    Err(invalid(&format!("{ratio:?}"), "Value must be no more than 1"))
                }
                Ok(ratio) if ratio < 0.0 => {
                    Err(invalid(&format!("{ratio:?}"), "Value must be at least 0"))
                }
                _ => Err(invalid(value, "Not a number of type DOUBLE")),
            },
            Kind::Choice(choices) => one_of(choices, value).map(|()| value.into()),
            Kind::List(choices) => {
                let items = items(value);
                items.iter().try_for_each(|item| one_of(choices, item))?;
                Ok(items.join(","))
            }
        }
    }
}

/// What stands in a list.
pub fn items(list: &str) -> Vec<&str> {
    match list.trim() {
        "" => Vec::new(),
        list => list.split(',').map(str::trim).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_passes_its_own_check() {
        for setting in SETTINGS {
            let Some(default) = setting.default else { continue };
            assert_eq!(setting.check(setting.name, default).as_deref(), Ok(default));
        }
    }

    #[test]
    fn every_name_in_another_unit_is_a_setting_and_one_of_the_names_has_a_default() {
        for setting in SETTINGS {
            let defaults = setting.names().filter_map(|(name, _)| of_broker(name).unwrap().default);
            let fallback_only = setting.name == "log.retention.minutes";
            assert!(fallback_only || defaults.count() > 0, "{}", setting.name);
        }
    }

    #[test]
    fn a_value_is_checked_in_kafkas_words() {
        let refused = [
            ("retention.ms", "soon", "Not a number of type LONG"),
            ("retention.ms", "", "Not a number of type LONG"),
            ("retention.ms", "99999999999999999999", "Not a number of type LONG"),
            ("retention.ms", "-2", "Value must be at least -1"),
            ("segment.bytes", "99999999999", "Not a number of type INT"),
            ("segment.ms", "0", "Value must be at least 1"),
            ("cleanup.policy", "shred", "String must be one of: compact, delete"),
            (
                "message.timestamp.type",
                "logappendtime",
                "String must be one of: CreateTime, LogAppendTime",
            ),
        ];
        for (name, value, why) in refused {
            let told = of_topic(name).unwrap().check(name, value).unwrap_err();
            assert_eq!(told, format!("Invalid value {value} for configuration {name}: {why}"));
        }
        let auto_create = of_broker("auto.create.topics.enable").unwrap();
        let told = auto_create.check("auto.create.topics.enable", "yes").unwrap_err();
        assert!(told.ends_with("Expected value to be either true or false"), "{told}");
        let ratio = |value: &str| {
            let setting = of_topic("min.cleanable.dirty.ratio").unwrap();
            setting.check("min.cleanable.dirty.ratio", value)
        };
        assert_eq!(ratio("1").as_deref(), Ok("1.0"));
        for (value, told, why) in [
            ("2", "2.0", "Value must be no more than 1"),
            ("-1", "-1.0", "Value must be at least 0"),
            ("half", "half", "Not a number of type DOUBLE"),
            ("NaN", "NaN", "Not a number of type DOUBLE"),
        ] {
            let name = "min.cleanable.dirty.ratio";
            let expected = format!("Invalid value {told} for configuration {name}: {why}");
            assert_eq!(ratio(value), Err(expected));
        }
        let policy = of_topic("cleanup.policy").unwrap();
        let told = policy.check("cleanup.policy", "delete, [compact").unwrap_err();
        assert!(told.starts_with("Invalid value [compact for"), "the one that is none: {told}");
    }

    #[test]
    fn spaces_and_repetitions_are_no_harm() {
        let checked = |name: &str, value: &str| of_topic(name).unwrap().check(name, value);
        assert_eq!(checked("retention.ms", " 5 ").as_deref(), Ok("5"));
        assert_eq!(checked("cleanup.policy", "delete , compact").as_deref(), Ok("delete,compact"));
        assert_eq!(checked("cleanup.policy", "delete,delete").as_deref(), Ok("delete,delete"));
        assert_eq!(checked("cleanup.policy", "").as_deref(), Ok(""));
        assert_eq!(checked("retention.bytes", "-2").as_deref(), Ok("-2"), "as -1");
    }
}
