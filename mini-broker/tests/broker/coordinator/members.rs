//! Who is there, and who is gone.

use mini_broker::broker::{Event, Node};
use wire::ErrorCode;
use wire::broker_lifecycle::{BrokerHeartbeatRequest, BrokerRegistrationRequest};
use wire::cluster::DescribeClusterRequest;
use wire::producer_id::AllocateProducerIdsRequest;

use super::{Driven, SESSION_MS, registration};

/// A heartbeat of broker 1 on connection 1.
fn heartbeat(driven: &Driven) -> BrokerHeartbeatRequest {
    BrokerHeartbeatRequest {
        broker_id: 1,
        broker_epoch: driven.epoch(1),
        current_metadata_offset: i64::MAX,
        ..Default::default()
    }
}

#[test]
fn a_broker_registers_and_is_fenced_until_it_has_caught_up() {
    let mut driven = Driven::new();

    let registered = driven.ask(1, registration(1, 7));

    assert_eq!(registered.error_code, ErrorCode::NONE);
    assert_eq!(registered.broker_epoch, 0, "the offset of its own record");
    assert!(driven.is_fenced(1));
    // It has not read its own registration yet.
    let behind = BrokerHeartbeatRequest { current_metadata_offset: -1, ..heartbeat(&driven) };
    let told = driven.ask(1, behind);
    assert!(told.is_fenced && !told.is_caught_up);
    let there = BrokerHeartbeatRequest { current_metadata_offset: 0, ..heartbeat(&driven) };
    let told = driven.ask(1, there);
    assert!(!told.is_fenced && told.is_caught_up && !told.should_shut_down);
    let unfenced = Event::BrokerUnfenced { id: 1 };
    assert_eq!(driven.events, [Event::BrokerRegistered { id: 1, epoch: 0 }, unfenced]);
}

#[test]
fn who_asks_again_gets_the_same_answer_and_nothing_changes() {
    let mut driven = Driven::new();
    let epoch = driven.ask(1, registration(1, 7)).broker_epoch;
    driven.beat(1);

    let again = driven.ask(1, registration(1, 7));

    assert_eq!((again.error_code, again.broker_epoch), (ErrorCode::NONE, epoch));
    assert!(!driven.is_fenced(1));
}

#[test]
fn another_broker_with_the_id_of_a_living_one_is_refused() {
    let mut driven = Driven::new();
    let epoch = driven.comes(1);
    let refused = driven.ask(2, registration(1, 8));
    assert_eq!(refused.error_code, ErrorCode::DUPLICATE_BROKER_REGISTRATION);
    assert_eq!(refused.broker_epoch, -1);
    assert_eq!(driven.beat(1).error_code, ErrorCode::NONE);
    assert_eq!(driven.epoch(1), epoch);
    // Its death does not take the living one along.
    driven.lost(2);
    assert!(!driven.is_fenced(1));
}

#[test]
fn also_when_the_living_one_has_not_sent_a_heartbeat_yet() {
    let mut driven = Driven::new();
    driven.ask(1, registration(1, 7));
    let refused = driven.ask(2, registration(1, 8));
    assert_eq!(refused.error_code, ErrorCode::DUPLICATE_BROKER_REGISTRATION);
    driven.lost(1);
    assert_eq!(driven.ask(2, registration(1, 8)).error_code, ErrorCode::NONE);
}

#[test]
fn after_a_death_the_next_with_this_id_is_welcome_and_the_old_one_is_stale() {
    let mut driven = Driven::new();
    let old = driven.comes(1);
    driven.lost(1);

    let new = driven.ask(5, registration(1, 8)).broker_epoch;

    assert!(new > old);
    assert!(driven.is_fenced(1), "until it has caught up");
    let stale = BrokerHeartbeatRequest { broker_epoch: old, ..heartbeat(&driven) };
    assert_eq!(driven.ask(1, stale).error_code, ErrorCode::STALE_BROKER_EPOCH);
    let request = AllocateProducerIdsRequest { broker_id: 1, broker_epoch: old };
    assert_eq!(driven.ask(1, request).error_code, ErrorCode::STALE_BROKER_EPOCH);
}

#[test]
fn a_registration_that_cannot_be_meant_is_refused() {
    let mut driven = Driven::new();
    let other = BrokerRegistrationRequest { cluster_id: "other".into(), ..registration(1, 7) };
    assert_eq!(driven.ask(1, other).error_code, ErrorCode::INCONSISTENT_CLUSTER_ID);
    assert_eq!(driven.ask(1, registration(-1, 7)).error_code, ErrorCode::INVALID_REQUEST);
    let nowhere = BrokerRegistrationRequest { listeners: vec![], ..registration(1, 7) };
    assert_eq!(driven.ask(1, nowhere).error_code, ErrorCode::INVALID_REQUEST);
    assert!(driven.coordinator.cluster().brokers.is_empty());
}

