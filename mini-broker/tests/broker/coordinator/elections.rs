//! Who leads when brokers come and go.

use mini_broker::broker::Event;
use wire::ErrorCode;
use wire::broker_lifecycle::BrokerHeartbeatRequest;

use super::{Driven, registration};

const UNCLEAN: &str = "unclean.leader.election.enable";

/// Three brokers, and the topic `orders` with one partition on all of them.
fn with_orders(configs: &[(&str, &str)]) -> Driven {
    let mut driven = Driven::of_three(&[]);
    driven.topic("orders", &[&[2, 1, 3]], configs);
    assert_eq!(driven.seat("orders"), "leader 2 epoch 0 in sync [2, 1, 3]");
    driven
}

#[test]
fn the_first_replica_in_sync_that_lives_leads_in_the_replicas_order() {
    let mut driven = with_orders(&[]);
    driven.lost(2);
    assert_eq!(driven.seat("orders"), "leader 1 epoch 1 in sync [1, 3]");
    driven.lost(1);
    assert_eq!(driven.seat("orders"), "leader 3 epoch 2 in sync [3]");
}

#[test]
fn a_follower_that_dies_leaves_the_in_sync_set_and_the_leader_leads_on() {
    let mut driven = with_orders(&[]);
    driven.lost(3);
    assert_eq!(driven.seat("orders"), "leader 2 epoch 0 in sync [2, 1]");
    let is = driven.coordinator.cluster().partition("orders", 0).unwrap();
    assert_eq!(is.partition_epoch, 1, "every change is counted");
}

#[test]
fn a_partition_on_other_brokers_is_left_alone() {
    let mut driven = with_orders(&[]);
    driven.topic("elsewhere", &[&[1, 3]], &[]);
    driven.lost(2);
    let is = driven.coordinator.cluster().partition("elsewhere", 0).unwrap();
    assert_eq!((is.leader, is.epoch, is.partition_epoch), (1, 0, 0));
}

#[test]
fn the_last_in_sync_stays_nobody_leads_and_it_alone_leads_again() {
    let mut driven = with_orders(&[]);
    for broker in [1, 3, 2] {
        driven.lost(broker as u32);
    }
    assert_eq!(driven.seat("orders"), "leader -1 epoch 1 in sync [2]");
    driven.comes(1);
    driven.comes(3);
    assert_eq!(driven.seat("orders"), "leader -1 epoch 1 in sync [2]", "they lack records");
    driven.comes(2);
    assert_eq!(driven.seat("orders"), "leader 2 epoch 2 in sync [2]");
}

#[test]
fn a_broker_that_registers_does_not_lead_before_it_has_caught_up() {
    let mut driven = with_orders(&[]);
    for broker in [1, 3, 2] {
        driven.lost(broker as u32);
    }
    driven.ask(2, registration(2, 77));
    assert_eq!(driven.seat("orders"), "leader -1 epoch 1 in sync [2]");
    assert!(!driven.beat(2).is_fenced);
    assert_eq!(driven.seat("orders"), "leader 2 epoch 2 in sync [2]");
}

#[test]
fn a_broker_that_stops_in_good_order_hands_over_first() {
    let mut driven = with_orders(&[]);
    let request = BrokerHeartbeatRequest {
        broker_id: 2,
        broker_epoch: driven.epoch(2),
        current_metadata_offset: i64::MAX,
        want_shut_down: true,
        ..Default::default()
    };
    let told = driven.ask(2, request);
    assert!(told.should_shut_down);
    assert_eq!(driven.seat("orders"), "leader 1 epoch 1 in sync [1, 3]");
    driven.events.clear();
    driven.lost(2);
    assert_eq!(driven.events, [], "that it is gone is no news");
}

#[test]
fn a_replica_that_was_not_in_sync_leads_only_where_the_setting_says_so() {
    let mut driven = with_orders(&[(UNCLEAN, "true")]);
    driven.topic("safe", &[&[2, 1, 3]], &[]);
    driven.lost(1);
    driven.lost(3);
    driven.comes(3);
    assert_eq!(driven.seat("orders"), "leader 2 epoch 0 in sync [2]");
    driven.lost(2);
    // What 3 does not have is lost, and nobody else may bring it back.
    assert_eq!(driven.seat("orders"), "leader 3 epoch 1 in sync [3]");
    assert_eq!(driven.seat("safe"), "leader -1 epoch 1 in sync [2]");
}

