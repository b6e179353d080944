//! Settings that change while the broker runs: what is taken, what is refused, and that it counts.

use std::collections::BTreeMap;

use mini_broker::broker::Event;
use wire::configs::{
    AlterConfigsRequest, AlterConfigsResource, AlterConfigsResourceResponse, AlterableConfig,
    IncrementalAlterConfigsRequest, IncrementalAlterConfigsResource, IncrementalAlterableConfig,
    operation, resource,
};
use wire::produce::{PartitionProduceResponse, ProduceRequest};
use wire::topics::DeleteTopicsRequest;

use crate::batches::{batch, produce};
use crate::by_hand::{ByHand, MemFiles, WALL_MS};
use crate::configs::{described, told};
use crate::retention::{deleted, pass_to_deadlines};
use crate::topics::{create, wanted, with};

const AT: i64 = WALL_MS as i64;
const TOPIC: i8 = resource::TOPIC;
const BROKER: i8 = resource::BROKER;
const SET: i8 = operation::SET;
const DELETE: i8 = operation::DELETE;
const APPEND: i8 = operation::APPEND;
const SUBTRACT: i8 = operation::SUBTRACT;

/// Name, operation, value; an empty operation list is a request as well.
pub type Changes<'a> = &'a [(&'a str, i8, Option<&'a str>)];

pub fn changes(resource_type: i8, name: &str, all: Changes) -> IncrementalAlterConfigsRequest {
    let configs = all.iter().map(|(name, operation, value)| IncrementalAlterableConfig {
        name: name.to_string(),
        config_operation: *operation,
        value: value.map(str::to_string),
    });
    let configs = configs.collect();
    let resource_name = name.into();
    IncrementalAlterConfigsRequest {
        resources: vec![IncrementalAlterConfigsResource { resource_type, resource_name, configs }],
        validate_only: false,
    }
}

fn alter(
    broker: &mut ByHand,
    resource_type: i8,
    name: &str,
    all: Changes,
) -> AlterConfigsResourceResponse {
    broker.ask(1, changes(resource_type, name, all)).responses.remove(0)
}

fn set(broker: &mut ByHand, resource_type: i8, name: &str, settings: &[(&str, &str)]) {
    let all: Vec<_> = settings.iter().map(|(name, value)| (*name, SET, Some(*value))).collect();
    let told = alter(broker, resource_type, name, &all);
    assert!(told.error_code.is_ok(), "{told:?}");
}

fn replaced(name: &str, settings: &[(&str, Option<&str>)]) -> AlterConfigsResource {
    let configs = settings.iter().map(|(name, value)| AlterableConfig {
        name: name.to_string(),
        value: value.map(str::to_string),
    });
    let configs = configs.collect();
    AlterConfigsResource { resource_type: TOPIC, resource_name: name.into(), configs }
}

/// What a topic has of its own.
fn own(broker: &mut ByHand, topic: &str) -> BTreeMap<String, String> {
    let told = described(broker, TOPIC, topic).configs;
    let own = told.into_iter().filter(|config| config.config_source == 1);
    own.map(|config| (config.name, config.value.unwrap())).collect()
}

