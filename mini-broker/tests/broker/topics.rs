//! Topics as they are asked for: created, grown, and refused in Kafka's words.

use wire::Records;
use wire::fetch::FetchRequest;
use wire::metadata::MetadataRequest;
use wire::topics::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig, CreatableTopicResult,
    CreatePartitionsAssignment, CreatePartitionsRequest, CreatePartitionsTopic,
    CreateTopicsRequest, DeleteTopicsRequest,
};

use crate::batches::{batch, fetch, produce};
use crate::by_hand::{ByHand, MemFiles, WALL_MS};
use crate::process::metadata;

pub fn wanted(name: &str) -> CreatableTopic {
    CreatableTopic {
        name: name.into(),
        num_partitions: -1,
        replication_factor: -1,
        ..Default::default()
    }
}

pub fn create(broker: &mut ByHand, topic: CreatableTopic) -> CreatableTopicResult {
    let request = CreateTopicsRequest { topics: vec![topic], ..Default::default() };
    broker.ask(7, request).topics.remove(0)
}

/// A topic with settings of its own.
pub fn with(name: &str, settings: &[(&str, &str)]) -> CreatableTopic {
    let configs = settings.iter().map(|(name, value)| CreatableTopicConfig {
        name: name.to_string(),
        value: Some(value.to_string()),
    });
    CreatableTopic { configs: configs.collect(), ..wanted(name) }
}

fn sized(name: &str, partitions: i32) -> CreatableTopic {
    CreatableTopic { num_partitions: partitions, ..wanted(name) }
}

fn assigned(name: &str, all: &[(i32, &[i32])]) -> CreatableTopic {
    let assignments = all.iter().map(|(partition_index, brokers)| CreatableReplicaAssignment {
        partition_index: *partition_index,
        broker_ids: brokers.to_vec(),
    });
    CreatableTopic { assignments: assignments.collect(), ..wanted(name) }
}

fn partitions(broker: &mut ByHand, name: &str) -> usize {
    let request = MetadataRequest { allow_auto_topic_creation: false, ..metadata(&[name]) };
    broker.ask(12, request).topics[0].partitions.len()
}

#[test]
fn minus_one_is_the_brokers_default_and_the_answer_says_what_came_of_it() {
    let mut broker = ByHand::start(MemFiles::default(), &[("num.partitions", "4")]);

    let created = create(&mut broker, with("a", &[("segment.ms", " 9 ")]));

    assert_eq!((created.num_partitions, created.replication_factor), (4, 1));
    assert!(!created.topic_id.is_nil());
    let configs = created.configs.unwrap();
    assert!(configs.is_sorted_by_key(|config| config.name.clone()));
    let segment_ms = configs.iter().find(|config| config.name == "segment.ms").unwrap();
    assert_eq!(segment_ms.value.as_deref(), Some("9"));
    assert_eq!(segment_ms.config_source, wire::configs::source::TOPIC_CONFIG);
}

