//! Consumer groups, by hand: members, offsets, the log that both are kept in, and what is wrong with
//! requests. What a group decides is tested with its lab; here it is what the broker makes of it.

mod administrators;
mod expiry;
mod faults;
mod log;
mod members;
mod offsets;
mod replicas;
mod restarts;

use bytes::BytesMut;
use mini_broker::records;
use wire::ErrorCode;
use wire::committed_offsets::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopic,
};
use wire::group_admin::{DescribeGroupsRequest, DescribedGroup, ListGroupsRequest, ListedGroup};
use wire::groups::{
    FindCoordinatorRequest, HeartbeatRequest, JoinGroupRequest, JoinGroupRequestProtocol,
    JoinGroupResponse, LeaveGroupRequest, MemberIdentity, SyncGroupRequest,
    SyncGroupRequestAssignment, SyncGroupResponse,
};
use wire::offsets_topic::GroupRecord;

use crate::batches::fetch;
use crate::by_hand::{ByHand, MemFiles};

const OFFSETS: &str = "__consumer_offsets";

/// A broker with `orders`, and with the topic that groups are kept in.
fn broker(settings: &[(&str, &str)]) -> ByHand {
    let mut broker = started(MemFiles::default(), settings);
    broker.topic("orders");
    find(&mut broker, "billing");
    broker
}

/// Rounds end when all have joined, unless a test says otherwise.
fn started(files: MemFiles, settings: &[(&str, &str)]) -> ByHand {
    let mut all = vec![("group.initial.rebalance.delay.ms", "0"), ("num.partitions", "4")];
    all.extend(settings);
    ByHand::start(files, &all)
}

fn find(broker: &mut ByHand, group: &str) -> ErrorCode {
    let request =
        FindCoordinatorRequest { coordinator_keys: vec![group.into()], ..Default::default() };
    broker.ask(4, request).coordinators[0].error_code
}

pub fn join(group: &str, member: &str) -> JoinGroupRequest {
    JoinGroupRequest {
        group_id: group.into(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 60_000,
        member_id: member.into(),
        protocol_type: "consumer".into(),
        protocols: vec![JoinGroupRequestProtocol {
            name: "range".into(),
            metadata: subscription(&["orders"]),
        }],
        ..Default::default()
    }
}

fn subscription(topics: &[&str]) -> BytesMut {
    let topics = topics.iter().map(|topic| topic.to_string()).collect();
    wire::consumer_protocol::ConsumerProtocolSubscription { topics, ..Default::default() }
        .to_bytes(0)
}

/// Whoever has no id gets one first.
fn new_id(broker: &mut ByHand, group: &str) -> String {
    let told = broker.ask(7, join(group, ""));
    assert_eq!(told.error_code, ErrorCode::MEMBER_ID_REQUIRED);
    told.member_id
}

pub fn sync(group: &str, generation: i32, member: &str, plan: &[(&str, &str)]) -> SyncGroupRequest {
    let one = |(member, part): &(&str, &str)| SyncGroupRequestAssignment {
        member_id: member.to_string(),
        assignment: BytesMut::from(part.as_bytes()),
    };
    SyncGroupRequest {
        group_id: group.into(),
        generation_id: generation,
        member_id: member.into(),
        assignments: plan.iter().map(one).collect(),
        ..Default::default()
    }
}

/// Two members join. The first is alone at first; its answer comes first.
fn both_join(broker: &mut ByHand, group: &str) -> [JoinGroupResponse; 2] {
    let ids = [new_id(broker, group), new_id(broker, group)];
    assert_eq!(broker.ask(7, join(group, &ids[0])).error_code, ErrorCode::NONE);
    let second = broker.send(7, join(group, &ids[1]));
    assert_eq!(joined(broker, second), None, "the round waits for the first");
    let first = broker.send(7, join(group, &ids[0]));
    [first, second].map(|number| joined(broker, number).expect("all have joined"))
}

/// Two members, each with a part; gives their ids, the leader's first, and the generation.
fn two_members(broker: &mut ByHand, group: &str) -> (String, String, i32) {
    let [leader, other] = both_join(broker, group).map(|told| {
        assert_eq!(told.generation_id, 2);
        told.member_id
    });
    let waits = broker.send(5, sync(group, 2, &other, &[]));
    let plan = [(leader.as_str(), "a"), (other.as_str(), "b")];
    assert_eq!(part(broker, sync(group, 2, &leader, &plan)), "a");
    assert_eq!(synced(broker, waits).unwrap().assignment, "b");
    (leader, other, 2)
}

fn joined(broker: &mut ByHand, number: u32) -> Option<JoinGroupResponse> {
    broker.answer::<JoinGroupRequest>(number)
}

fn synced(broker: &mut ByHand, number: u32) -> Option<SyncGroupResponse> {
    broker.answer::<SyncGroupRequest>(number)
}

fn part(broker: &mut ByHand, request: SyncGroupRequest) -> BytesMut {
    let told = broker.ask(5, request);
    assert_eq!(told.error_code, ErrorCode::NONE);
    told.assignment
}

fn heartbeat(broker: &mut ByHand, group: &str, generation: i32, member: &str) -> &'static str {
    let request = HeartbeatRequest {
        group_id: group.into(),
        generation_id: generation,
        member_id: member.into(),
        ..Default::default()
    };
    broker.ask(4, request).error_code.name()
}

