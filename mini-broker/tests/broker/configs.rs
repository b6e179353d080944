//! Settings as they are told.

use wire::configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResult, resource, source,
};

use crate::by_hand::{ByHand, MemFiles};
use crate::topics::{create, with};

pub fn described(broker: &mut ByHand, resource_type: i8, name: &str) -> DescribeConfigsResult {
    let request = DescribeConfigsRequest {
        resources: vec![DescribeConfigsResource {
            resource_type,
            resource_name: name.into(),
            configuration_keys: None,
        }],
        include_synonyms: true,
        include_documentation: true,
    };
    broker.ask(4, request).results.remove(0)
}

/// A setting's value, its source, and where else it is set: the nearest first.
pub fn told(described: &DescribeConfigsResult, name: &str) -> (Option<String>, i8, Vec<String>) {
    let config = described.configs.iter().find(|config| config.name == name);
    let config = config.unwrap_or_else(|| panic!("no {name} in {described:?}"));
    let synonyms = config.synonyms.iter().map(|synonym| {
        format!("{}={}/{}", synonym.name, synonym.value.as_deref().unwrap(), synonym.source)
    });
    (config.value.clone(), config.config_source, synonyms.collect())
}

#[test]
fn a_setting_tells_its_value_and_where_it_comes_from() {
    let settings = [("log.retention.hours", "1"), ("message.max.bytes", "2000000")];
    let mut broker = ByHand::start(MemFiles::default(), &settings);
    create(&mut broker, with("t", &[("segment.bytes", "2048")]));

    let topic = described(&mut broker, resource::TOPIC, "t");
    let value = |name: &str| {
        let (value, source, _) = told(&topic, name);
        (value.unwrap(), source)
    };
    assert_eq!(value("segment.bytes"), ("2048".into(), source::TOPIC_CONFIG));
    assert_eq!(value("max.message.bytes"), ("2000000".into(), source::STATIC_BROKER_CONFIG));
    assert_eq!(value("index.interval.bytes"), ("4096".into(), source::DEFAULT_CONFIG));
    // What is set in hours counts, but is told only where log.retention.ms is set as well.
    assert_eq!(value("retention.ms"), ("3600000".into(), source::DEFAULT_CONFIG));
    assert_eq!(told(&topic, "retention.ms").2, Vec::<String>::new());
    assert!(topic.configs.iter().all(|config| !config.read_only));

    let own = described(&mut broker, resource::BROKER, "1");
    assert_eq!(told(&own, "log.retention.ms"), (None, source::DEFAULT_CONFIG, vec![]));
    let hours = vec!["log.retention.hours=1/4".into(), "log.retention.hours=168/5".into()];
    let expected = (Some("1".into()), source::STATIC_BROKER_CONFIG, hours);
    assert_eq!(told(&own, "log.retention.hours"), expected);
    let read_only = |name: &str| own.configs.iter().find(|it| it.name == name).unwrap().read_only;
    assert!(read_only("num.partitions") && read_only("log.retention.hours"));
    assert!(!read_only("log.retention.ms") && !read_only("min.insync.replicas"));
    let all = described(&mut broker, resource::BROKER, "");
    assert_eq!(all.configs, [], "nothing is set for all brokers");
}

#[test]
fn what_has_no_settings_is_refused_as_kafka_does() {
    let mut broker = ByHand::new();
    let refused = [
        (resource::TOPIC, "nope", "UNKNOWN_TOPIC_OR_PARTITION"),
        (resource::TOPIC, "no/slash", "INVALID_TOPIC_EXCEPTION"),
        (resource::TOPIC, "", "INVALID_TOPIC_EXCEPTION"),
        (resource::BROKER, "2", "INVALID_REQUEST"),
        (resource::BROKER, "x", "INVALID_REQUEST"),
        (0, "", "INVALID_REQUEST"),
        (99, "", "INVALID_REQUEST"),
    ];
    for (resource, name, code) in refused {
        let told = described(&mut broker, resource, name);
        assert_eq!(told.error_code.name(), code, "{name}");
    }
    let why = "Unexpected broker id, expected 1 or empty string, but received 2";
    let told = described(&mut broker, resource::BROKER, "2").error_message;
    assert_eq!(told.as_deref(), Some(why));
}

#[test]
fn only_what_is_asked_for_is_told_and_an_empty_list_asks_for_all() {
    let mut broker = ByHand::new();
    let mut count = |keys: Option<&[&str]>| {
        let configuration_keys = keys.map(|keys| keys.iter().map(|key| key.to_string()).collect());
        let request = DescribeConfigsRequest {
            resources: vec![DescribeConfigsResource {
                resource_type: resource::BROKER,
                resource_name: "1".into(),
                configuration_keys,
            }],
            ..Default::default()
        };
        let told = broker.ask(4, request).results.remove(0).configs;
        assert!(told.iter().all(|it| it.synonyms.is_empty() && it.documentation.is_none()));
        told.len()
    };
    assert_eq!(count(Some(&["num.partitions", "colour"])), 1);
    assert_eq!(count(Some(&[])), count(None));
}
