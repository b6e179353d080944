//! Bytes of groups' requests written down, field by field: what changes from version to version.

mod common;

use common::{header, request, response};
use wire::committed_offsets::*;
use wire::group_admin::*;
use wire::groups::*;
use wire::{ErrorCode, encode_request, encode_response};

/// The member id comes with error 79, and the null of version 7 is an empty text before.
#[test]
fn join_group_0_5_and_7() {
    let join = |rebalance_timeout_ms, group_instance_id| JoinGroupRequest {
        group_id: "g".into(),
        session_timeout_ms: 45_000,
        rebalance_timeout_ms,
        group_instance_id,
        protocol_type: "consumer".into(),
        protocols: vec![JoinGroupRequestProtocol {
            name: "range".into(),
            metadata: b"abc"[..].into(),
        }],
        ..Default::default()
    };
    request(
        header(11, 0, "c"),
        join(-1, None),
        "00000030  000b 0000 00000007 0001 63
         0001 67 0000afc8 0000 0008 636f6e73756d6572 00000001 0005 72616e6765 00000003 616263",
    );
    request(
        header(11, 5, "c"),
        join(300_000, Some("i".into())),
        "00000037  000b 0005 00000007 0001 63
         0001 67 0000afc8 000493e0 0000 0001 69 0008 636f6e73756d6572
         00000001 0005 72616e6765 00000003 616263",
    );
    request(
        header(11, 7, "c"),
        join(300_000, None),
        "0000002e  000b 0007 00000007 0001 63 00
         02 67 0000afc8 000493e0 01 00 09 636f6e73756d6572 02 06 72616e6765 04 616263 00 00",
    );

    let refused = JoinGroupResponse {
        error_code: ErrorCode::MEMBER_ID_REQUIRED,
        member_id: "m".into(),
        ..Default::default()
    };
    response(
        header(11, 7, "c"),
        refused.clone(),
        "00000016  00000007 00  00000000 004f ffffffff 00 00 01 02 6d 01 00",
    );
    let old = "00000019  00000007  00000000 004f ffffffff 0000 0000 0001 6d 00000000";
    let encoded = encode_response(&header(11, 5, "c"), &refused.into());
    assert_eq!(encoded.bytes, common::hex(old));
}

#[test]
fn join_group_answers_the_leader() {
    let answer = |group_instance_id| JoinGroupResponse {
        generation_id: 3,
        protocol_name: Some("range".into()),
        leader: "m".into(),
        member_id: "m".into(),
        members: vec![JoinGroupResponseMember {
            member_id: "m".into(),
            group_instance_id,
            metadata: b"abc"[..].into(),
        }],
        ..Default::default()
    };
    response(
        header(11, 1, "c"),
        answer(None),
        "00000025  00000007  0000 00000003 0005 72616e6765 0001 6d 0001 6d
         00000001 0001 6d 00000003 616263",
    );
    response(
        header(11, 5, "c"),
        answer(Some("i".into())),
        "0000002c  00000007  00000000 0000 00000003 0005 72616e6765 0001 6d 0001 6d
         00000001 0001 6d 0001 69 00000003 616263",
    );
}

#[test]
fn sync_group_0_and_5() {
    let sync = |protocol: Option<&str>| SyncGroupRequest {
        group_id: "g".into(),
        generation_id: 3,
        member_id: "m".into(),
        protocol_type: protocol.map(|_| "consumer".into()),
        protocol_name: protocol.map(Into::into),
        assignments: vec![SyncGroupRequestAssignment {
            member_id: "m".into(),
            assignment: b"abc"[..].into(),
        }],
        ..Default::default()
    };
    request(
        header(14, 0, "c"),
        sync(None),
        "00000023  000e 0000 00000007 0001 63
         0001 67 00000003 0001 6d 00000001 0001 6d 00000003 616263",
    );
    request(
        header(14, 5, "c"),
        sync(Some("range")),
        "0000002d  000e 0005 00000007 0001 63 00
         02 67 00000003 02 6d 00 09 636f6e73756d6572 06 72616e6765
         02 02 6d 04 616263 00 00",
    );
    let answer = SyncGroupResponse { assignment: b"abc"[..].into(), ..Default::default() };
    response(header(14, 0, "c"), answer.clone(), "0000000d  00000007  0000 00000003 616263");
    response(header(14, 4, "c"), answer, "00000010  00000007 00  00000000 0000 04 616263 00");
}

#[test]
fn heartbeat_0_and_4() {
    let beat = HeartbeatRequest {
        group_id: "g".into(),
        generation_id: 3,
        member_id: "m".into(),
        group_instance_id: None,
    };
    request(
        header(12, 0, "c"),
        beat.clone(),
        "00000015  000c 0000 00000007 0001 63  0001 67 00000003 0001 6d",
    );
    request(
        header(12, 4, "c"),
        beat,
        "00000016  000c 0004 00000007 0001 63 00  02 67 00000003 02 6d 00 00",
    );
    let join_again =
        HeartbeatResponse { error_code: ErrorCode::REBALANCE_IN_PROGRESS, ..Default::default() };
    response(header(12, 0, "c"), join_again.clone(), "00000006  00000007  001b");
    response(header(12, 4, "c"), join_again, "0000000c  00000007 00  00000000 001b 00");
}