/// As Kafka 4.1.1 answers, in the same words.
#[test]
fn what_cannot_be_is_refused_as_kafka_does() {
    let mut broker = ByHand::new();
    create(&mut broker, sized("ok", 3));
    let factor = |replication_factor| CreatableTopic { replication_factor, ..wanted("x") };
    let assigned_and = |partitions, factor| CreatableTopic {
        num_partitions: partitions,
        replication_factor: factor,
        ..assigned("x", &[(0, &[1])])
    };
    let mut nothing = wanted("x");
    nothing.configs = vec![CreatableTopicConfig { name: "retention.ms".into(), value: None }];
    let non_positive = "Number of partitions was set to an invalid non-positive value.";
    let no_factor = "Replication factor must be larger than 0, or -1 to use the default value.";
    let too_many = "Excessively large number of partitions per request.";
    let consecutive = "partitions should be a consecutive 0-based integer sequence";
    let twice = "Found multiple manual partition assignments for partition 0";
    let broker_7 =
        "The manual partition assignment includes broker 7, but no such broker is registered.";
    let colour = "Unknown topic config name: colour";
    let letters =
        "contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'";
    let long = "x".repeat(250);
    let refused: Vec<(CreatableTopic, &str, String)> = vec![
        (wanted("ok"), "TOPIC_ALREADY_EXISTS", "Topic 'ok' already exists.".into()),
        (sized("ok", 0), "TOPIC_ALREADY_EXISTS", "Topic 'ok' already exists.".into()),
        (sized("x", 0), "INVALID_PARTITIONS", non_positive.into()),
        (sized("x", -2), "INVALID_PARTITIONS", non_positive.into()),
        (sized("x", i32::MIN), "INVALID_PARTITIONS", non_positive.into()),
        (sized("x", 2_000_000), "POLICY_VIOLATION", too_many.into()),
        (sized("x", i32::MAX), "POLICY_VIOLATION", too_many.into()),
        (sized("x", 10_001), "POLICY_VIOLATION", too_many.into()),
        (factor(0), "INVALID_REPLICATION_FACTOR", no_factor.into()),
        (factor(-2), "INVALID_REPLICATION_FACTOR", no_factor.into()),
        (
            factor(3),
            "INVALID_REPLICATION_FACTOR",
            "Unable to replicate the partition 3 time(s): The target replication factor of 3 \
             cannot be reached because only 1 broker(s) are registered."
                .into(),
        ),
        (
            CreatableTopic { num_partitions: 0, ..factor(3) },
            "INVALID_PARTITIONS",
            non_positive.into(),
        ),
        (
            assigned_and(1, 1),
            "INVALID_REQUEST",
            "A manual partition assignment was specified, but replication factor was not set to -1."
                .into(),
        ),
        (
            assigned_and(1, -1),
            "INVALID_REQUEST",
            "A manual partition assignment was specified, but numPartitions was not set to -1."
                .into(),
        ),
        (
            assigned("x", &[(0, &[1]), (2, &[1])]),
            "INVALID_REPLICA_ASSIGNMENT",
            consecutive.into(),
        ),
        (
            assigned("x", &[(1, &[1]), (2, &[1])]),
            "INVALID_REPLICA_ASSIGNMENT",
            consecutive.into(),
        ),
        (assigned("x", &[(-1, &[1])]), "INVALID_REPLICA_ASSIGNMENT", consecutive.into()),
        (assigned("x", &[(0, &[1]), (0, &[1])]), "INVALID_REPLICA_ASSIGNMENT", twice.into()),
        (
            assigned("x", &[(0, &[1, 1])]),
            "INVALID_REPLICA_ASSIGNMENT",
            "The manual partition assignment includes the broker 1 more than once.".into(),
        ),
        (assigned("x", &[(0, &[7])]), "INVALID_REPLICA_ASSIGNMENT", broker_7.into()),
        (assigned("x", &[(0, &[1]), (1, &[1, 7])]), "INVALID_REPLICA_ASSIGNMENT", broker_7.into()),
        (
            assigned("x", &[(0, &[1]), (1, &[])]),
            "INVALID_REPLICA_ASSIGNMENT",
            "The manual partition assignment includes an empty replica list.".into(),
        ),
        (with("x", &[("colour", "red"), ("a", "b")]), "INVALID_CONFIG", "Unknown topic config name: a".into()),
        (
            CreatableTopic { num_partitions: 0, ..with("x", &[("colour", "red")]) },
            "INVALID_CONFIG",
            colour.into(),
        ),
        (
            with("x", &[("log.retention.ms", "5")]),
            "INVALID_CONFIG",
            "Unknown topic config name: log.retention.ms".into(),
        ),
        (
            with("x", &[("retention.ms", "soon")]),
            "INVALID_CONFIG",
            "Invalid value soon for configuration retention.ms: Not a number of type LONG".into(),
        ),
        (
            nothing,
            "INVALID_CONFIG",
            "Null value not supported for topic configs: retention.ms".into(),
        ),
        (
            wanted(""),
            "INVALID_TOPIC_EXCEPTION",
            "Topic name is invalid: the empty string is not allowed".into(),
        ),
        (
            wanted(".."),
            "INVALID_TOPIC_EXCEPTION",
            "Topic name is invalid: '..' is not allowed".into(),
        ),
        (
            wanted("no/slash"),
            "INVALID_TOPIC_EXCEPTION",
            format!("Topic name is invalid: 'no/slash' {letters}"),
        ),
        (wanted("ü"), "INVALID_TOPIC_EXCEPTION", format!("Topic name is invalid: 'ü' {letters}")),
        (
            wanted(&long),
            "INVALID_TOPIC_EXCEPTION",
            format!(
                "Topic name is invalid: the length of '{long}' is longer than the max allowed \
                 length 249"
            ),
        ),
        (
            wanted("__cluster_metadata"),
            "INVALID_REQUEST",
            "Creation of internal topic __cluster_metadata is prohibited.".into(),
        ),
    ];
    for validate_only in [true, false] {
        for (topic, code, why) in &refused {
            let request = CreateTopicsRequest {
                topics: vec![topic.clone()],
                validate_only,
                ..Default::default()
            };
            let told = broker.ask(7, request).topics.remove(0);
            assert_eq!(told.error_code.name(), *code, "{topic:?}");
            assert_eq!(told.error_message.as_ref(), Some(why), "{topic:?}");
        }
    }
    assert!(create(&mut broker, wanted("a.b")).error_code.is_ok());
    let told = create(&mut broker, wanted("a_b"));
    assert_eq!(told.error_code.name(), "INVALID_TOPIC_EXCEPTION");
    let why = "Topic 'a_b' collides with existing topic: a.b";
    assert_eq!(told.error_message.as_deref(), Some(why));
    assert!(create(&mut broker, wanted(&"x".repeat(249))).error_code.is_ok());
}

