//! Offsets are committed, told, and forgotten.

use wire::committed_offsets::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use wire::topics::DeleteTopicsRequest;

use super::*;

#[test]
fn what_was_never_committed_is_no_error() {
    let mut broker = broker(&[]);
    assert_eq!(offset(&mut broker, "billing", "orders", 0), -1);
    assert_eq!(offset(&mut broker, "billing", "no such topic", 7), -1);
    assert_eq!(offsets(&mut broker, "billing"), Ok(vec![]));
    for version in 1..8 {
        let topics =
            vec![OffsetFetchRequestTopic { name: "orders".into(), partition_indexes: vec![0] }];
        let request = OffsetFetchRequest {
            group_id: "billing".into(),
            topics: Some(topics),
            ..Default::default()
        };
        let told = broker.ask(version, request);
        let partition = &told.topics[0].partitions[0];
        assert_eq!((partition.committed_offset, partition.error_code.0), (-1, 0), "{version}");
    }
    assert!(list(&mut broker).is_empty(), "who only asks leaves nothing behind");
}

#[test]
fn a_member_of_this_generation_commits_and_others_do_not() {
    let mut broker = broker(&[]);
    let (leader, _, generation) = two_members(&mut broker, "billing");
    let all = [("orders", 0, 5), ("orders", 3, 7)];
    let mut told = |generation, member: &str| {
        committed(&mut broker, commit_as("billing", generation, member, &all))
    };
    assert_eq!(told(generation, &leader), ["NONE"; 2]);
    assert_eq!(told(generation - 1, &leader), ["ILLEGAL_GENERATION"; 2]);
    assert_eq!(told(generation, "nobody"), ["UNKNOWN_MEMBER_ID"; 2]);
    assert_eq!(told(-1, ""), ["UNKNOWN_MEMBER_ID"; 2], "the group has members");
    let there = offsets(&mut broker, "billing").unwrap();
    assert_eq!(there, [("orders".into(), 0, 5), ("orders".into(), 3, 7)]);
}

#[test]
fn without_a_group_anybody_commits() {
    let mut broker = broker(&[]);
    assert_eq!(committed(&mut broker, commit("import", &[("orders", 1, 9)])), ["NONE"]);
    assert_eq!(offset(&mut broker, "import", "orders", 1), 9);
    let told = committed(&mut broker, commit_as("nobody's", 3, "m", &[("orders", 1, 9)]));
    assert_eq!(told, ["ILLEGAL_GENERATION"]);
    let groups = list(&mut broker);
    assert_eq!(groups.len(), 1);
    assert_eq!((groups[0].protocol_type.as_str(), groups[0].group_state.as_str()), ("", "Empty"));
}

#[test]
fn a_part_that_cannot_be_committed_fails_alone() {
    let mut broker = broker(&[("offset.metadata.max.bytes", "4")]);
    let mut request =
        commit("import", &[("orders", 0, 1), ("orders", 4, 1), ("none", 0, 1), ("orders", 1, 1)]);
    request.topics[3].partitions[0].committed_metadata = Some("fünf!".into());
    let told = committed(&mut broker, request);
    assert_eq!(
        told,
        [
            "NONE",
            "UNKNOWN_TOPIC_OR_PARTITION",
            "UNKNOWN_TOPIC_OR_PARTITION",
            "OFFSET_METADATA_TOO_LARGE"
        ]
    );
    assert_eq!(offsets(&mut broker, "import").unwrap(), [("orders".into(), 0, 1)]);
}

#[test]
fn commits_keep_a_member_alive() {
    let mut broker = broker(&[]);
    let (leader, _, generation) = two_members(&mut broker, "billing");
    broker.pass(9_000);
    committed(&mut broker, commit_as("billing", generation, &leader, &[("orders", 0, 5)]));
    broker.pass(9_000);
    let told = heartbeat(&mut broker, "billing", generation, &leader);
    assert_eq!(told, "REBALANCE_IN_PROGRESS", "it is still a member; the other is not");
}

#[test]
fn a_deleted_topics_offsets_go() {
    let mut broker = broker(&[]);
    broker.topic("clicks");
    committed(&mut broker, commit("import", &[("orders", 0, 1), ("clicks", 0, 2)]));
    let topic_names = vec!["clicks".into()];
    broker.ask(5, DeleteTopicsRequest { topic_names, timeout_ms: 1_000 });
    broker.topic("clicks");

    assert_eq!(offsets(&mut broker, "import").unwrap(), [("orders".into(), 0, 1)]);
    let files = broker.files.copy();
    let mut again = started(files, &[]);
    assert_eq!(offsets(&mut again, "import").unwrap(), [("orders".into(), 0, 1)]);
}

#[test]
fn offsets_are_deleted_that_no_member_needs() {
    let mut broker = broker(&[]);
    broker.topic("clicks");
    let (leader, _, generation) = two_members(&mut broker, "billing");
    let all = [("orders", 0, 1), ("clicks", 0, 2), ("clicks", 1, 3)];
    committed(&mut broker, commit_as("billing", generation, &leader, &all));
    let mut delete = |group: &str| {
        let topic = |name: &str| OffsetDeleteRequestTopic {
            name: name.into(),
            partitions: vec![OffsetDeleteRequestPartition { partition_index: 0 }],
        };
        let topics = vec![topic("orders"), topic("clicks"), topic("none")];
        let told = broker.ask(0, OffsetDeleteRequest { group_id: group.into(), topics });
        let partitions = told.topics.iter().flat_map(|topic| &topic.partitions);
        let errors: Vec<_> = partitions.map(|it| it.error_code.name()).collect();
        (told.error_code.name(), errors)
    };
    let told = delete("billing");
    let parts = vec!["GROUP_SUBSCRIBED_TO_TOPIC", "NONE", "UNKNOWN_TOPIC_OR_PARTITION"];
    assert_eq!(told, ("NONE", parts));
    assert_eq!(delete("nobody's"), ("GROUP_ID_NOT_FOUND", vec![]));
    assert_eq!(delete(""), ("INVALID_GROUP_ID", vec![]));
    let there = offsets(&mut broker, "billing").unwrap();
    assert_eq!(there, [("clicks".into(), 1, 3), ("orders".into(), 0, 1)]);
}
