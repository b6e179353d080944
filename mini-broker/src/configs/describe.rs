//! Settings as DescribeConfigs and CreateTopics tell them: the value, where it comes from, and what
//! would count without it. (Kafka: `ConfigHelper`.)

use wire::configs::{DescribeConfigsResourceResult, DescribeConfigsSynonym, kind, source};
use wire::topics::CreatableTopicConfigs;

use super::Config;
use super::table::{Kind, SETTINGS, Setting, of_broker};
use crate::coordinator::Settings;

/// A topic's settings.
pub fn describe_topic(config: &Config, topic: &Settings) -> Vec<DescribeConfigsResourceResult> {
    let settings = SETTINGS.iter().filter_map(|setting| Some((setting, setting.topic?)));
    let described = settings.map(|(setting, name)| {
        let mut synonyms = synonyms(config, setting);
        let mut value = config.effective(setting).into_owned();
        if let Some(own) = topic.get(name) {
            synonyms.insert(0, synonym(name, own, source::TOPIC_CONFIG));
            value.clone_from(own);
        }
        described(setting, name, Some(value), synonyms, false)
    });
    described.collect()
}

/// The broker's settings.
pub fn describe_broker(config: &Config) -> Vec<DescribeConfigsResourceResult> {
    let described = SETTINGS.iter().map(|setting| {
        let value = config.value(setting.name).map(str::to_string);
        let synonyms = synonyms(config, setting);
        described(setting, setting.name, value, synonyms, !setting.is_dynamic())
    });
    described.collect()
}

/// What is set for all brokers, and nothing else.
pub fn describe_all_brokers(config: &Config) -> Vec<DescribeConfigsResourceResult> {
    let set = SETTINGS.iter().filter_map(|setting| {
        let value = config.all_brokers.get(setting.name)?;
        let synonym = synonym(setting.name, value, source::DYNAMIC_DEFAULT_BROKER_CONFIG);
        let read_only = !setting.is_dynamic();
        Some(described(setting, setting.name, Some(value.clone()), vec![synonym], read_only))
    });
    set.collect()
}

/// The settings of a topic that was just created, by name.
pub fn describe_created(config: &Config, topic: &Settings) -> Vec<CreatableTopicConfigs> {
    let mut created: Vec<_> = describe_topic(config, topic)
        .into_iter()
        .map(|config| CreatableTopicConfigs {
            name: config.name,
            value: config.value,
            read_only: config.read_only,
            config_source: config.config_source,
            is_sensitive: config.is_sensitive,
        })
        .collect();
    created.sort_by(|a, b| a.name.cmp(&b.name));
    created
}

/// Every place where a broker's setting is set, from the nearest on, in each unit it has. A value in
/// another unit is no synonym unless the setting itself is set before it: so Kafka has it.
fn synonyms(config: &Config, setting: &Setting) -> Vec<DescribeConfigsSynonym> {
    let set = config.layers().into_iter().flat_map(|(layer, source)| {
        setting.names().filter_map(move |(name, _)| Some(synonym(name, layer.get(name)?, source)))
    });
    let defaults = setting.names().filter_map(|(name, _)| {
        Some(synonym(name, of_broker(name)?.default?, source::DEFAULT_CONFIG))
    });
    set.chain(defaults).skip_while(|synonym| synonym.name != setting.name).collect()
}

/// The nearest of the places where a setting is set is its source.
fn described(
    setting: &Setting,
    name: &str,
    value: Option<String>,
    synonyms: Vec<DescribeConfigsSynonym>,
    read_only: bool,
) -> DescribeConfigsResourceResult {
    DescribeConfigsResourceResult {
        name: name.into(),
        value,
        read_only,
        config_source: synonyms.first().map_or(source::DEFAULT_CONFIG, |nearest| nearest.source),
        is_sensitive: false,
        config_type: match setting.kind {
            Kind::Bool => kind::BOOLEAN,
            Kind::Int { .. } => kind::INT,
            Kind::Long { .. } => kind::LONG,
            Kind::Ratio => kind::DOUBLE,
            Kind::Choice(_) => kind::STRING,
            Kind::List(_) => kind::LIST,
        },
        documentation: Some(setting.about.into()),
        synonyms,
    }
}

fn synonym(name: &str, value: &str, source: i8) -> DescribeConfigsSynonym {
    DescribeConfigsSynonym { name: name.into(), value: Some(value.into()), source }
}
