//! Members join, get their part, show that they live, die and leave.

use mini_broker::broker::Input;
use wire::ErrorCode;
use wire::groups::{JoinGroupRequest, LeaveGroupRequest};

use super::*;

#[test]
fn two_members_get_their_parts_and_live() {
    let mut broker = broker(&[]);
    let (leader, other, generation) = two_members(&mut broker, "billing");

    assert_eq!(heartbeat(&mut broker, "billing", generation, &leader), "NONE");
    assert_eq!(heartbeat(&mut broker, "billing", generation, &other), "NONE");
    let told = describe(&mut broker, "billing");
    assert_eq!((told.group_state.as_str(), told.protocol_data.as_str()), ("Stable", "range"));
    let parts = told.members.iter().map(|it| (it.member_id.as_str(), &it.member_assignment[..]));
    let mut parts: Vec<_> = parts.collect();
    let mut expected = [(leader.as_str(), &b"a"[..]), (other.as_str(), &b"b"[..])];
    parts.sort_unstable();
    expected.sort_unstable();
    assert_eq!(parts, expected);
}

#[test]
fn the_leader_is_told_of_all_and_nobody_else_is() {
    let mut broker = broker(&[]);
    let [leader, other] = both_join(&mut broker, "billing");
    assert_eq!((&leader.leader, &other.leader), (&leader.member_id, &leader.member_id));
    assert_eq!(leader.members.len(), 2);
    assert!(other.members.is_empty());
    assert_eq!(leader.protocol_name.as_deref(), Some("range"));
    assert_eq!(leader.members[0].metadata, subscription(&["orders"]));
}

#[test]
fn a_group_waits_for_more_members_before_its_first_round_ends() {
    let mut broker = broker(&[("group.initial.rebalance.delay.ms", "3000")]);
    let id = new_id(&mut broker, "billing");
    let waiting = broker.send(7, join("billing", &id));

    broker.pass(2_999);
    assert_eq!(joined(&mut broker, waiting), None);
    broker.pass(1);

    assert_eq!(joined(&mut broker, waiting).unwrap().generation_id, 1);
}

#[test]
fn a_member_that_is_silent_is_dead_and_the_other_joins_again() {
    let mut broker = broker(&[]);
    let (leader, other, generation) = two_members(&mut broker, "billing");
    broker.pass(6_000);
    assert_eq!(heartbeat(&mut broker, "billing", generation, &leader), "NONE");

    broker.pass(4_000);

    let told = heartbeat(&mut broker, "billing", generation, &leader);
    assert_eq!(told, "REBALANCE_IN_PROGRESS");
    assert_eq!(heartbeat(&mut broker, "billing", generation, &other), "UNKNOWN_MEMBER_ID");
    let alone = broker.ask(7, join("billing", &leader));
    assert_eq!((alone.generation_id, alone.members.len()), (generation + 1, 1));
}

#[test]
fn heartbeats_keep_a_member_alive_without_setting_timers_anew() {
    let mut broker = broker(&[]);
    let (leader, other, generation) = two_members(&mut broker, "billing");
    let before = broker.deadline();
    for _ in 0..20 {
        broker.pass(3_000);
        for member in [&leader, &other] {
            assert_eq!(heartbeat(&mut broker, "billing", generation, member), "NONE");
        }
    }
    assert!(before < broker.deadline());
}

#[test]
fn the_last_one_to_leave_leaves_an_empty_group() {
    let mut broker = broker(&[]);
    let (leader, other, generation) = two_members(&mut broker, "billing");
    assert_eq!(leave(&mut broker, "billing", &other), ErrorCode::NONE);
    assert_eq!(leave(&mut broker, "billing", &leader), ErrorCode::NONE);

    let told = describe(&mut broker, "billing");
    assert_eq!((told.group_state.as_str(), told.members.len()), ("Empty", 0));
    assert_eq!(leave(&mut broker, "billing", &leader), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(heartbeat(&mut broker, "billing", generation, &leader), "UNKNOWN_MEMBER_ID");
}

#[test]
fn old_clients_leave_alone_and_need_no_id_first() {
    let mut broker = broker(&[]);
    let told = broker.ask(3, join("billing", ""));
    assert_eq!((told.error_code, told.generation_id), (ErrorCode::NONE, 1));
    let member_id = told.member_id;
    let request = LeaveGroupRequest { group_id: "billing".into(), member_id, ..Default::default() };
    assert_eq!(broker.ask(1, request.clone()).error_code, ErrorCode::NONE);
    assert_eq!(broker.ask(1, request).error_code, ErrorCode::UNKNOWN_MEMBER_ID);
}

#[test]
fn of_two_with_one_instance_id_the_older_is_fenced() {
    let mut broker = broker(&[]);
    let instance = |member: &str| JoinGroupRequest {
        group_instance_id: Some("till-1".into()),
        ..join("billing", member)
    };
    let first = broker.ask(7, instance(""));
    assert_eq!(first.error_code, ErrorCode::NONE, "no id is needed first");
    let plan = [(first.member_id.as_str(), "a")];
    part(&mut broker, sync("billing", 1, &first.member_id, &plan));

    let second = broker.ask(7, instance(""));

    assert_eq!((second.error_code, second.generation_id), (ErrorCode::NONE, 1), "no new round");
    assert_ne!(first.member_id, second.member_id);
    let again = broker.ask(7, instance(&first.member_id));
    assert_eq!(again.error_code, ErrorCode::FENCED_INSTANCE_ID);
    assert_eq!(part(&mut broker, sync("billing", 1, &second.member_id, &[])), "a");
    assert_eq!(second.leader, first.member_id, "it is not to make another plan");
}

#[test]
fn who_vanishes_while_it_joins_leaves_nothing_behind() {
    let mut broker = broker(&[]);
    for _ in 0..100 {
        let id = new_id(&mut broker, "billing");
        broker.send(7, join("billing", &id));
        broker.send(3, join("other", ""));
        broker.answers.clear();
        broker.input(Input::Gone { connection: 1 });
    }
    assert!(broker.answers.is_empty(), "nobody is there to be answered");
    broker.pass(60_000);
    broker.pass(60_000);
    let left: Vec<_> = list(&mut broker).into_iter().map(|it| it.group_state).collect();
    assert!(left.iter().all(|state| state == "Empty"), "{left:?}");
    broker.pass(600_000);
    assert!(list(&mut broker).is_empty());
}

#[test]
fn a_leader_that_never_syncs_is_removed_in_time() {
    let mut broker = broker(&[]);
    let [_, other] = both_join(&mut broker, "billing");
    let waits = broker.send(5, sync("billing", 2, &other.member_id, &[]));

    for _ in 0..12 {
        broker.pass(5_000);
        heartbeat(&mut broker, "billing", 2, &other.leader);
    }

    let told = synced(&mut broker, waits).unwrap().error_code;
    assert_eq!(told, ErrorCode::REBALANCE_IN_PROGRESS);
    let alone = broker.ask(7, join("billing", &other.member_id));
    assert_eq!((&alone.leader, alone.members.len()), (&other.member_id, 1));
}