#[test]
fn the_good_ones_of_a_request_are_made_and_one_that_is_named_twice_is_not() {
    let mut broker = ByHand::new();
    let topics = vec![wanted("twice"), wanted("good"), sized("bad", 0), wanted("twice")];
    let told = broker.ask(7, CreateTopicsRequest { topics, ..Default::default() }).topics;

    let told: Vec<_> = told.iter().map(|it| (it.name.as_str(), it.error_code.name())).collect();
    assert_eq!(
        told,
        [("good", "NONE"), ("bad", "INVALID_PARTITIONS"), ("twice", "INVALID_REQUEST")]
    );
    let topics = vec![sized("many", 6_000), sized("more", 4_001)];
    let told = broker.ask(7, CreateTopicsRequest { topics, ..Default::default() }).topics;
    assert!(told.iter().all(|it| it.error_code.name() == "POLICY_VIOLATION"), "{told:?}");
    let topic_names = vec!["good".into(), "nope".into(), "nope".into()];
    let told = broker.ask(5, DeleteTopicsRequest { topic_names, ..Default::default() }).responses;
    let told: Vec<_> = told.iter().map(|it| (it.name.as_str(), it.error_code.name())).collect();
    assert_eq!(told, [("good", "NONE"), ("nope", "INVALID_REQUEST")]);
}

#[test]
fn assignments_are_taken_and_validate_only_creates_nothing() {
    let mut broker = ByHand::new();
    let created = create(&mut broker, assigned("placed", &[(1, &[1]), (0, &[1])]));
    assert_eq!((created.num_partitions, created.replication_factor), (2, 1));

    let request = CreateTopicsRequest {
        topics: vec![wanted("tried")],
        validate_only: true,
        ..Default::default()
    };
    assert!(broker.ask(7, request.clone()).topics[0].error_code.is_ok());
    assert!(broker.ask(7, request).topics[0].error_code.is_ok());
    assert_eq!(partitions(&mut broker, "tried"), 0);
}

#[test]
fn one_of_many_gets_the_name_also_while_the_first_is_not_synced_yet() {
    let mut broker = ByHand::new();
    let request = CreateTopicsRequest { topics: vec![wanted("mine")], ..Default::default() };
    let asked: Vec<u32> = (0..20).map(|_| broker.send(7, request.clone())).collect();
    assert!(broker.answers.is_empty());
    assert_eq!(broker.jobs.len(), 1);

    broker.run_jobs();

    let told = asked.into_iter().map(|number| {
        let mut told = broker.answer::<CreateTopicsRequest>(number).unwrap().topics;
        told.remove(0).error_code.name()
    });
    let told: Vec<_> = told.collect();
    assert_eq!(told[0], "NONE");
    assert_eq!(told[1..], ["TOPIC_ALREADY_EXISTS"; 19]);
}

