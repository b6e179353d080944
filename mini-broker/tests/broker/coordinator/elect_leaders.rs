//! Elections that an admin asks for.

use wire::ErrorCode;
use wire::elect_leaders::{ElectLeadersRequest, TopicPartitions, election_type};

use super::Driven;
use super::in_sync::joins;

/// What became of each partition: topic, number, and the code's name.
type Results = Vec<(String, i32, &'static str)>;

fn elect(driven: &mut Driven, election_type: i8, named: Option<&[(&str, i32)]>) -> Results {
    let named = named.map(|named| {
        let one = |(topic, index): &(&str, i32)| TopicPartitions {
            topic: topic.to_string(),
            partitions: vec![*index],
        };
        named.iter().map(one).collect()
    });
    let request = ElectLeadersRequest { election_type, topic_partitions: named, timeout_ms: 1_000 };
    let told = driven.ask(99, request);
    assert_eq!(told.error_code, ErrorCode::NONE);
    let topics = told.replica_election_results.into_iter();
    let all = topics.flat_map(|topic| {
        let results = topic.partition_result.into_iter();
        results.map(move |one| {
            assert_eq!(one.error_message.is_some(), one.error_code.is_err());
            (topic.topic.clone(), one.partition_id, one.error_code.name())
        })
    });
    all.collect()
}

const PREFERRED: i8 = election_type::PREFERRED;
const UNCLEAN: i8 = election_type::UNCLEAN;

/// Partition 0 is led by 2 in place of 1, which is in sync; 1 by 2 in place of 1, which is not; 2 by
/// whom it is to be led; of 3 the last in sync is gone.
fn displaced() -> Driven {
    let mut driven = Driven::of_three(&[]);
    let id = driven.topic("orders", &[&[1, 2], &[1, 2], &[2, 1], &[3, 1]], &[]);
    driven.lost(1);
    driven.lost(3);
    driven.comes(1);
    joins(&mut driven, id, 2, &[1, 2]);
    assert_eq!(driven.seat_of("orders", 0), "leader 2 epoch 1 in sync [1, 2]");
    assert_eq!(driven.seat_of("orders", 1), "leader 2 epoch 1 in sync [2]");
    assert_eq!(driven.seat_of("orders", 2), "leader 2 epoch 0 in sync [2]");
    assert_eq!(driven.seat_of("orders", 3), "leader -1 epoch 1 in sync [3]");
    driven
}

fn told(topic: &str, index: i32, code: &'static str) -> (String, i32, &'static str) {
    (topic.into(), index, code)
}

#[test]
fn preferred_leaders_lead_where_they_are_in_sync() {
    let mut driven = displaced();
    let named = [("orders", 0), ("orders", 1), ("orders", 2), ("orders", 3)];
    let named = [&named[..], &[("orders", 4), ("nothing", 0)]].concat();
    let expected = [
        told("orders", 0, "NONE"),
        told("orders", 1, "PREFERRED_LEADER_NOT_AVAILABLE"),
        told("orders", 2, "ELECTION_NOT_NEEDED"),
        told("orders", 3, "PREFERRED_LEADER_NOT_AVAILABLE"),
        told("orders", 4, "UNKNOWN_TOPIC_OR_PARTITION"),
        told("nothing", 0, "UNKNOWN_TOPIC_OR_PARTITION"),
    ];
    assert_eq!(elect(&mut driven, PREFERRED, Some(&named)), expected);
    assert_eq!(driven.seat_of("orders", 0), "leader 1 epoch 2 in sync [1, 2]");
    assert_eq!(driven.seat_of("orders", 1), "leader 2 epoch 1 in sync [2]");
}

#[test]
fn of_all_partitions_those_are_told_of_for_which_something_was_to_do() {
    let mut driven = displaced();
    let expected = [
        told("orders", 0, "NONE"),
        told("orders", 1, "PREFERRED_LEADER_NOT_AVAILABLE"),
        told("orders", 3, "PREFERRED_LEADER_NOT_AVAILABLE"),
    ];
    assert_eq!(elect(&mut driven, PREFERRED, None), expected);
    assert_eq!(elect(&mut driven, UNCLEAN, None), [told("orders", 3, "NONE")]);
}

#[test]
fn an_unclean_election_takes_any_that_lives_where_nobody_leads() {
    let mut driven = displaced();
    let named = [("orders", 3), ("orders", 0), ("orders", 9)];
    let expected = [
        told("orders", 3, "NONE"),
        told("orders", 0, "ELECTION_NOT_NEEDED"),
        told("orders", 9, "UNKNOWN_TOPIC_OR_PARTITION"),
    ];
    assert_eq!(elect(&mut driven, UNCLEAN, Some(&named)), expected);
    // Without the setting: the admin knows what it costs.
    assert_eq!(driven.seat_of("orders", 3), "leader 1 epoch 2 in sync [1]");
}

#[test]
fn an_unclean_election_needs_somebody_to_elect() {
    let mut driven = displaced();
    driven.lost(1);
    let results = elect(&mut driven, UNCLEAN, Some(&[("orders", 3)]));
    assert_eq!(results, [told("orders", 3, "ELIGIBLE_LEADERS_NOT_AVAILABLE")]);
    assert_eq!(driven.seat_of("orders", 3), "leader -1 epoch 1 in sync [3]");
}

#[test]
fn an_election_that_cannot_be_written_down_was_none() {
    let mut driven = displaced();
    driven.files.metadata.set_space(Some(0));
    let results = elect(&mut driven, PREFERRED, Some(&[("orders", 0)]));
    assert_eq!(results, [told("orders", 0, "KAFKA_STORAGE_ERROR")]);
    assert_eq!(driven.seat_of("orders", 0), "leader 2 epoch 1 in sync [1, 2]");
}

#[test]
fn a_kind_of_election_that_there_is_not_is_refused_for_each_and_all() {
    let mut driven = displaced();
    let named = TopicPartitions { topic: "orders".into(), partitions: vec![0, 1] };
    let request = ElectLeadersRequest {
        election_type: 2,
        topic_partitions: Some(vec![named]),
        timeout_ms: 1_000,
    };
    let told = driven.ask(99, request);
    assert_eq!(told.error_code, ErrorCode::INVALID_REQUEST);
    let results = &told.replica_election_results[0].partition_result;
    assert_eq!(results.len(), 2);
    assert!(results.iter().all(|one| one.error_code == ErrorCode::INVALID_REQUEST));
    assert_eq!(results[0].error_message.as_deref(), Some("Unknown election type 2"));
    assert_eq!(driven.seat_of("orders", 0), "leader 2 epoch 1 in sync [1, 2]");
}
