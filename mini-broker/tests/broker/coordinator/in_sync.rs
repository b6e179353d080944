//! In-sync sets, as leaders ask for them.

use uuid::Uuid;
use wire::ErrorCode;
use wire::alter_partition::{
    AlterPartitionPartition, AlterPartitionPartitionResponse, AlterPartitionRequest,
    AlterPartitionTopic, BrokerState,
};

use super::Driven;

/// What the leader of partition 0 asks, if all is well.
fn wanted(driven: &Driven, topic: Uuid, leader: i32, isr: &[i32]) -> AlterPartitionRequest {
    let cluster = driven.coordinator.cluster();
    let is = cluster.name_of(topic).and_then(|name| cluster.partition(name, 0));
    let states = isr.iter().map(|id| BrokerState {
        broker_id: *id,
        broker_epoch: cluster.brokers.get(id).map_or(-1, |broker| broker.epoch),
    });
    let partition = AlterPartitionPartition {
        partition_index: 0,
        leader_epoch: is.map_or(0, |is| is.epoch),
        partition_epoch: is.map_or(0, |is| is.partition_epoch),
        new_isr_with_epochs: states.collect(),
        ..Default::default()
    };
    AlterPartitionRequest {
        broker_id: leader,
        broker_epoch: driven.epoch(leader),
        topics: vec![AlterPartitionTopic { topic_id: topic, partitions: vec![partition] }],
    }
}

fn asked(driven: &mut Driven, request: AlterPartitionRequest) -> AlterPartitionPartitionResponse {
    let mut told = driven.ask(request.broker_id as u32, request);
    assert_eq!(told.error_code, ErrorCode::NONE);
    told.topics.remove(0).partitions.remove(0)
}

/// The leader asks for this in-sync set, and gets it.
pub fn joins(driven: &mut Driven, topic: Uuid, leader: i32, isr: &[i32]) {
    let request = wanted(driven, topic, leader, isr);
    let told = asked(driven, request);
    assert_eq!(told.error_code, ErrorCode::NONE);
    let mut sorted = (told.isr, isr.to_vec());
    sorted.0.sort_unstable();
    sorted.1.sort_unstable();
    assert_eq!(sorted.0, sorted.1);
}

fn with_orders() -> (Driven, Uuid) {
    let mut driven = Driven::of_three(&[]);
    let id = driven.topic("orders", &[&[1, 2]], &[]);
    (driven, id)
}

/// Asks for what `change` makes of a request that would be fine. Nothing may come of it.
fn refused(change: impl FnOnce(&mut AlterPartitionPartition)) -> ErrorCode {
    let (mut driven, id) = with_orders();
    let before = driven.seat("orders");
    let mut request = wanted(&driven, id, 1, &[1]);
    change(&mut request.topics[0].partitions[0]);
    let told = asked(&mut driven, request);
    assert_eq!(driven.seat("orders"), before);
    told.error_code
}

#[test]
fn a_leader_takes_out_and_takes_in_and_the_preferred_leader_stands_first() {
    let (mut driven, id) = with_orders();
    let request = wanted(&driven, id, 1, &[1]);
    let told = asked(&mut driven, request);
    assert_eq!((told.leader_id, told.leader_epoch, told.partition_epoch), (1, 0, 1));
    assert_eq!(told.isr, [1]);
    let request = wanted(&driven, id, 1, &[2, 1]);
    let told = asked(&mut driven, request);
    assert_eq!((told.isr, told.partition_epoch), (vec![1, 2], 2));
    assert_eq!(driven.seat("orders"), "leader 1 epoch 0 in sync [1, 2]", "no new leader epoch");
}

#[test]
fn what_is_so_already_changes_nothing() {
    let (mut driven, id) = with_orders();
    let request = wanted(&driven, id, 1, &[2, 1]);
    let told = asked(&mut driven, request);
    assert_eq!((told.error_code, told.partition_epoch), (ErrorCode::NONE, 0));
}

#[test]
fn an_old_leader_is_fenced() {
    let (mut driven, id) = with_orders();
    let late = wanted(&driven, id, 1, &[1]);
    driven.lost(1);
    driven.comes(1);
    let late = AlterPartitionRequest { broker_epoch: driven.epoch(1), ..late };
    assert_eq!(asked(&mut driven, late).error_code, ErrorCode::FENCED_LEADER_EPOCH);
    assert_eq!(driven.seat("orders"), "leader 2 epoch 1 in sync [2]");
}