fn grow(name: &str, count: i32, assignments: Option<&[&[i32]]>) -> CreatePartitionsRequest {
    let assignments = assignments.map(|all| {
        let all =
            all.iter().map(|brokers| CreatePartitionsAssignment { broker_ids: brokers.to_vec() });
        all.collect()
    });
    let topics = vec![CreatePartitionsTopic { name: name.into(), count, assignments }];
    CreatePartitionsRequest { topics, ..Default::default() }
}

#[test]
fn a_topic_that_grows_keeps_what_it_has_and_its_new_partitions_are_empty() {
    let mut broker = ByHand::new();
    broker.topic("orders");
    broker.append("orders", WALL_MS as i64, &["a", "b"]);
    let waiting = broker.send(12, FetchRequest { max_wait_ms: 500, ..fetch("orders", 0, 2) });
    let early = broker.send(12, FetchRequest { max_wait_ms: 500, ..fetch("orders", 2, 0) });
    let early = broker.answer::<FetchRequest>(early).unwrap().responses.remove(0);
    assert_eq!(early.partitions[0].error_code.name(), "UNKNOWN_TOPIC_OR_PARTITION");

    let told = broker.ask(3, grow("orders", 3, None)).results.remove(0);

    assert_eq!((told.error_code.name(), told.error_message), ("NONE", None));
    assert_eq!(partitions(&mut broker, "orders"), 3);
    assert!(!broker.answers.contains_key(&waiting), "who waits goes on waiting");
    let read = broker.send(12, fetch("orders", 0, 0));
    assert_eq!(broker.fetched(read).unwrap().len(), 2);
    let read = broker.send(12, FetchRequest { max_wait_ms: 500, ..fetch("orders", 2, 0) });
    assert_eq!(broker.fetched(read), None);
    broker.send(9, produce("orders", 2, -1, batch(WALL_MS as i64, &["new"])));
    assert_eq!(broker.fetched(read).unwrap(), [(0, "new".into())]);

    // And after a start.
    let mut broker = ByHand::start(broker.files, &[]);
    assert_eq!(partitions(&mut broker, "orders"), 3);
    let read = broker.send(12, fetch("orders", 2, 0));
    assert_eq!(broker.fetched(read).unwrap(), [(0, "new".into())]);
    let told = broker.ask(3, grow("orders", 5, Some(&[&[1], &[1]]))).results.remove(0);
    assert_eq!(told.error_code.name(), "NONE");
    assert_eq!(partitions(&mut broker, "orders"), 5);
}

