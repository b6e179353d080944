//! What is wrong with requests, with disks and with organs.

use super::*;

#[test]
fn a_group_needs_a_name() {
    let mut broker = broker(&[]);
    let invalid = ErrorCode::INVALID_GROUP_ID;
    assert_eq!(broker.ask(7, join("", "")).error_code, invalid);
    assert_eq!(broker.ask(5, sync("", 1, "m", &[])).error_code, invalid);
    assert_eq!(heartbeat(&mut broker, "", 1, "m"), "INVALID_GROUP_ID");
    // Offsets of a group without a name were there before groups were.
    assert_eq!(committed(&mut broker, commit("", &[("orders", 0, 3)])), ["NONE"]);
    assert_eq!(offset(&mut broker, "", "orders", 0), 3);
}

#[test]
fn a_name_may_be_as_long_as_the_protocol_lets_it_be() {
    let mut broker = broker(&[]);
    let name = "g".repeat(32_767);
    let (leader, _, generation) = two_members(&mut broker, &name);
    let all = [("orders", 0, 3)];
    assert_eq!(committed(&mut broker, commit_as(&name, generation, &leader, &all)), ["NONE"]);
    let mut again = started(broker.files.copy(), &[]);
    assert_eq!(offset(&mut again, &name, "orders", 0), 3);
    assert_eq!(heartbeat(&mut again, &name, generation, &leader), "NONE");
}

#[test]
fn joins_that_cannot_be_are_refused_and_leave_nothing_behind() {
    let mut broker = broker(&[]);
    type Change = fn(&mut JoinGroupRequest);
    let wrong: [(&str, Change); 6] = [
        ("INVALID_SESSION_TIMEOUT", |join| join.session_timeout_ms = 5_999),
        ("INVALID_SESSION_TIMEOUT", |join| join.session_timeout_ms = -1),
        ("INVALID_SESSION_TIMEOUT", |join| join.session_timeout_ms = 1_800_001),
        ("INCONSISTENT_GROUP_PROTOCOL", |join| join.protocols.clear()),
        ("INCONSISTENT_GROUP_PROTOCOL", |join| join.protocol_type.clear()),
        ("UNKNOWN_MEMBER_ID", |join| join.member_id = "nobody".into()),
    ];
    for (error, change) in wrong {
        let mut request = join("billing", "");
        change(&mut request);
        assert_eq!(broker.ask(7, request).error_code.name(), error);
    }
    assert!(list(&mut broker).is_empty());
    assert_eq!(broker.deadline(), None);
}

#[test]
fn whoever_shares_no_assignor_with_the_group_stays_outside() {
    let mut broker = broker(&[]);
    two_members(&mut broker, "billing");
    let mut request = join("billing", "");
    request.protocols[0].name = "sticky".into();
    let told = broker.ask(7, request);
    assert_eq!(told.error_code, ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    let mut request = join("billing", "");
    request.protocol_type = "connect".into();
    let told = broker.ask(7, request);
    assert_eq!(told.error_code, ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    assert_eq!(describe(&mut broker, "billing").group_state, "Stable");
}

#[test]
fn a_sync_that_names_another_assignor_is_refused() {
    let mut broker = broker(&[]);
    let (leader, _, generation) = two_members(&mut broker, "billing");
    let mut told = |member: &str, protocol: &str| {
        let mut request = sync("billing", generation, member, &[]);
        request.protocol_name = Some(protocol.into());
        broker.ask(5, request).error_code.name()
    };
    assert_eq!(told(&leader, "sticky"), "INCONSISTENT_GROUP_PROTOCOL");
    assert_eq!(told("nobody", "sticky"), "UNKNOWN_MEMBER_ID");
    assert_eq!(told(&leader, "range"), "NONE");
}

#[test]
fn metadata_that_is_no_subscription_is_the_groups_own_business() {
    let mut broker = broker(&[]);
    let id = new_id(&mut broker, "billing");
    let mut request = join("billing", &id);
    request.protocols[0].metadata = BytesMut::from(&b"\x00\x01\x7f\xff\xff\xff lies"[..]);
    assert_eq!(broker.ask(7, request).error_code, ErrorCode::NONE);
    part(&mut broker, sync("billing", 1, &id, &[(&id, "a"), ("a stranger", "b")]));
    let all = [("orders", 0, 3)];
    assert_eq!(committed(&mut broker, commit_as("billing", 1, &id, &all)), ["NONE"]);
    assert_eq!(describe(&mut broker, "billing").group_state, "Stable");
}

#[test]
fn a_plan_that_is_too_large_to_be_saved_fails_the_round() {
    let mut broker = broker(&[]);
    let id = new_id(&mut broker, "billing");
    assert_eq!(broker.ask(7, join("billing", &id)).error_code, ErrorCode::NONE);
    let large = "x".repeat(2 << 20);
    let told = broker.ask(5, sync("billing", 1, &id, &[(&id, &large)]));
    assert_eq!(told.error_code, ErrorCode::COORDINATOR_NOT_AVAILABLE);
    assert_eq!(broker.ask(7, join("billing", &id)).generation_id, 2);
}

#[test]
fn a_disk_that_is_full_fails_commits_and_is_no_harm_later() {
    let mut broker = broker(&[]);
    assert_eq!(committed(&mut broker, commit("billing", &[("orders", 0, 1)])), ["NONE"]);
    let dir = broker.files.dir_of("__consumer_offsets-9");
    dir.set_space(Some(10));
    assert_eq!(committed(&mut broker, commit("billing", &[("orders", 0, 2)])), ["NOT_COORDINATOR"]);
    assert_eq!(offset(&mut broker, "billing", "orders", 0), 1);
    dir.set_space(None);
    assert_eq!(committed(&mut broker, commit("billing", &[("orders", 0, 3)])), ["NONE"]);
    assert_eq!(offset(&mut broker, "billing", "orders", 0), 3);
}
