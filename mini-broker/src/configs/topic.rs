//! What a partition goes by: the broker's settings with the topic's own over them.

use super::Config;
use super::table::{items, of_broker, of_topic};
use crate::coordinator::Settings;
use crate::labs::offset_log;

/// Checks a topic's own settings, under the topics' names, and gives them without the spaces that do
/// not count. The error is Kafka's sentence; a name that is none goes before a value that is none.
pub fn check_topic(settings: &Settings) -> Result<Settings, String> {
    let unknown = settings.keys().find(|name| of_topic(name).is_none());
    if let Some(name) = unknown {
        return Err(format!("Unknown topic config name: {name}"));
    }
    let checked = settings.iter().map(|(name, value)| {
        let setting = of_topic(name).expect("looked up above");
        Ok((name.clone(), setting.check(name, value)?))
    });
    checked.collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicSettings {
    pub max_message_bytes: usize,
    pub timestamp_before_max_ms: i64,
    pub timestamp_after_max_ms: i64,
    /// The broker's time is written into every batch, in place of the producer's.
    pub log_append_time: bool,
    pub min_insync_replicas: usize,
    pub lag_time_max_ms: u64,
    pub unclean_election: bool,
    pub producer_expiration_ms: u64,
    pub segment_bytes: u64,
    pub segment_ms: u64,
    pub index_interval_bytes: u64,
    /// `cleanup.policy`: both, either or none.
    pub delete: bool,
    pub compaction: Option<Compaction>,
    /// `None`: for ever.
    pub retention_ms: Option<u64>,
    pub retention_bytes: Option<u64>,
    pub retention_check_ms: u64,
    pub flush_ms: u64,
}

/// How a topic is compacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compaction {
    /// Of a million bytes, how many must be new for a pass to begin; more than these.
    pub min_dirty_millionths: u64,
    pub min_lag_ms: u64,
    pub delete_retention_ms: u64,
    pub backoff_ms: u64,
    /// Memory for the keys of one pass.
    pub keys_bytes: u64,
}

impl TopicSettings {
    pub fn new(config: &Config, topic: &Settings) -> Self {
        let text = |name: &str| -> String {
            let setting = of_broker(name).expect("a name from the table");
            // A log of another release may have values that this one does not know.
            let own = setting.topic.and_then(|own| setting.check(own, topic.get(own)?).ok());
            own.unwrap_or_else(|| config.effective(setting).into_owned())
        };
        let number = |name: &str| -> i64 { text(name).parse().expect("numbers are checked") };
        let natural = |name: &str| number(name).max(0) as u64;
        let limit = |name: &str| u64::try_from(number(name)).ok();
        let ratio: f64 = text("log.cleaner.min.cleanable.ratio").parse().expect("checked");
        let compaction = Compaction {
            min_dirty_millionths: (ratio * 1e6).round() as u64,
            min_lag_ms: natural("log.cleaner.min.compaction.lag.ms"),
            delete_retention_ms: natural("log.cleaner.delete.retention.ms"),
            backoff_ms: natural("log.cleaner.backoff.ms"),
            keys_bytes: natural("log.cleaner.dedupe.buffer.size"),
        };
        let policy = text("log.cleanup.policy");
        let policy = items(&policy);
        Self {
            max_message_bytes: natural("message.max.bytes") as usize,
            timestamp_before_max_ms: number("log.message.timestamp.before.max.ms"),
            timestamp_after_max_ms: number("log.message.timestamp.after.max.ms"),
            log_append_time: text("log.message.timestamp.type") == "LogAppendTime",
            min_insync_replicas: natural("min.insync.replicas") as usize,
            lag_time_max_ms: natural("replica.lag.time.max.ms"),
            producer_expiration_ms: natural("producer.id.expiration.ms"),
            unclean_election: text("unclean.leader.election.enable") == "true",
            segment_bytes: natural("log.segment.bytes"),
            segment_ms: natural("log.roll.ms"),
            index_interval_bytes: natural("log.index.interval.bytes"),
            delete: policy.contains(&"delete"),
            compaction: policy.contains(&"compact").then_some(compaction),
            retention_ms: limit("log.retention.ms"),
            retention_bytes: limit("log.retention.bytes"),
            retention_check_ms: natural("log.retention.check.interval.ms"),
            flush_ms: natural("log.flush.interval.ms"),
        }
    }

    /// What the log itself has to know. Only the policy `delete` lets segments go by age and size.
    pub fn of_log(&self) -> offset_log::Config {
        offset_log::Config {
            segment_bytes: self.segment_bytes,
            segment_ms: self.segment_ms,
            index_interval_bytes: self.index_interval_bytes,
            retention_ms: self.retention_ms.filter(|_| self.delete),
            retention_bytes: self.retention_bytes.filter(|_| self.delete),
            retention_check_ms: self.retention_check_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(set: &[(&str, &str)]) -> Settings {
        set.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    }

    #[test]
    fn a_topic_goes_before_the_broker_and_hours_are_milliseconds() {
        let mut config = Config::new(1, "127.0.0.1", 9092);
        config.set("log.retention.hours", "2").unwrap();
        config.set("log.segment.bytes", "4096").unwrap();

        let settings = TopicSettings::new(&config, &settings(&[("segment.bytes", "2048")]));

        assert_eq!(settings.retention_ms, Some(7_200_000));
        assert_eq!(settings.segment_bytes, 2048);
        assert_eq!(settings.retention_bytes, None);
        assert!(settings.delete && !settings.log_append_time);
        assert_eq!(settings.compaction, None);
    }

    #[test]
    fn without_the_policy_delete_nothing_goes_by_age_or_size() {
        let mut config = Config::new(1, "127.0.0.1", 9092);
        config.set("log.cleaner.min.cleanable.ratio", "0.01").unwrap();
        for (policy, deletes) in
            [("delete", true), ("compact,delete", true), ("compact", false), ("", false)]
        {
            let set = settings(&[("cleanup.policy", policy), ("retention.bytes", "9")]);
            let settings = TopicSettings::new(&config, &set);
            let of_log = settings.of_log();
            assert_eq!(of_log.retention_ms.is_some(), deletes, "{policy}");
            assert_eq!(of_log.retention_bytes.is_some(), deletes, "{policy}");
            let ratio = policy.contains("compact").then_some(10_000);
            let compaction = settings.compaction;
            assert_eq!(compaction.map(|how| how.min_dirty_millionths), ratio, "{policy}");
        }
    }

    #[test]
    fn an_unknown_name_is_told_before_a_bad_value() {
        let told = check_topic(&settings(&[("retention.ms", "soon"), ("z.colour", "red")]));
        assert_eq!(told, Err("Unknown topic config name: z.colour".into()));
        let told = check_topic(&settings(&[("log.retention.ms", "5")]));
        assert_eq!(told, Err("Unknown topic config name: log.retention.ms".into()));
        let spaces = check_topic(&settings(&[("retention.ms", " 5 ")]));
        assert_eq!(spaces, Ok(settings(&[("retention.ms", "5")])));
    }
}