#[test]
fn a_topic_that_cannot_grow_so_is_refused_as_kafka_does() {
    let mut broker = ByHand::new();
    create(&mut broker, sized("ok", 4));
    let no_increase = |count: i32| {
        format!("The topic ok currently has 4 partition(s); {count} would not be an increase.")
    };
    let attempted = |count: usize| {
        format!(
            "Attempted to add 2 additional partition(s), but only {count} assignment(s) were \
             specified."
        )
    };
    let includes = |what: &str| format!("The manual partition assignment includes {what}");
    let hosts_not = "This server does not host this topic-partition.".to_string();
    let refused: Vec<(CreatePartitionsRequest, &str, String)> = vec![
        (grow("ok", 4, None), "INVALID_PARTITIONS", "Topic already has 4 partition(s).".into()),
        (grow("ok", 2, None), "INVALID_PARTITIONS", no_increase(2)),
        (grow("ok", 0, None), "INVALID_PARTITIONS", no_increase(0)),
        (grow("ok", -1, None), "INVALID_PARTITIONS", no_increase(-1)),
        (grow("ok", i32::MIN, None), "INVALID_PARTITIONS", no_increase(i32::MIN)),
        (
            grow("ok", i32::MAX, None),
            "POLICY_VIOLATION",
            "A topic has 1 to 10000 partitions, not 2147483647.".into(),
        ),
        (grow("ok", 6, Some(&[])), "INVALID_REPLICA_ASSIGNMENT", attempted(0)),
        (grow("ok", 6, Some(&[&[1]])), "INVALID_REPLICA_ASSIGNMENT", attempted(1)),
        (grow("ok", 6, Some(&[&[1], &[1], &[1]])), "INVALID_REPLICA_ASSIGNMENT", attempted(3)),
        (
            grow("ok", 6, Some(&[&[1], &[]])),
            "INVALID_REPLICA_ASSIGNMENT",
            includes("an empty replica list."),
        ),
        (
            grow("ok", 5, Some(&[&[7]])),
            "INVALID_REPLICA_ASSIGNMENT",
            includes("broker 7, but no such broker is registered."),
        ),
        (
            grow("ok", 5, Some(&[&[1, 1]])),
            "INVALID_REPLICA_ASSIGNMENT",
            includes("the broker 1 more than once."),
        ),
        (grow("nope", 9, None), "UNKNOWN_TOPIC_OR_PARTITION", hosts_not.clone()),
        (grow("no/slash", 9, None), "UNKNOWN_TOPIC_OR_PARTITION", hosts_not.clone()),
        (grow("", 9, None), "UNKNOWN_TOPIC_OR_PARTITION", hosts_not),
    ];
    for validate_only in [true, false] {
        for (request, code, why) in &refused {
            let request = CreatePartitionsRequest { validate_only, ..request.clone() };
            let told = broker.ask(3, request.clone()).results.remove(0);
            assert_eq!(told.error_code.name(), *code, "{request:?}");
            assert_eq!(told.error_message.as_ref(), Some(why), "{request:?}");
        }
    }
    let try_only = CreatePartitionsRequest { validate_only: true, ..grow("ok", 9, None) };
    assert!(broker.ask(3, try_only).results[0].error_code.is_ok());
    let twice = grow("ok", 9, None).topics[0].clone();
    let twice =
        CreatePartitionsRequest { topics: vec![twice.clone(), twice], ..Default::default() };
    let told = broker.ask(3, twice).results;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].error_message.as_deref(), Some("Duplicate topic name."));
    assert_eq!(partitions(&mut broker, "ok"), 4);
}

#[test]
fn who_asks_second_counts_from_what_the_first_was_promised() {
    let mut broker = ByHand::new();
    create(&mut broker, sized("ok", 1));
    let (first, second) =
        (broker.send(3, grow("ok", 3, None)), broker.send(3, grow("ok", 2, None)));
    assert_eq!(partitions_now(&mut broker), 1, "nothing is agreed on yet");
    broker.run_jobs();

    let told = |broker: &mut ByHand, number| {
        let mut told = broker.answer::<CreatePartitionsRequest>(number).unwrap().results;
        told.remove(0).error_message
    };
    assert_eq!(told(&mut broker, first), None);
    let why = "The topic ok currently has 3 partition(s); 2 would not be an increase.";
    assert_eq!(told(&mut broker, second).as_deref(), Some(why));
    assert_eq!(partitions_now(&mut broker), 3);
}

fn partitions_now(broker: &mut ByHand) -> usize {
    let asked = broker.send(12, MetadataRequest::default());
    broker.answer::<MetadataRequest>(asked).unwrap().topics[0].partitions.len()
}

/// An empty partition has no files and no records, and answers as one.
#[test]
fn ten_thousand_partitions_are_a_topic_and_one_more_is_not() {
    let mut broker = ByHand::new();
    assert!(create(&mut broker, sized("large", 10_000)).error_code.is_ok());
    let told = broker.ask(3, grow("large", 10_001, None)).results.remove(0);
    assert_eq!(told.error_code.name(), "POLICY_VIOLATION");
    let asked = broker.send(12, fetch("large", 9_999, 0));
    let answer = broker.answer::<FetchRequest>(asked).unwrap();
    let Records::Here(bytes) = &answer.responses[0].partitions[0].records else { panic!() };
    assert!(bytes.is_empty());
}
