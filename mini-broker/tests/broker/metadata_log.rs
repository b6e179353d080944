//! The cluster's memory: what was decided is there after a start, and nothing else.

use std::io;

use mini_broker::broker::{Event, Job};
use wire::metadata::MetadataRequest;
use wire::producer_id::InitProducerIdRequest;
use wire::topics::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest, DeleteTopicsRequest,
};

use crate::by_hand::{ByHand, WALL_MS};
use crate::process::metadata;

const AT: i64 = WALL_MS as i64;

fn create(name: &str, partitions: i32) -> CreateTopicsRequest {
    CreateTopicsRequest {
        topics: vec![CreatableTopic {
            name: name.into(),
            num_partitions: partitions,
            replication_factor: -1,
            configs: vec![CreatableTopicConfig {
                name: "retention.ms".into(),
                value: Some("1000".into()),
            }],
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn delete(name: &str) -> DeleteTopicsRequest {
    DeleteTopicsRequest { topic_names: vec![name.into()], ..Default::default() }
}

fn names(broker: &mut ByHand) -> Vec<(String, usize)> {
    let all = broker.ask(12, MetadataRequest::default());
    all.topics.into_iter().map(|topic| (topic.name.unwrap(), topic.partitions.len())).collect()
}

#[test]
fn topics_their_ids_and_their_settings_are_there_after_a_start() {
    let mut broker = ByHand::new();
    let created = broker.ask(7, create("orders", 3)).topics.remove(0);
    assert!(created.error_code.is_ok());
    broker.ask(7, create("gone", 2));
    broker.ask(5, delete("gone"));

    let mut broker = ByHand::start(broker.files, &[]);

    assert_eq!(names(&mut broker), [("orders".into(), 3)]);
    let described = broker.ask(12, metadata(&["orders"])).topics.remove(0);
    assert_eq!(described.topic_id, created.topic_id);
    let again = broker.ask(7, create("orders", 1)).topics.remove(0);
    assert_eq!(again.error_code.name(), "TOPIC_ALREADY_EXISTS");
}

#[test]
fn an_answer_waits_until_the_decision_is_on_the_disk() {
    let mut broker = ByHand::new();
    let asked = broker.send(7, create("orders", 1));
    assert!(broker.answers.is_empty());
    assert_eq!(broker.jobs.len(), 1);

    // Before the sync nobody else sees the topic, and nobody else gets its name.
    assert_eq!(names_now(&mut broker), 0);
    let second = broker.send(7, create("orders", 1));
    assert!(!broker.answers.contains_key(&second));
    broker.run_jobs();

    let first = broker.answer::<CreateTopicsRequest>(asked).unwrap();
    assert!(first.topics[0].error_code.is_ok());
    let second = broker.answer::<CreateTopicsRequest>(second).unwrap();
    assert_eq!(second.topics[0].error_code.name(), "TOPIC_ALREADY_EXISTS");
}

fn names_now(broker: &mut ByHand) -> usize {
    let asked = broker.send(12, MetadataRequest::default());
    broker.answer::<MetadataRequest>(asked).unwrap().topics.len()
}

#[test]
fn a_coordinator_that_cannot_sync_decides_nothing_more() {
    let mut broker = ByHand::new();
    let asked = broker.send(7, create("orders", 1));
    let (call, _) = broker.jobs.pop().unwrap();

    broker.done(true, call, Err(io::Error::other("worn out")));

    // It is tried again, as if the coordinator were away, and refused.
    broker.pass(200);
    let told = broker.answer::<CreateTopicsRequest>(asked).unwrap().topics.remove(0);
    assert_eq!(told.error_code.name(), "KAFKA_STORAGE_ERROR");
    let refused = broker.ask(7, create("others", 1)).topics.remove(0);
    assert_eq!(refused.error_code.name(), "KAFKA_STORAGE_ERROR");
    assert_eq!(names(&mut broker), []);
}

#[test]
fn a_metadata_log_on_a_full_disk_refuses_and_goes_on_later() {
    let mut broker = ByHand::new();
    broker.topic("before");
    broker.files.metadata.set_space(Some(0));
    let refused = broker.ask(7, create("orders", 1)).topics.remove(0);
    assert_eq!(refused.error_code.name(), "KAFKA_STORAGE_ERROR");

    broker.files.metadata.set_space(None);

    assert!(broker.ask(7, create("orders", 1)).topics.remove(0).error_code.is_ok());
}

#[test]
fn a_deleted_topic_is_set_aside_at_once_and_its_name_is_free() {
    let mut broker = ByHand::new();
    broker.ask(7, create("orders", 1));
    broker.append("orders", AT, &["old"]);
    let asked = broker.send(5, delete("orders"));
    let (call, job) = broker.jobs.pop().unwrap();
    let Job::Sync { to, .. } = job else { panic!("{job:?}") };
    broker.done(true, call, Ok(mini_broker::broker::Done::Synced { to }));
    assert!(broker.answer::<DeleteTopicsRequest>(asked).unwrap().responses[0].error_code.is_ok());
    assert!(matches!(&broker.jobs[..], [(_, Job::Remove { dir })] if dir == "orders-0.0-delete"));

    broker.ask(7, create("orders", 1));

    assert_eq!(broker.append("orders", AT, &["new"]), 0);
    assert_eq!(broker.events.iter().filter(|e| matches!(e, Event::TopicDeleted { .. })).count(), 1);
}

#[test]
fn what_a_kill_has_left_of_a_deleted_topic_is_removed_at_the_next_start() {
    let mut broker = ByHand::new();
    broker.ask(7, create("orders", 1));
    broker.append("orders", AT, &["old"]);
    // The decision is written; the kill comes before anything follows from it.
    broker.send(5, delete("orders"));

    let mut broker = ByHand::start(broker.files, &[]);

    assert!(matches!(&broker.jobs[..], [(_, Job::Remove { .. })]), "{:?}", broker.jobs);
    broker.run_jobs();
    broker.ask(7, create("orders", 1));
    assert_eq!(broker.append("orders", AT, &["new"]), 0);
}

#[test]
fn a_new_topic_never_serves_the_files_of_an_old_one_with_its_name() {
    let mut broker = ByHand::new();
    broker.ask(7, create("orders", 1));
    broker.append("orders", AT, &["old"]);
    broker.send(5, delete("orders"));
    broker.send(7, create("orders", 1));

    let mut broker = ByHand::start(broker.files, &[]);

    assert_eq!(broker.append("orders", AT, &["new"]), 0);
    let asked = broker.send(12, crate::batches::fetch("orders", 0, 0));
    assert_eq!(broker.fetched(asked).unwrap(), [(0, "new".into())]);
}

#[test]
fn a_directory_of_nobody_is_left_alone() {
    let broker = ByHand::new();
    broker.files.dir_of("photos").put("cat.jpg", vec![1, 2, 3]);

    let broker = ByHand::start(broker.files, &[]);

    assert_eq!(broker.events, [Event::Stray { dir: "photos".into() }]);
    assert!(broker.jobs.is_empty());
}

#[test]
fn producer_ids_are_never_given_twice_not_even_after_a_start() {
    let mut broker = ByHand::new();
    let id = |broker: &mut ByHand| broker.ask(4, InitProducerIdRequest::default()).producer_id;
    let (first, second) = (id(&mut broker), id(&mut broker));
    assert_ne!(first, second);

    let mut broker = ByHand::start(broker.files, &[]);

    let third = id(&mut broker);
    assert!(third != first && third != second, "{first} {second} {third}");
}

#[test]
fn a_transactional_id_is_refused_for_good() {
    let mut broker = ByHand::new();
    let request =
        InitProducerIdRequest { transactional_id: Some("t".into()), ..Default::default() };

    let refused = broker.ask(4, request);

    assert_eq!(refused.error_code.name(), "TRANSACTIONAL_ID_AUTHORIZATION_FAILED");
    assert!(!refused.error_code.is_retriable());
    assert_eq!(refused.producer_id, -1);
}