fn leave(broker: &mut ByHand, group: &str, member: &str) -> ErrorCode {
    let members = vec![MemberIdentity { member_id: member.into(), ..Default::default() }];
    let told =
        broker.ask(4, LeaveGroupRequest { group_id: group.into(), members, ..Default::default() });
    assert_eq!(told.error_code, ErrorCode::NONE);
    told.members[0].error_code
}

fn commit(group: &str, offsets: &[(&str, i32, i64)]) -> OffsetCommitRequest {
    let one = |(topic, index, offset): &(&str, i32, i64)| OffsetCommitRequestTopic {
        name: topic.to_string(),
        partitions: vec![OffsetCommitRequestPartition {
            partition_index: *index,
            committed_offset: *offset,
            ..Default::default()
        }],
    };
    OffsetCommitRequest {
        group_id: group.into(),
        topics: offsets.iter().map(one).collect(),
        ..Default::default()
    }
}

pub fn commit_as(
    group: &str,
    generation: i32,
    member: &str,
    offsets: &[(&str, i32, i64)],
) -> OffsetCommitRequest {
    OffsetCommitRequest {
        generation_id_or_member_epoch: generation,
        member_id: member.into(),
        ..commit(group, offsets)
    }
}

/// The errors, partition by partition.
fn committed(broker: &mut ByHand, request: OffsetCommitRequest) -> Vec<&'static str> {
    errors(broker.ask(8, request))
}

fn errors(told: wire::committed_offsets::OffsetCommitResponse) -> Vec<&'static str> {
    let partitions = told.topics.iter().flat_map(|topic| &topic.partitions);
    partitions.map(|partition| partition.error_code.name()).collect()
}

/// All that a group has committed.
fn offsets(broker: &mut ByHand, group: &str) -> Result<Vec<(String, i32, i64)>, ErrorCode> {
    let groups = vec![OffsetFetchRequestGroup { group_id: group.into(), topics: None }];
    let told = broker.ask(8, OffsetFetchRequest { groups, ..Default::default() }).groups.remove(0);
    if told.error_code.is_err() {
        return Err(told.error_code);
    }
    let all = told.topics.iter().flat_map(|topic| {
        let partitions = topic.partitions.iter();
        partitions.map(|it| (topic.name.clone(), it.partition_index, it.committed_offset))
    });
    Ok(all.collect())
}

fn offset(broker: &mut ByHand, group: &str, topic: &str, index: i32) -> i64 {
    let topics =
        vec![OffsetFetchRequestTopic { name: topic.into(), partition_indexes: vec![index] }];
    let groups = vec![OffsetFetchRequestGroup { group_id: group.into(), topics: Some(topics) }];
    let told = broker.ask(8, OffsetFetchRequest { groups, ..Default::default() }).groups.remove(0);
    let partition = &told.topics[0].partitions[0];
    assert_eq!((told.error_code, partition.error_code), (ErrorCode::NONE, ErrorCode::NONE));
    partition.committed_offset
}

fn describe(broker: &mut ByHand, group: &str) -> DescribedGroup {
    let groups = vec![group.into()];
    broker.ask(5, DescribeGroupsRequest { groups, ..Default::default() }).groups.remove(0)
}

fn list(broker: &mut ByHand) -> Vec<ListedGroup> {
    let told = broker.ask(5, ListGroupsRequest::default());
    assert_eq!(told.error_code, ErrorCode::NONE);
    told.groups
}

/// What stands in a partition of the log that groups are kept in.
fn records_in(broker: &mut ByHand, index: i32) -> Vec<GroupRecord> {
    let asked = broker.send(12, fetch(OFFSETS, index, 0));
    let mut all = Vec::new();
    for bytes in broker.fetched_bytes(asked).unwrap() {
        for batch in records::batches(&bytes) {
            for record in batch.unwrap().records().unwrap().iter() {
                let record = record.unwrap();
                let decoded = GroupRecord::decode(record.key.unwrap(), record.value).unwrap();
                all.push(decoded.expect("a kind of record that is known"));
            }
        }
    }
    all
}