#[test]
fn who_does_not_lead_asks_in_vain() {
    let (mut driven, id) = with_orders();
    let request = wanted(&driven, id, 2, &[2]);
    assert_eq!(asked(&mut driven, request).error_code, ErrorCode::INVALID_REQUEST);
    let request = wanted(&driven, id, 3, &[1, 3]);
    assert_eq!(asked(&mut driven, request).error_code, ErrorCode::INVALID_REQUEST);
    assert_eq!(driven.seat("orders"), "leader 1 epoch 0 in sync [1, 2]");
}

#[test]
fn what_was_asked_in_view_of_an_older_state_is_refused() {
    let (mut driven, id) = with_orders();
    let late = wanted(&driven, id, 1, &[1]);
    driven.lost(2);
    assert_eq!(asked(&mut driven, late).error_code, ErrorCode::INVALID_UPDATE_VERSION);
}

#[test]
fn a_state_that_is_not_known_here_means_another_coordinator() {
    assert_eq!(refused(|wanted| wanted.leader_epoch = 1), ErrorCode::NOT_CONTROLLER);
    assert_eq!(refused(|wanted| wanted.partition_epoch = 1), ErrorCode::NOT_CONTROLLER);
}

#[test]
fn a_set_that_is_none_is_refused() {
    let state = |broker_id| BrokerState { broker_id, broker_epoch: -1 };
    for set in [vec![], vec![2], vec![1, 3], vec![1, 1], vec![1, 2, 2], vec![1, -1]] {
        let states: Vec<_> = set.iter().copied().map(state).collect();
        let told = refused(|wanted| wanted.new_isr_with_epochs = states);
        assert_eq!(told, ErrorCode::INVALID_REQUEST, "{set:?}");
    }
}

#[test]
fn what_is_not_there_is_named_so() {
    assert_eq!(refused(|wanted| wanted.partition_index = 1), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    assert_eq!(
        refused(|wanted| wanted.partition_index = -1),
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
    );
    let (mut driven, _) = with_orders();
    let request = wanted(&driven, Uuid::from_u128(5), 1, &[1]);
    assert_eq!(asked(&mut driven, request).error_code, ErrorCode::UNKNOWN_TOPIC_ID);
}

#[test]
fn a_fenced_replica_does_not_join() {
    let (mut driven, id) = with_orders();
    driven.lost(2);
    let request = wanted(&driven, id, 1, &[1, 2]);
    assert_eq!(asked(&mut driven, request).error_code, ErrorCode::INELIGIBLE_REPLICA);
    assert_eq!(driven.seat("orders"), "leader 1 epoch 0 in sync [1]");
}

#[test]
fn a_replica_that_has_started_again_since_does_not_join() {
    let (mut driven, id) = with_orders();
    driven.lost(2);
    let old = driven.epoch(2);
    driven.comes(2);
    let mut request = wanted(&driven, id, 1, &[1, 2]);
    request.topics[0].partitions[0].new_isr_with_epochs[1].broker_epoch = old;
    let told = asked(&mut driven, request.clone());
    assert_eq!(told.error_code, ErrorCode::INELIGIBLE_REPLICA);
    assert_eq!(driven.seat("orders"), "leader 1 epoch 0 in sync [1]");
    // Who does not say is not asked.
    request.topics[0].partitions[0].new_isr_with_epochs[1].broker_epoch = -1;
    assert_eq!(asked(&mut driven, request).error_code, ErrorCode::NONE);
}

#[test]
fn a_leader_of_an_older_registration_is_refused_as_a_whole() {
    let (mut driven, id) = with_orders();
    let mut request = wanted(&driven, id, 1, &[1]);
    request.broker_epoch += 100;
    let told = driven.ask(1, request);
    assert_eq!(told.error_code, ErrorCode::STALE_BROKER_EPOCH);
    assert!(told.topics.is_empty());
}

#[test]
fn one_bad_partition_does_not_keep_the_others_from_it() {
    let mut driven = Driven::of_three(&[]);
    let id = driven.topic("orders", &[&[1, 2], &[1, 2]], &[]);
    let mut request = wanted(&driven, id, 1, &[1]);
    let mut second = request.topics[0].partitions[0].clone();
    second.partition_index = 1;
    request.topics[0].partitions[0].leader_epoch = 9;
    request.topics[0].partitions.push(second);
    let told = driven.ask(1, request).topics.remove(0).partitions;
    assert_eq!(told[0].error_code, ErrorCode::NOT_CONTROLLER);
    assert_eq!(told[1].error_code, ErrorCode::NONE);
    assert_eq!(driven.seat_of("orders", 1), "leader 1 epoch 0 in sync [1]");
}