/// One member, and then a list.
#[test]
fn leave_group_2_and_4() {
    request(
        header(13, 2, "c"),
        LeaveGroupRequest { group_id: "g".into(), member_id: "m".into(), ..Default::default() },
        "00000011  000d 0002 00000007 0001 63  0001 67 0001 6d",
    );
    request(
        header(13, 4, "c"),
        LeaveGroupRequest {
            group_id: "g".into(),
            members: vec![MemberIdentity {
                member_id: String::new(),
                group_instance_id: Some("i".into()),
            }],
            ..Default::default()
        },
        "00000014  000d 0004 00000007 0001 63 00  02 67 02 01 02 69 00 00",
    );
    let left = LeaveGroupResponse {
        members: vec![MemberResponse {
            error_code: ErrorCode::UNKNOWN_MEMBER_ID,
            group_instance_id: Some("i".into()),
            ..Default::default()
        }],
        ..Default::default()
    };
    response(
        header(13, 4, "c"),
        left,
        "00000013  00000007 00  00000000 0000 02 01 02 69 0019 00 00",
    );
}

#[test]
fn offset_commit_2_and_8() {
    let commit = |retention_time_ms, committed_leader_epoch| OffsetCommitRequest {
        group_id: "g".into(),
        generation_id_or_member_epoch: 3,
        member_id: "m".into(),
        retention_time_ms,
        topics: vec![OffsetCommitRequestTopic {
            name: "logs".into(),
            partitions: vec![OffsetCommitRequestPartition {
                partition_index: 2,
                committed_offset: 41,
                committed_leader_epoch,
                committed_metadata: None,
            }],
        }],
        ..Default::default()
    };
    request(
        header(8, 2, "c"),
        commit(60_000, -1),
        "00000039  0008 0002 00000007 0001 63
         0001 67 00000003 0001 6d 000000000000ea60 00000001 0004 6c6f6773 00000001
         00000002 0000000000000029 ffff",
    );
    request(
        header(8, 8, "c"),
        commit(-1, 5),
        "00000030  0008 0008 00000007 0001 63 00
         02 67 00000003 02 6d 00 02 05 6c6f6773 02
         00000002 0000000000000029 00000005 00 00 00 00",
    );
    let answer = OffsetCommitResponse {
        topics: vec![OffsetCommitResponseTopic {
            name: "logs".into(),
            partitions: vec![OffsetCommitResponsePartition {
                partition_index: 2,
                error_code: ErrorCode::ILLEGAL_GENERATION,
            }],
        }],
        ..Default::default()
    };
    response(
        header(8, 2, "c"),
        answer.clone(),
        "00000018  00000007  00000001 0004 6c6f6773 00000001 00000002 0016",
    );
    response(
        header(8, 8, "c"),
        answer,
        "00000019  00000007 00  00000000 02 05 6c6f6773 02 00000002 0016 00 00 00",
    );
}

/// All that a group has committed: asked for by an empty list, by null, and for each group.
#[test]
fn offset_fetch_1_2_and_8() {
    let all = OffsetFetchRequest { group_id: "g".into(), topics: None, ..Default::default() };
    let old = common::hex("00000012  0009 0001 00000007 0001 63  0001 67 00000000");
    assert_eq!(encode_request(&header(9, 1, "c"), &all.clone().into()), old);
    request(header(9, 2, "c"), all, "00000012  0009 0002 00000007 0001 63  0001 67 ffffffff");
    let logs = OffsetFetchRequestTopic { name: "logs".into(), partition_indexes: vec![2] };
    let group =
        |group_id: &str, topics| OffsetFetchRequestGroup { group_id: group_id.into(), topics };
    request(
        header(9, 8, "c"),
        OffsetFetchRequest {
            groups: vec![group("g", None), group("h", Some(vec![logs]))],
            require_stable: true,
            ..Default::default()
        },
        "00000022  0009 0008 00000007 0001 63 00
         03 02 67 00 00  02 68 02 05 6c6f6773 02 00000002 00 00  01 00",
    );
}

