//! What a coordinator knows after its own death, and what a machine that lost its memory may not claim.

use wire::ErrorCode;
use wire::broker_lifecycle::BrokerRegistrationRequest;

use super::in_sync::joins;
use super::{Driven, SESSION_MS, registration};

#[test]
fn nothing_that_was_decided_is_lost() {
    let mut driven = Driven::of_three(&[]);
    driven.topic("orders", &[&[1, 2, 3]], &[("unclean.leader.election.enable", "true")]);
    driven.lost(1);
    let (seat, epochs) = (driven.seat("orders"), [1, 2, 3].map(|id| driven.epoch(id)));

    let mut driven = driven.restart();

    assert_eq!(driven.seat("orders"), seat);
    assert_eq!([1, 2, 3].map(|id| driven.epoch(id)), epochs);
    assert!(driven.is_fenced(1) && !driven.is_fenced(2));
    // The brokers go on under their registrations, and ask nothing anew.
    assert_eq!(driven.beat(2).error_code, ErrorCode::NONE);
    assert!(!driven.beat(1).is_fenced);
}

#[test]
fn brokers_have_a_sessions_time_to_be_heard_of_again_counted_from_the_start() {
    let mut driven = Driven::of_three(&[]);
    driven.topic("orders", &[&[1, 2, 3]], &[]);
    driven.pass_with(&[1, 2, 3], 100_000);

    let mut driven = driven.restart();

    driven.pass(0);
    driven.pass_with(&[2, 3], SESSION_MS - 1);
    assert!(!driven.is_fenced(1));
    driven.pass_with(&[2, 3], 1);
    assert!(driven.is_fenced(1));
    assert_eq!(driven.seat("orders"), "leader 2 epoch 1 in sync [2, 3]");
}

#[test]
fn a_broker_that_died_together_with_the_coordinator_comes_again_at_once() {
    let mut driven = Driven::of_three(&[]);
    driven.topic("orders", &[&[1, 2, 3]], &[]);
    let mut driven = driven.restart();
    let registered = driven.ask(1, registration(1, 99));
    assert_eq!(registered.error_code, ErrorCode::NONE);
    assert_eq!(driven.seat("orders"), "leader 2 epoch 1 in sync [2, 3]");
}

#[test]
fn leaders_return_also_if_the_coordinator_was_away_when_they_came() {
    let mut driven = Driven::of_three(&[("leader.imbalance.check.interval.seconds", "10")]);
    let id = driven.topic("orders", &[&[1, 2]], &[]);
    driven.lost(1);
    driven.comes(1);
    joins(&mut driven, id, 2, &[1, 2]);
    let mut driven = driven.restart();
    driven.pass_with(&[1, 2, 3], 10_000);
    assert_eq!(driven.seat("orders"), "leader 1 epoch 2 in sync [1, 2]");
}

#[test]
fn whoever_comes_again_leaves_every_in_sync_set_where_another_remains() {
    // After a power loss it may lack what it had acknowledged; after a kill it does not know what
    // was written meanwhile.
    for previous_broker_epoch in [-1, 0] {
        let mut driven = Driven::of_three(&[]);
        driven.topic("orders", &[&[1, 2], &[2, 1]], &[]);
        driven.topic("alone", &[&[1]], &[]);
        let mut driven = driven.restart(); // nobody was missed
        let again = BrokerRegistrationRequest { previous_broker_epoch, ..registration(1, 99) };
        assert_eq!(driven.ask(1, again).error_code, ErrorCode::NONE);
        assert_eq!(driven.seat_of("orders", 0), "leader 2 epoch 1 in sync [2]");
        assert_eq!(driven.seat_of("orders", 1), "leader 2 epoch 0 in sync [2]");
        assert_eq!(driven.seat("alone"), "leader -1 epoch 1 in sync [1]");
        driven.beat(1);
        assert_eq!(driven.seat_of("orders", 0), "leader 2 epoch 1 in sync [2]");
        assert_eq!(driven.seat("alone"), "leader 1 epoch 2 in sync [1]");
    }
}

#[test]
fn producer_ids_go_on() {
    let mut driven = Driven::new();
    driven.comes(1);
    let block = |driven: &mut Driven| {
        let broker_epoch = driven.epoch(1);
        let request = wire::producer_id::AllocateProducerIdsRequest { broker_id: 1, broker_epoch };
        driven.ask(1, request).producer_id_start
    };
    let first = block(&mut driven);
    let mut driven = driven.restart();
    assert_eq!(block(&mut driven), first + 1000);
}