fn settings(all: &[(&str, &str)]) -> BTreeMap<String, String> {
    all.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

/// As Kafka 4.1.1 answers, in the same words.
#[test]
fn what_cannot_be_is_refused_as_kafka_does_and_nothing_changes() {
    let mut broker = ByHand::new();
    create(&mut broker, with("ok", &[("retention.ms", "60000")]));
    create(&mut broker, wanted("defaults"));
    let soon = |name: &str| {
        format!("Invalid value soon for configuration {name}: Not a number of type LONG")
    };
    let refused: Vec<(i8, &str, Changes, &str, String)> = vec![
        (
            TOPIC,
            "ok",
            &[("retention.ms", SET, Some("1")), ("retention.ms", SET, Some("2"))],
            "INVALID_REQUEST",
            "Error due to duplicate config keys".into(),
        ),
        (
            TOPIC,
            "nope",
            &[("retention.ms", SET, Some("1"))],
            "UNKNOWN_TOPIC_OR_PARTITION",
            "The topic 'nope' does not exist.".into(),
        ),
        (
            TOPIC,
            "",
            &[("retention.ms", SET, Some("1"))],
            "INVALID_REQUEST",
            "Default topic resources are not allowed.".into(),
        ),
        (
            TOPIC,
            "no/slash",
            &[],
            "INVALID_TOPIC_EXCEPTION",
            "Topic name is invalid: 'no/slash' contains one or more characters other than ASCII \
             alphanumerics, '.', '_' and '-'"
                .into(),
        ),
        (
            TOPIC,
            "ok",
            &[("colour", SET, Some("red"))],
            "INVALID_CONFIG",
            "Unknown topic config name: colour".into(),
        ),
        (TOPIC, "ok", &[("retention.ms", SET, Some("soon"))], "INVALID_CONFIG", soon("retention.ms")),
        (
            TOPIC,
            "ok",
            &[("segment.ms", SET, Some("5")), ("retention.ms", SET, Some("soon"))],
            "INVALID_CONFIG",
            soon("retention.ms"),
        ),
        (
            TOPIC,
            "ok",
            &[("retention.ms", SET, None)],
            "INVALID_REQUEST",
            "Null value not supported for : retention.ms".into(),
        ),
        (
            TOPIC,
            "ok",
            &[("retention.ms", APPEND, Some("1"))],
            "INVALID_CONFIG",
            "Can't APPEND to key retention.ms because its type is not LIST.".into(),
        ),
        (
            TOPIC,
            "ok",
            &[("colour", SUBTRACT, Some("1"))],
            "INVALID_CONFIG",
            "Can't SUBTRACT to key colour because its type is not LIST.".into(),
        ),
        (
            TOPIC,
            "ok",
            &[("cleanup.policy", APPEND, Some("shred"))],
            "INVALID_CONFIG",
            "Invalid value shred for configuration cleanup.policy: String must be one of: compact, \
             delete"
                .into(),
        ),
        (
            TOPIC,
            "ok",
            &[("retention.ms", 9, Some("1"))],
            "INVALID_REQUEST",
            "Unknown operations type 9".into(),
        ),
        (
            BROKER,
            "2",
            &[("log.retention.ms", SET, Some("1"))],
            "INVALID_REQUEST",
            "Unexpected broker id, expected 1, but received 2".into(),
        ),
        (
            BROKER,
            "x",
            &[],
            "INVALID_REQUEST",
            "Node id must be an integer, but it is: x".into(),
        ),
        (
            BROKER,
            "1",
            &[("log.retention.ms", SET, Some("soon"))],
            "INVALID_REQUEST",
            soon("log.retention.ms"),
        ),
        (
            BROKER,
            "",
            &[("num.partitions", SET, Some("4")), ("log.roll.hours", SET, Some("4"))],
            "INVALID_REQUEST",
            "Cannot update these configs dynamically: Set(log.roll.hours, num.partitions)".into(),
        ),
        (
            BROKER,
            "1",
            &[("log.retention.ms", APPEND, Some("1"))],
            "INVALID_CONFIG",
            "Config value append is not allowed for config key: log.retention.ms".into(),
        ),
        // Kafka takes what it does not know; here nothing would ever look at it.
        (
            BROKER,
            "1",
            &[("retention.ms", SET, Some("1"))],
            "INVALID_REQUEST",
            "Unknown broker config name: retention.ms".into(),
        ),
        (99, "ok", &[], "INVALID_REQUEST", "Unknown resource type 99".into()),
        (resource::GROUP, "ok", &[], "INVALID_REQUEST", "Unknown resource type 32".into()),
    ];
    for validate_only in [true, false] {
        for (resource_type, name, all, code, why) in &refused {
            let request = changes(*resource_type, name, all);
            let request = IncrementalAlterConfigsRequest { validate_only, ..request };
            let told = broker.ask(1, request).responses.remove(0);
            assert_eq!(told.error_code.name(), *code, "{all:?}");
            assert_eq!(told.error_message.as_ref(), Some(why), "{all:?}");
            assert_eq!((told.resource_type, told.resource_name.as_str()), (*resource_type, *name));
        }
    }
    assert_eq!(own(&mut broker, "ok"), settings(&[("retention.ms", "60000")]));
    assert_eq!(described(&mut broker, BROKER, "").configs, []);
}

#[test]
fn each_resource_is_answered_by_itself_and_one_that_is_named_twice_not_at_all() {
    let mut broker = ByHand::new();
    create(&mut broker, wanted("ok"));
    create(&mut broker, wanted("other"));
    let good = changes(TOPIC, "ok", &[("segment.ms", SET, Some("5"))]).resources.remove(0);
    let bad = changes(TOPIC, "other", &[("segment.ms", SET, Some("0"))]).resources.remove(0);
    let resources = vec![good.clone(), bad];
    let told = broker.ask(1, IncrementalAlterConfigsRequest { resources, validate_only: false });
    let codes: Vec<_> = told.responses.iter().map(|it| it.error_code.name()).collect();
    assert_eq!(codes, ["NONE", "INVALID_CONFIG"]);
    assert_eq!(own(&mut broker, "ok"), settings(&[("segment.ms", "5")]));

    let again = IncrementalAlterConfigsResource { configs: Vec::new(), ..good.clone() };
    let resources = vec![good, again];
    let told = broker.ask(1, IncrementalAlterConfigsRequest { resources, validate_only: false });
    let why = "Each resource must appear at most once.";
    assert!(told.responses.iter().all(|it| it.error_message.as_deref() == Some(why)));
}

#[test]
fn a_list_is_added_to_and_taken_from() {
    let mut broker = ByHand::new();
    create(&mut broker, wanted("ok"));
    let mut step = |operation, value: &str| {
        let told = alter(&mut broker, TOPIC, "ok", &[("cleanup.policy", operation, Some(value))]);
        assert!(told.error_code.is_ok(), "{told:?}");
        own(&mut broker, "ok").remove("cleanup.policy")
    };
    // What is added to is the default, as nothing is set.
    assert_eq!(step(APPEND, "compact").as_deref(), Some("delete,compact"));
    assert_eq!(step(APPEND, "compact").as_deref(), Some("delete,compact"));
    assert_eq!(step(SUBTRACT, "delete").as_deref(), Some("compact"));
    assert_eq!(step(SUBTRACT, "compact").as_deref(), Some(""));
    assert_eq!(step(SUBTRACT, "compact").as_deref(), Some(""));
    assert_eq!(step(APPEND, "delete").as_deref(), Some("delete"));
    assert_eq!(step(DELETE, ""), None);

    let told = alter(&mut broker, BROKER, "", &[("log.cleanup.policy", APPEND, Some("compact"))]);
    assert!(told.error_code.is_ok());
    let topic = described(&mut broker, TOPIC, "ok");
    let synonyms =
        vec!["log.cleanup.policy=delete,compact/3".into(), "log.cleanup.policy=delete/5".into()];
    let expected = (Some("delete,compact".into()), 3, synonyms);
    assert_eq!(crate::configs::told(&topic, "cleanup.policy"), expected);
}

#[test]
fn what_is_not_set_may_be_deleted_and_validate_only_changes_nothing() {
    let mut broker = ByHand::new();
    create(&mut broker, with("ok", &[("segment.ms", "5")]));
    let before = broker.files.metadata.files();
    for (resource_type, name, setting) in [
        (TOPIC, "ok", "retention.ms"),
        (TOPIC, "ok", "colour"),
        (BROKER, "1", "log.retention.ms"),
        (BROKER, "", "num.partitions"),
    ] {
        let told = alter(&mut broker, resource_type, name, &[(setting, DELETE, None)]);
        assert!(told.error_code.is_ok(), "{told:?}");
    }
    let request = changes(TOPIC, "ok", &[("segment.ms", DELETE, None)]);
    let request = IncrementalAlterConfigsRequest { validate_only: true, ..request };
    assert!(broker.ask(1, request).responses[0].error_code.is_ok());
    let resources = vec![replaced("ok", &[])];
    let request = AlterConfigsRequest { resources, validate_only: true };
    assert!(broker.ask(2, request).responses[0].error_code.is_ok());

    assert_eq!(own(&mut broker, "ok"), settings(&[("segment.ms", "5")]));
    assert_eq!(broker.files.metadata.files(), before, "nothing was written for it");
}

#[test]
fn alter_configs_replaces_all_that_was_set() {
    let mut broker = ByHand::new();
    create(&mut broker, with("ok", &[("segment.ms", "5"), ("retention.ms", "60000")]));
    let replace = |broker: &mut ByHand, settings: &[(&str, Option<&str>)]| {
        let resources = vec![replaced("ok", settings)];
        let request = AlterConfigsRequest { resources, validate_only: false };
        let told = broker.ask(2, request).responses.remove(0);
        (told.error_code.name(), told.error_message)
    };
    let new = [("retention.ms", Some("70000")), ("segment.bytes", Some("4096"))];
    assert_eq!(replace(&mut broker, &new), ("NONE", None));
    let expected = settings(&[("retention.ms", "70000"), ("segment.bytes", "4096")]);
    assert_eq!(own(&mut broker, "ok"), expected);

    let why = "Null value not supported for : retention.ms";
    let refused = replace(&mut broker, &[("segment.ms", Some("5")), ("retention.ms", None)]);
    assert_eq!(refused, ("INVALID_REQUEST", Some(why.into())));
    let refused = replace(&mut broker, &[("segment.ms", Some("5")), ("retention.ms", Some("x"))]);
    assert_eq!(refused.0, "INVALID_CONFIG");
    assert_eq!(own(&mut broker, "ok"), expected);

    assert_eq!(replace(&mut broker, &[]), ("NONE", None));
    assert_eq!(own(&mut broker, "ok"), settings(&[]));
}

/// The nearest counts: the topic's own, this broker's, all brokers', what it was started with, the
/// default. The same lines as Kafka tells, in the same order.
#[test]
fn every_place_is_told_and_all_of_it_is_there_after_a_start() {
    let at_start = [("log.retention.hours", "100"), ("log.segment.bytes", "3000000")];
    let mut broker = ByHand::start(MemFiles::default(), &at_start);
    create(&mut broker, with("t", &[("segment.bytes", "2000000")]));
    set(
        &mut broker,
        BROKER,
        "1",
        &[("log.retention.ms", "86400000"), ("message.max.bytes", "3000000")],
    );
    set(
        &mut broker,
        BROKER,
        "",
        &[("log.retention.ms", "96400000"), ("message.max.bytes", "2000000")],
    );
    set(&mut broker, TOPIC, "t", &[("retention.ms", "60000")]);

    let mut broker = ByHand::start(broker.files, &at_start);

    let topic = described(&mut broker, TOPIC, "t");
    let retention = [
        "retention.ms=60000/1",
        "log.retention.ms=86400000/2",
        "log.retention.ms=96400000/3",
        "log.retention.hours=100/4",
        "log.retention.hours=168/5",
    ];
    let sizes = [
        "message.max.bytes=3000000/2",
        "message.max.bytes=2000000/3",
        "message.max.bytes=1048588/5",
    ];
    let segments = [
        "segment.bytes=2000000/1",
        "log.segment.bytes=3000000/4",
        "log.segment.bytes=1073741824/5",
    ];
    let expect = |value: &str, source: i8, synonyms: &[&str]| {
        let synonyms: Vec<String> = synonyms.iter().map(|line| line.to_string()).collect();
        (Some(value.to_string()), source, synonyms)
    };
    assert_eq!(told(&topic, "retention.ms"), expect("60000", 1, &retention));
    assert_eq!(told(&topic, "max.message.bytes"), expect("3000000", 2, &sizes));
    assert_eq!(told(&topic, "segment.bytes"), expect("2000000", 1, &segments));
    assert_eq!(told(&topic, "segment.ms"), expect("604800000", 5, &[]));
    let own = described(&mut broker, BROKER, "1");
    assert_eq!(told(&own, "log.retention.ms"), expect("86400000", 2, &retention[1..]));
    let all = described(&mut broker, BROKER, "");
    let lines = expect("96400000", 3, &["log.retention.ms=96400000/3"]);
    assert_eq!(told(&all, "log.retention.ms"), lines);
    assert_eq!(all.configs.len(), 2);

    // Taken away again, the next place counts.
    alter(&mut broker, TOPIC, "t", &[("retention.ms", DELETE, None)]);
    alter(&mut broker, BROKER, "1", &[("log.retention.ms", DELETE, None)]);
    let topic = described(&mut broker, TOPIC, "t");
    let rest =
        ["log.retention.ms=96400000/3", "log.retention.hours=100/4", "log.retention.hours=168/5"];
    assert_eq!(told(&topic, "retention.ms"), expect("96400000", 3, &rest));
}

#[test]
fn settings_go_with_their_topic() {
    let mut broker = ByHand::new();
    create(&mut broker, with("t", &[("retention.ms", "60000")]));
    let topic_names = vec!["t".into()];
    broker.ask(5, DeleteTopicsRequest { topic_names, ..Default::default() });
    create(&mut broker, wanted("t"));
    assert_eq!(own(&mut broker, "t"), settings(&[]));
}

fn produced(broker: &mut ByHand, topic: &str, at: i64, value: &str) -> PartitionProduceResponse {
    let number = broker.send(9, produce(topic, 0, -1, batch(at, &[value])));
    let mut response = broker.answer::<ProduceRequest>(number).unwrap();
    response.responses.remove(0).partition_responses.remove(0)
}

/// Four batches of about 670 bytes.
fn filled(topic: &str) -> ByHand {
    let mut broker = ByHand::new();
    broker.topic(topic);
    for _ in 0..4 {
        broker.append(topic, AT, &[&"x".repeat(600)]);
    }
    broker
}

fn segments(broker: &ByHand, dir: &str) -> usize {
    let files = broker.files.dir_of(dir).files();
    files.keys().filter(|name| name.ends_with(".log")).count()
}

#[test]
fn segments_and_retention_change_under_a_log_that_is_open() {
    let mut broker = filled("orders");
    assert_eq!(segments(&broker, "orders-0"), 1);
    set(&mut broker, TOPIC, "orders", &[("segment.bytes", "1024"), ("retention.ms", "10000")]);
    assert_eq!(
        broker.events.iter().filter(|it| matches!(it, Event::SettingsChanged { .. })).count(),
        1,
        "told once"
    );
    broker.append("orders", AT, &[&"x".repeat(600)]);
    assert_eq!(segments(&broker, "orders-0"), 2, "the next append begins a new segment");

    // A week was due before; now it is the next check after ten seconds.
    pass_to_deadlines(&mut broker, 9_999);
    assert_eq!(deleted(&broker), 0);
    pass_to_deadlines(&mut broker, 310_000);
    assert_eq!(deleted(&broker), 2, "{:?}", broker.events);
    assert_eq!(broker.append("orders", AT, &["next"]), 5);
}

#[test]
fn a_topics_size_and_a_brokers_age_make_room_at_the_next_check() {
    let mut broker = filled("orders");
    set(&mut broker, BROKER, "1", &[("log.segment.bytes", "1024")]);
    for _ in 0..3 {
        broker.append("orders", AT, &[&"x".repeat(600)]);
    }
    assert_eq!(segments(&broker, "orders-0"), 4);
    set(&mut broker, TOPIC, "orders", &[("retention.bytes", "1400")]);
    pass_to_deadlines(&mut broker, 310_000);
    assert_eq!(deleted(&broker), 1, "the first, which alone is larger than what may stay");

    alter(&mut broker, TOPIC, "orders", &[("retention.bytes", DELETE, None)]);
    set(&mut broker, BROKER, "", &[("log.retention.ms", "1000")]);
    pass_to_deadlines(&mut broker, 700_000);
    assert_eq!(deleted(&broker), 4);
}

/// Found at the start and not opened since: its retention changes too.
#[test]
fn a_log_that_is_closed_is_looked_at_by_its_new_settings() {
    let mut broker = filled("orders");
    set(&mut broker, TOPIC, "orders", &[("retention.ms", "-1")]);
    let mut broker = ByHand::start(broker.files, &[]);
    assert_eq!(broker.deadline(), None, "kept for ever");
    set(&mut broker, TOPIC, "orders", &[("retention.ms", "1000")]);

    pass_to_deadlines(&mut broker, 310_000);

    assert_eq!(deleted(&broker), 1);
}

#[test]
fn without_the_policy_delete_a_topic_keeps_everything() {
    let mut broker = filled("orders");
    let keep = [("cleanup.policy", ""), ("retention.ms", "1000"), ("retention.bytes", "1")];
    set(&mut broker, TOPIC, "orders", &keep);
    pass_to_deadlines(&mut broker, 700_000);
    assert_eq!(deleted(&broker), 0);
    set(&mut broker, TOPIC, "orders", &[("cleanup.policy", "delete")]);
    pass_to_deadlines(&mut broker, 1_400_000);
    assert_eq!(deleted(&broker), 1);
}

#[test]
fn what_is_taken_changes_at_once() {
    let mut broker = ByHand::new();
    broker.topic("orders");
    let code = |broker: &mut ByHand, at: i64, value: &str| {
        produced(broker, "orders", at, value).error_code.name()
    };
    assert_eq!(code(&mut broker, AT, &"x".repeat(1000)), "NONE");
    set(&mut broker, TOPIC, "orders", &[("max.message.bytes", "500")]);
    assert_eq!(code(&mut broker, AT, &"x".repeat(1000)), "MESSAGE_TOO_LARGE");
    assert_eq!(code(&mut broker, AT, &"x".repeat(100)), "NONE");

    let hour = 3_600_000;
    assert_eq!(code(&mut broker, AT + hour + 1, "x"), "INVALID_TIMESTAMP");
    set(&mut broker, TOPIC, "orders", &[("message.timestamp.after.max.ms", "7200000")]);
    assert_eq!(code(&mut broker, AT + hour + 1, "x"), "NONE");
    assert_eq!(code(&mut broker, 0, "x"), "NONE");
    set(&mut broker, TOPIC, "orders", &[("message.timestamp.before.max.ms", "5000")]);
    assert_eq!(code(&mut broker, AT - 5001, "x"), "INVALID_TIMESTAMP");
    assert_eq!(code(&mut broker, AT - 5000, "x"), "NONE");

    // No more are asked for than there are replicas (KIP-966).
    set(&mut broker, BROKER, "", &[("min.insync.replicas", "2")]);
    assert_eq!(code(&mut broker, AT, "x"), "NONE");
}

/// Nobody sees a setting that a power loss could take back.
#[test]
fn a_change_counts_once_it_is_on_the_disk() {
    let mut broker = ByHand::new();
    broker.topic("orders");
    let asked = broker.send(1, changes(TOPIC, "orders", &[("max.message.bytes", SET, Some("70"))]));
    assert!(!broker.answers.contains_key(&asked));
    assert!(produced(&mut broker, "orders", AT, &"x".repeat(100)).error_code.is_ok());

    broker.run_jobs();

    assert!(broker.answers.contains_key(&asked));
    let refused = produced(&mut broker, "orders", AT, &"x".repeat(100)).error_code;
    assert_eq!(refused.name(), "MESSAGE_TOO_LARGE");
}
