//! A group whose coordinator dies.

use wire::committed_offsets::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopic,
};
use wire::groups::{FindCoordinatorRequest, HeartbeatRequest};

use super::*;
use crate::groups::{commit_as, join, sync};

const GROUP: &str = "billing";

fn coordinator_of(client: &mut Connection) -> i32 {
    let request =
        FindCoordinatorRequest { coordinator_keys: vec![GROUP.into()], ..Default::default() };
    client.ask(4, request).coordinators[0].node_id
}

/// What is committed of the first partition, as soon as the coordinator has read its log.
fn committed(client: &mut Connection) -> i64 {
    let start = Instant::now();
    loop {
        let orders = OffsetFetchRequestTopic { name: "orders".into(), partition_indexes: vec![0] };
        let group = OffsetFetchRequestGroup { group_id: GROUP.into(), topics: Some(vec![orders]) };
        let request = OffsetFetchRequest { groups: vec![group], ..Default::default() };
        let told = client.ask(8, request).groups.remove(0);
        if told.error_code.is_ok() {
            return told.topics[0].partitions[0].committed_offset;
        }
        assert!(start.elapsed() < PATIENCE, "{}", told.error_code);
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn another_broker_goes_on_where_the_coordinator_was_killed() {
    let place = Place::new();
    let _coordinator = place.coordinator();
    let mut brokers = [1, 2, 3].map(|id| Some(place.broker(id)));
    let mut clients = brokers.each_ref().map(|broker| broker.as_ref().unwrap().connect());
    assert_eq!(create(&mut clients[0], "orders", &[1, 2, 3]), ErrorCode::NONE);
    let first = coordinator_of(&mut clients[0]);
    let at = first as usize - 1;
    let member = clients[at].ask(7, join(GROUP, "")).member_id;
    let joined = clients[at].ask(7, join(GROUP, &member));
    let generation = joined.generation_id;
    let plan = [(member.as_str(), "all")];
    let synced = clients[at].ask(5, sync(GROUP, generation, &member, &plan));
    assert_eq!((joined.error_code, synced.error_code), (ErrorCode::NONE, ErrorCode::NONE));
    let told = clients[at].ask(8, commit_as(GROUP, generation, &member, &[("orders", 0, 5)]));
    assert_eq!(told.topics[0].partitions[0].error_code, ErrorCode::NONE);

    brokers[at] = None;

    let other = &mut clients[(at + 1) % 3];
    let start = Instant::now();
    let second = loop {
        match coordinator_of(other) {
            id if id >= 0 && id != first => break id,
            id => assert!(start.elapsed() < PATIENCE, "{id} coordinates"),
        }
        thread::sleep(Duration::from_millis(20));
    };
    let client = &mut clients[second as usize - 1];
    assert_eq!(committed(client), 5);
    let request = HeartbeatRequest {
        group_id: GROUP.into(),
        generation_id: generation,
        member_id: member.clone(),
        ..Default::default()
    };
    assert_eq!(client.ask(4, request).error_code, ErrorCode::NONE);
    let told = client.ask(8, commit_as(GROUP, generation, &member, &[("orders", 0, 6)]));
    assert_eq!(told.topics[0].partitions[0].error_code, ErrorCode::NONE);
    assert_eq!(committed(client), 6);
}