/// Nothing committed is −1 and no error.
#[test]
fn offset_fetch_answers_1_7_and_8() {
    let topics = |metadata: Option<&str>| {
        vec![OffsetFetchResponseTopic {
            name: "logs".into(),
            partitions: vec![OffsetFetchResponsePartition {
                partition_index: 2,
                committed_offset: -1,
                metadata: metadata.map(Into::into),
                ..Default::default()
            }],
        }]
    };
    response(
        header(9, 1, "c"),
        OffsetFetchResponse { topics: topics(Some("")), ..Default::default() },
        "00000022  00000007
         00000001 0004 6c6f6773 00000001 00000002 ffffffffffffffff 0000 0000",
    );
    response(
        header(9, 7, "c"),
        OffsetFetchResponse { topics: topics(Some("")), ..Default::default() },
        "00000028  00000007 00
         00000000 02 05 6c6f6773 02 00000002 ffffffffffffffff ffffffff 01 0000 00 00 0000 00",
    );
    let group = OffsetFetchResponseGroup {
        group_id: "g".into(),
        topics: topics(None),
        error_code: ErrorCode::NONE,
    };
    response(
        header(9, 8, "c"),
        OffsetFetchResponse { groups: vec![group], ..Default::default() },
        "0000002c  00000007 00
         00000000 02 02 67 02 05 6c6f6773 02 00000002 ffffffffffffffff ffffffff 00 0000 00 00
         0000 00 00",
    );
}

#[test]
fn describe_groups_0_and_5() {
    let asked = DescribeGroupsRequest { groups: vec!["g".into()], ..Default::default() };
    request(
        header(15, 0, "c"),
        asked.clone(),
        "00000012  000f 0000 00000007 0001 63  00000001 0001 67",
    );
    request(header(15, 5, "c"), asked, "00000011  000f 0005 00000007 0001 63 00  02 02 67 00 00");
    let described = DescribeGroupsResponse {
        groups: vec![DescribedGroup {
            group_id: "g".into(),
            group_state: "Stable".into(),
            protocol_type: "consumer".into(),
            protocol_data: "range".into(),
            members: vec![DescribedGroupMember {
                member_id: "m".into(),
                client_id: "c".into(),
                client_host: "/::1".into(),
                member_metadata: b"abc"[..].into(),
                member_assignment: b"de"[..].into(),
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    response(
        header(15, 0, "c"),
        described.clone(),
        "00000043  00000007  00000001 0000 0001 67 0006 537461626c65 0008 636f6e73756d6572
         0005 72616e6765 00000001 0001 6d 0001 63 0004 2f3a3a31 00000003 616263 00000002 6465",
    );
    response(
        header(15, 5, "c"),
        described,
        "0000003d  00000007 00  00000000 02 0000 02 67 07 537461626c65 09 636f6e73756d6572
         06 72616e6765 02 02 6d 00 02 63 05 2f3a3a31 04 616263 03 6465 00 80000000 00 00",
    );
}

#[test]
fn list_groups_0_and_5() {
    request(
        header(16, 0, "c"),
        ListGroupsRequest::default(),
        "0000000b  0010 0000 00000007 0001 63",
    );
    request(
        header(16, 5, "c"),
        ListGroupsRequest { states_filter: vec!["Empty".into()], types_filter: vec![] },
        "00000015  0010 0005 00000007 0001 63 00  02 06 456d707479 01 00",
    );
    let listed = |group_state: &str, group_type: &str| ListGroupsResponse {
        groups: vec![ListedGroup {
            group_id: "g".into(),
            protocol_type: "consumer".into(),
            group_state: group_state.into(),
            group_type: group_type.into(),
        }],
        ..Default::default()
    };
    response(
        header(16, 0, "c"),
        listed("", ""),
        "00000017  00000007  0000 00000001 0001 67 0008 636f6e73756d6572",
    );
    response(
        header(16, 5, "c"),
        listed("Empty", "classic"),
        "00000027  00000007 00
         00000000 0000 02 02 67 09 636f6e73756d6572 06 456d707479 08 636c6173736963 00 00",
    );
}

#[test]
fn delete_groups_and_their_offsets() {
    let asked = DeleteGroupsRequest { groups_names: vec!["g".into()] };
    request(header(42, 2, "c"), asked, "00000010  002a 0002 00000007 0001 63 00  02 02 67 00");
    let result =
        DeletableGroupResult { group_id: "g".into(), error_code: ErrorCode::NON_EMPTY_GROUP };
    response(
        header(42, 2, "c"),
        DeleteGroupsResponse { results: vec![result], ..Default::default() },
        "00000010  00000007 00  00000000 02 02 67 0044 00 00",
    );

    let partitions = vec![OffsetDeleteRequestPartition { partition_index: 2 }];
    request(
        header(47, 0, "c"),
        OffsetDeleteRequest {
            group_id: "g".into(),
            topics: vec![OffsetDeleteRequestTopic { name: "logs".into(), partitions }],
        },
        "00000020  002f 0000 00000007 0001 63
         0001 67 00000001 0004 6c6f6773 00000001 00000002",
    );
    let partitions = vec![OffsetDeleteResponsePartition {
        partition_index: 2,
        error_code: ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC,
    }];
    response(
        header(47, 0, "c"),
        OffsetDeleteResponse {
            topics: vec![OffsetDeleteResponseTopic { name: "logs".into(), partitions }],
            ..Default::default()
        },
        // The error comes before the throttle time, unlike in the others.
        "0000001e  00000007  0000 00000000
         00000001 0004 6c6f6773 00000001 00000002 0056",
    );
}