#[test]
fn a_heartbeat_of_a_broker_that_never_registered_is_refused() {
    let mut driven = Driven::new();
    let request = BrokerHeartbeatRequest { broker_id: 4, broker_epoch: 0, ..Default::default() };
    assert_eq!(driven.ask(1, request).error_code, ErrorCode::BROKER_ID_NOT_REGISTERED);
}

#[test]
fn a_closed_connection_is_a_death_at_once() {
    let mut driven = Driven::new();
    driven.comes(1);
    driven.events.clear();
    driven.lost(1);
    assert!(driven.is_fenced(1));
    assert_eq!(driven.events, [Event::BrokerFenced { id: 1, why: "its connection was closed" }]);
}

#[test]
fn the_closing_of_a_connection_that_was_left_for_another_is_none() {
    let mut driven = Driven::new();
    driven.comes(1);
    let request = heartbeat(&driven);
    driven.ask(11, request); // it goes on over another connection
    driven.lost(1);
    assert!(!driven.is_fenced(1));
    driven.lost(11);
    assert!(driven.is_fenced(1));
}

#[test]
fn silence_is_a_death_after_the_sessions_time_and_not_before() {
    let mut driven = Driven::new();
    driven.comes(1);
    driven.pass(5_000);
    driven.beat(1);
    assert_eq!(driven.coordinator.deadline(), Some(5_000 + SESSION_MS));
    driven.pass(SESSION_MS - 1);
    assert!(!driven.is_fenced(1));
    driven.pass(1);
    assert!(driven.is_fenced(1));
    // It was only slow: the same registration counts again.
    assert!(!driven.beat(1).is_fenced);
}

#[test]
fn a_broker_that_wants_out_is_fenced_and_may_stop() {
    for (want_fence, want_shut_down) in [(true, false), (false, true), (true, true)] {
        let mut driven = Driven::new();
        driven.comes(1);
        let wanted = BrokerHeartbeatRequest { want_fence, want_shut_down, ..heartbeat(&driven) };
        for time in ["the first", "again"] {
            let told = driven.ask(1, wanted.clone());
            assert!(told.is_fenced, "{time}");
            assert_eq!(told.should_shut_down, want_shut_down, "{time}");
        }
        assert!(!driven.beat(1).is_fenced, "it has thought better of it");
    }
}

#[test]
fn a_death_that_cannot_be_written_down_is_tried_again() {
    let mut driven = Driven::of_three(&[]);
    driven.topic("orders", &[&[1, 2]], &[]);
    driven.files.metadata.set_space(Some(0));

    driven.lost(1);
    assert_eq!(driven.seat("orders"), "leader 1 epoch 0 in sync [1, 2]", "nothing by halves");
    driven.pass_with(&[2, 3], 999);
    assert!(!driven.is_fenced(1));
    driven.files.metadata.set_space(None);
    driven.pass_with(&[2, 3], 1);

    assert!(driven.is_fenced(1));
    assert_eq!(driven.seat("orders"), "leader 2 epoch 1 in sync [2]");
}

#[test]
fn a_full_disk_lets_nobody_in_and_throws_nobody_out() {
    let mut driven = Driven::new();
    driven.comes(1);
    driven.files.metadata.set_space(Some(0));
    let refused = driven.ask(2, registration(2, 7)).error_code;
    assert_eq!(refused, ErrorCode::KAFKA_STORAGE_ERROR);
    assert_eq!(driven.beat(1).error_code, ErrorCode::NONE);
    let wanted = BrokerHeartbeatRequest { want_shut_down: true, ..heartbeat(&driven) };
    let told = driven.ask(1, wanted);
    assert_eq!(told.error_code, ErrorCode::KAFKA_STORAGE_ERROR);
    assert!(!told.is_fenced && !told.should_shut_down);
}

#[test]
fn the_coordinator_describes_itself_to_brokers_only() {
    let mut driven = Driven::new();
    let controllers = DescribeClusterRequest { endpoint_type: 2, ..Default::default() };
    let told = driven.ask(1, controllers);
    assert_eq!((told.controller_id, told.brokers.len()), (3000, 1));
    assert_eq!(told.cluster_id, driven.cluster_id());
    let told = driven.ask(1, DescribeClusterRequest::default());
    assert_eq!(told.error_code, ErrorCode::MISMATCHED_ENDPOINT_TYPE);
}
