//! The settings, under Kafka's names: what is set where, and which of it counts. From the nearest to
//! the farthest: the topic's own, this broker's and all brokers' as set while they run, what the
//! broker was started with, the default.

mod describe; // as clients are told
pub mod table; // every setting there is
mod topic; // what a partition goes by

pub use describe::{describe_all_brokers, describe_broker, describe_created, describe_topic};
pub use topic::{Compaction, TopicSettings, check_topic};

use std::borrow::Cow;
use std::collections::BTreeMap;

use wire::configs::source;

use crate::coordinator::{Resource, Settings};
use table::{Setting, of_broker};

/// What is set at one place, by the broker's names.
type Layer = BTreeMap<&'static str, String>;

/// A broker's settings.
#[derive(Debug, Clone)]
pub struct Config {
    pub node_id: i32,
    /// Where clients are told to connect to.
    pub host: String,
    pub port: u16,
    at_start: Layer,
    all_brokers: Layer,
    this_broker: Layer,
}

impl Config {
    pub fn new(node_id: i32, host: &str, port: u16) -> Self {
        let nothing = Layer::new;
        Self {
            node_id,
            host: host.into(),
            port,
            at_start: nothing(),
            all_brokers: nothing(),
            this_broker: nothing(),
        }
    }

    /// Sets one setting for the start, by Kafka's name. The error is a sentence.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let setting = of_broker(name).ok_or_else(|| {
            let known: Vec<&str> = table::SETTINGS.iter().map(|setting| setting.name).collect();
            format!("{name} is not a setting of this broker; it has {}", known.join(", "))
        })?;
        self.at_start.insert(setting.name, setting.check(name, value)?);
        Ok(())
    }

    /// Takes what is now set for brokers while they run, in place of what was. Whether that is any
    /// business of this broker.
    pub fn set_running(&mut self, resource: &Resource, settings: &Settings) -> bool {
        let layer = match resource {
            Resource::AllBrokers => &mut self.all_brokers,
            Resource::Broker(id) if *id == self.node_id => &mut self.this_broker,
            _ => return false,
        };
        // A log of another release may have names and values that this one does not know.
        let known = settings.iter().filter_map(|(name, value)| {
            let setting = of_broker(name).filter(|setting| setting.is_dynamic())?;
            Some((setting.name, setting.check(name, value).ok()?))
        });
        *layer = known.collect();
        true
    }

    /// A setting that is a number.
    pub fn number(&self, name: &str) -> i64 {
        let setting = of_broker(name).expect("a name from the table");
        self.effective(setting).parse().expect("numbers are checked when set")
    }

    pub fn flag(&self, name: &str) -> bool {
        self.effective(of_broker(name).expect("a name from the table")) == "true"
    }

    /// The value that counts for the broker, in the setting's own unit.
    fn effective(&self, setting: &Setting) -> Cow<'_, str> {
        let named = setting.names().find_map(|(name, factor)| Some((self.value(name)?, factor)));
        match named.expect("one of the names has a default") {
            (value, 1) => value.into(),
            (value, factor) => {
                let number: i64 = value.parse().expect("numbers are checked when set");
                // Less than nothing is no limit, in whichever unit.
                let in_unit = if number < 0 { -1 } else { number.saturating_mul(factor) };
                in_unit.to_string().into()
            }
        }
    }

    /// The value under exactly this name, if there is one.
    fn value(&self, name: &str) -> Option<&str> {
        let set = self.layers().into_iter().find_map(|(layer, _)| layer.get(name));
        set.map(String::as_str).or_else(|| of_broker(name)?.default)
    }

    /// What the setting is without anything that was set while brokers run: to this a list is added
    /// to, where nothing else is set.
    pub fn at_start(&self, setting: &Setting) -> &str {
        let set = self.at_start.get(setting.name).map(String::as_str);
        set.or(setting.default).unwrap_or_default()
    }

    /// The nearest first, as sources.
    fn layers(&self) -> [(&Layer, i8); 3] {
        [
            (&self.this_broker, source::DYNAMIC_BROKER_CONFIG),
            (&self.all_brokers, source::DYNAMIC_DEFAULT_BROKER_CONFIG),
            (&self.at_start, source::STATIC_BROKER_CONFIG),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config::new(1, "127.0.0.1", 9092)
    }

    fn settings(set: &[(&str, &str)]) -> Settings {
        set.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    }

    #[test]
    fn unknown_names_and_bad_values_are_refused_with_a_sentence() {
        let mut config = config();
        let refused = [
            ("no.such.thing", "1", "no.such.thing is not a setting of this broker"),
            ("num.partitions", "0", "Value must be at least 1"),
            ("num.partitions", "four", "Not a number of type INT"),
            ("log.retention.hours", "99999999999999999", "Not a number of type INT"),
        ];
        for (name, value, why) in refused {
            let told = config.set(name, value).unwrap_err();
            assert!(told.contains(why), "{told}");
        }
    }

    #[test]
    fn the_smaller_unit_goes_before_the_larger() {
        let mut config = config();
        let retention = |config: &Config| config.number("log.retention.ms");
        assert_eq!(retention(&config), 7 * 24 * 3_600_000);
        config.set("log.retention.hours", "2").unwrap();
        assert_eq!(retention(&config), 7_200_000);
        config.set("log.retention.minutes", "3").unwrap();
        assert_eq!(retention(&config), 180_000);
        config.set("log.retention.minutes", "-1").unwrap();
        assert_eq!(retention(&config), -1);
        config.set("log.retention.ms", "5").unwrap();
        assert_eq!(retention(&config), 5);
    }

    #[test]
    fn this_broker_goes_before_all_brokers_and_both_before_the_start() {
        let mut config = config();
        config.set("message.max.bytes", "1").unwrap();
        let size = |config: &Config| config.number("message.max.bytes");

        assert!(
            config.set_running(&Resource::AllBrokers, &settings(&[("message.max.bytes", "2")]))
        );
        assert_eq!(size(&config), 2);
        assert!(config.set_running(&Resource::Broker(1), &settings(&[("message.max.bytes", "3")])));
        assert_eq!(size(&config), 3);
        assert!(
            !config.set_running(&Resource::Broker(2), &settings(&[("message.max.bytes", "4")]))
        );
        assert_eq!(size(&config), 3, "another broker's");
        config.set_running(&Resource::Broker(1), &Settings::new());
        config.set_running(&Resource::AllBrokers, &Settings::new());
        assert_eq!(size(&config), 1);
    }

    #[test]
    fn what_cannot_be_set_while_running_is_not_taken_from_a_log_either() {
        let mut config = config();
        let all = settings(&[
            ("num.partitions", "4"),
            ("colour", "red"),
            ("message.max.bytes", "large"),
            ("log.retention.ms", "5"),
        ]);
        config.set_running(&Resource::AllBrokers, &all);
        assert_eq!(config.number("num.partitions"), 1);
        assert_eq!(config.number("message.max.bytes"), 1_048_588);
        assert_eq!(config.number("log.retention.ms"), 5);
    }
}