#[test]
fn in_sync_goes_before_unclean() {
    let mut driven = with_orders(&[(UNCLEAN, "true")]);
    driven.lost(1);
    driven.comes(1); // the second of the replicas, and not in sync
    driven.lost(2);
    assert_eq!(driven.seat("orders"), "leader 3 epoch 1 in sync [3]");
}

#[test]
fn whoever_comes_first_leads_uncleanly_if_nobody_was_there_at_the_time() {
    let mut driven = with_orders(&[(UNCLEAN, "true")]);
    for broker in [1, 3, 2] {
        driven.lost(broker as u32);
    }
    assert_eq!(driven.seat("orders"), "leader -1 epoch 1 in sync [2]");
    driven.comes(3);
    assert_eq!(driven.seat("orders"), "leader 3 epoch 2 in sync [3]");
}

#[test]
fn the_setting_also_counts_when_it_comes_while_nobody_leads() {
    for resource in ["orders", ""] {
        let mut driven = with_orders(&[]);
        for broker in [1, 3, 2] {
            driven.lost(broker as u32);
        }
        driven.comes(3);
        assert_eq!(driven.seat("orders"), "leader -1 epoch 1 in sync [2]");
        assert_eq!(driven.set(resource, UNCLEAN, "false"), ErrorCode::NONE);
        assert_eq!(driven.seat("orders"), "leader -1 epoch 1 in sync [2]");
        assert_eq!(driven.set(resource, UNCLEAN, "true"), ErrorCode::NONE);
        assert_eq!(driven.seat("orders"), "leader 3 epoch 2 in sync [3]", "{resource:?}");
    }
}

#[test]
fn preferred_leaders_return_when_they_are_in_sync_and_the_time_has_come() {
    let every = ("leader.imbalance.check.interval.seconds", "10");
    let mut driven = Driven::of_three(&[every]);
    let id = driven.topic("orders", &[&[1, 2]], &[]);
    driven.pass_with(&[1, 2, 3], 10_000); // what is left of the beginning
    driven.lost(1);
    driven.comes(1);
    assert_eq!(driven.seat("orders"), "leader 2 epoch 1 in sync [2]");
    driven.pass_with(&[1, 2, 3], 10_000);
    assert_eq!(driven.seat("orders"), "leader 2 epoch 1 in sync [2]", "it is not in sync yet");
    super::in_sync::joins(&mut driven, id, 2, &[2, 1]);
    driven.events.clear();
    driven.pass_with(&[1, 2, 3], 9_999);
    assert_eq!(driven.seat("orders"), "leader 2 epoch 1 in sync [1, 2]");
    driven.pass_with(&[1, 2, 3], 1);
    assert_eq!(driven.seat("orders"), "leader 1 epoch 2 in sync [1, 2]");
    assert_eq!(driven.events, [Event::LeadersReturned { partitions: 1 }]);
}

#[test]
fn preferred_leaders_do_not_return_where_that_is_turned_off() {
    let every = ("leader.imbalance.check.interval.seconds", "10");
    let mut driven = Driven::of_three(&[every, ("auto.leader.rebalance.enable", "false")]);
    let id = driven.topic("orders", &[&[1, 2]], &[]);
    driven.lost(1);
    driven.comes(1);
    super::in_sync::joins(&mut driven, id, 2, &[2, 1]);
    driven.pass_with(&[1, 2, 3], 60_000);
    assert_eq!(driven.seat("orders"), "leader 2 epoch 1 in sync [1, 2]");
}

#[test]
fn a_topic_is_made_with_those_who_live() {
    let mut driven = Driven::of_three(&[]);
    driven.lost(1);
    driven.topic("orders", &[&[1, 2, 3]], &[]);
    assert_eq!(driven.seat("orders"), "leader 2 epoch 0 in sync [2, 3]");
}
