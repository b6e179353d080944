//! Records of groups count once every replica in sync has them. Here the other replica is whoever the test
//! makes it.

use wire::broker_lifecycle::{BrokerHeartbeatRequest, BrokerRegistrationRequest};
use wire::fetch::{FetchPartition, FetchRequest, FetchTopic};

use super::*;
use crate::by_hand::others::one_partition_on;
use crate::coordinator::registration;

const OTHER: i32 = 2;

/// A broker that leads all groups, and another that keeps what it writes; the epoch of the other's registration.
fn with_another() -> (ByHand, i64) {
    let mut broker = started(MemFiles::default(), &[]);
    broker.topic("orders");
    let cluster_id = broker.coordinator.cluster_id().to_string();
    let request = BrokerRegistrationRequest { cluster_id, ..registration(OTHER, 7) };
    let broker_epoch = broker.decide(request).broker_epoch;
    let request = one_partition_on(OFFSETS, &[1, OTHER]);
    assert_eq!(broker.ask(7, request).topics[0].error_code, ErrorCode::NONE);
    // It takes part only now: whoever makes a topic waits until all who do have read of it.
    let heartbeat = BrokerHeartbeatRequest {
        broker_id: OTHER,
        broker_epoch,
        current_metadata_offset: i64::MAX,
        ..Default::default()
    };
    assert!(!broker.decide(heartbeat).is_fenced);
    has(&mut broker, broker_epoch, 0);
    broker.run_jobs();
    assert_eq!(broker.broker.cluster().partition(OFFSETS, 0).unwrap().isr, [1, OTHER]);
    (broker, broker_epoch)
}

/// The other broker has everything below an offset.
fn has(broker: &mut ByHand, registration: i64, offset: i64) {
    let epoch = broker.broker.cluster().partition(OFFSETS, 0).unwrap().epoch;
    let partition = FetchPartition {
        partition: 0,
        current_leader_epoch: epoch,
        fetch_offset: offset,
        last_fetched_epoch: -1,
        partition_max_bytes: 1 << 20,
        ..Default::default()
    };
    let topic =
        FetchTopic { topic: OFFSETS.into(), partitions: vec![partition], ..Default::default() };
    let request = FetchRequest {
        replica_id: OTHER,
        replica_epoch: registration,
        max_bytes: 1 << 20,
        topics: vec![topic],
        ..Default::default()
    };
    broker.send(12, request);
}

fn commit_later(broker: &mut ByHand, offset: i64) -> u32 {
    broker.send(8, commit("import", &[("orders", 0, offset)]))
}

fn told(broker: &mut ByHand, number: u32) -> Option<Vec<&'static str>> {
    broker.answer::<OffsetCommitRequest>(number).map(errors)
}

#[test]
fn a_commit_is_answered_and_told_once_the_other_has_it() {
    let (mut broker, other) = with_another();
    let number = commit_later(&mut broker, 5);
    assert_eq!(told(&mut broker, number), None);
    assert_eq!(offset(&mut broker, "import", "orders", 0), -1);
    has(&mut broker, other, 0);
    assert_eq!(told(&mut broker, number), None);

    has(&mut broker, other, 1);

    assert_eq!(told(&mut broker, number), Some(vec!["NONE"]));
    assert_eq!(offset(&mut broker, "import", "orders", 0), 5);
}

#[test]
fn a_commit_that_takes_too_long_may_count_all_the_same() {
    let (mut broker, other) = with_another();
    let number = commit_later(&mut broker, 5);
    broker.pass(4_999);
    assert_eq!(told(&mut broker, number), None);
    broker.pass(1);
    assert_eq!(told(&mut broker, number), Some(vec!["COORDINATOR_NOT_AVAILABLE"]));

    has(&mut broker, other, 1);
    assert_eq!(offset(&mut broker, "import", "orders", 0), 5);
}

#[test]
fn a_plan_is_handed_out_once_the_other_has_it() {
    let (mut broker, other) = with_another();
    let id = new_id(&mut broker, "billing");
    assert_eq!(broker.ask(7, join("billing", &id)).error_code, ErrorCode::NONE);
    let waits = broker.send(5, sync("billing", 1, &id, &[(&id, "a")]));
    assert_eq!(synced(&mut broker, waits), None);

    has(&mut broker, other, 1);

    assert_eq!(synced(&mut broker, waits).unwrap().assignment, "a");
}

#[test]
fn a_plan_that_nobody_else_gets_fails_the_round_in_time() {
    let (mut broker, other) = with_another();
    let id = new_id(&mut broker, "billing");
    assert_eq!(broker.ask(7, join("billing", &id)).error_code, ErrorCode::NONE);
    let waits = broker.send(5, sync("billing", 1, &id, &[(&id, "a")]));
    broker.pass(5_000);
    let error = synced(&mut broker, waits).unwrap().error_code;
    assert_eq!(error, ErrorCode::COORDINATOR_NOT_AVAILABLE);
    has(&mut broker, other, 1); // it has come too late
    let again = broker.ask(7, join("billing", &id));
    assert_eq!(again.generation_id, 2);
    assert_eq!(describe(&mut broker, "billing").group_state, "CompletingRebalance");
}
