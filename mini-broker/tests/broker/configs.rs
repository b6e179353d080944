//! Topics as they are asked for, and settings as they are told.

use wire::configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResult, resource, source,
};
use wire::topics::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig, CreatableTopicResult,
    CreateTopicsRequest,
};

use crate::by_hand::{ByHand, MemFiles};

fn wanted(name: &str) -> CreatableTopic {
    CreatableTopic {
        name: name.into(),
        num_partitions: -1,
        replication_factor: -1,
        ..Default::default()
    }
}

fn create(broker: &mut ByHand, topic: CreatableTopic) -> CreatableTopicResult {
    let request = CreateTopicsRequest { topics: vec![topic], ..Default::default() };
    broker.ask(7, request).topics.remove(0)
}

fn config(name: &str, value: &str) -> Vec<CreatableTopicConfig> {
    vec![CreatableTopicConfig { name: name.into(), value: Some(value.into()) }]
}

#[test]
fn minus_one_is_the_brokers_default_and_the_answer_says_what_came_of_it() {
    let mut broker = ByHand::start(MemFiles::default(), &[("num.partitions", "4")]);

    let created =
        create(&mut broker, CreatableTopic { configs: config("segment.ms", "9"), ..wanted("a") });

    assert_eq!((created.num_partitions, created.replication_factor), (4, 1));
    assert!(!created.topic_id.is_nil());
    let configs = created.configs.unwrap();
    let segment_ms = configs.iter().find(|config| config.name == "segment.ms").unwrap();
    assert_eq!(segment_ms.value.as_deref(), Some("9"));
    assert_eq!(segment_ms.config_source, source::TOPIC_CONFIG);
}

#[test]
fn what_cannot_be_is_refused_with_kafkas_code() {
    let mut broker = ByHand::new();
    let assigned = |brokers: &[i32]| {
        vec![CreatableReplicaAssignment { partition_index: 0, broker_ids: brokers.to_vec() }]
    };
    let refused = [
        (CreatableTopic { num_partitions: 0, ..wanted("a") }, "INVALID_PARTITIONS"),
        (CreatableTopic { num_partitions: i32::MAX, ..wanted("a") }, "INVALID_PARTITIONS"),
        (CreatableTopic { replication_factor: 3, ..wanted("a") }, "INVALID_REPLICATION_FACTOR"),
        (
            CreatableTopic { assignments: assigned(&[2]), ..wanted("a") },
            "INVALID_REPLICA_ASSIGNMENT",
        ),
        (
            CreatableTopic { assignments: assigned(&[1]), num_partitions: 1, ..wanted("a") },
            "INVALID_REQUEST",
        ),
        (CreatableTopic { configs: config("no.such", "1"), ..wanted("a") }, "INVALID_CONFIG"),
        (CreatableTopic { configs: config("segment.bytes", "x"), ..wanted("a") }, "INVALID_CONFIG"),
        (
            CreatableTopic {
                configs: config("message.timestamp.type", "LogAppendTime"),
                ..wanted("a")
            },
            "INVALID_CONFIG",
        ),
        (wanted(""), "INVALID_TOPIC_EXCEPTION"),
        (wanted(".."), "INVALID_TOPIC_EXCEPTION"),
        (wanted("a/b"), "INVALID_TOPIC_EXCEPTION"),
        (wanted(&"a".repeat(250)), "INVALID_TOPIC_EXCEPTION"),
        (wanted("__cluster_metadata"), "INVALID_TOPIC_EXCEPTION"),
    ];
    for (topic, code) in refused {
        let told = create(&mut broker, topic.clone());
        assert_eq!(told.error_code.name(), code, "{topic:?}");
        assert!(told.error_message.is_some());
    }
    assert!(create(&mut broker, wanted("a.b")).error_code.is_ok());
    assert_eq!(create(&mut broker, wanted("a_b")).error_code.name(), "INVALID_TOPIC_EXCEPTION");
}

#[test]
fn assignments_are_taken_and_validate_only_creates_nothing() {
    let mut broker = ByHand::new();
    let assignments = (0..2)
        .map(|partition_index| CreatableReplicaAssignment { partition_index, broker_ids: vec![1] })
        .collect();
    let created = create(&mut broker, CreatableTopic { assignments, ..wanted("placed") });
    assert_eq!(created.num_partitions, 2);

    let request = CreateTopicsRequest {
        topics: vec![wanted("tried")],
        validate_only: true,
        ..Default::default()
    };
    assert!(broker.ask(7, request.clone()).topics[0].error_code.is_ok());
    assert!(broker.ask(7, request).topics[0].error_code.is_ok());
}

fn described(broker: &mut ByHand, resource_type: i8, name: &str) -> DescribeConfigsResult {
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

#[test]
fn a_setting_tells_its_value_and_where_it_comes_from() {
    let mut broker = ByHand::start(MemFiles::default(), &[("log.retention.hours", "1")]);
    create(&mut broker, CreatableTopic { configs: config("segment.bytes", "2048"), ..wanted("t") });

    let topic = described(&mut broker, resource::TOPIC, "t");
    let of = |name: &str| {
        let config = topic.configs.iter().find(|config| config.name == name).unwrap();
        (config.value.clone().unwrap(), config.config_source)
    };
    assert_eq!(of("segment.bytes"), ("2048".into(), source::TOPIC_CONFIG));
    assert_eq!(of("retention.ms"), ("3600000".into(), source::STATIC_BROKER_CONFIG));
    assert_eq!(of("max.message.bytes"), ("1048588".into(), source::DEFAULT_CONFIG));

    let own = described(&mut broker, resource::BROKER, "1");
    assert!(own.configs.iter().any(|config| config.name == "log.retention.ms" && config.read_only));
    let missing = described(&mut broker, resource::TOPIC, "nobody");
    assert_eq!(missing.error_code.name(), "UNKNOWN_TOPIC_OR_PARTITION");
    let stranger = described(&mut broker, resource::BROKER, "2");
    assert_eq!(stranger.error_code.name(), "INVALID_REQUEST");
}
