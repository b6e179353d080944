//! `__consumer_offsets`: how it is made, what stands in it, and who may write there.

use wire::metadata::MetadataRequest;
use wire::offsets_topic::{GroupMetadataKey, OffsetCommitKey};
use wire::produce::ProduceRequest;
use wire::topics::DeleteTopicsRequest;

use super::*;
use crate::batches::{batch, produce};
use crate::by_hand::WALL_MS;

#[test]
fn it_is_made_for_whoever_asks_first() {
    let mut broker = ByHand::start(MemFiles::default(), &[("offsets.topic.num.partitions", "7")]);
    assert_eq!(find(&mut broker, "billing"), ErrorCode::NONE);

    let told = broker.ask(12, MetadataRequest::default());
    let topic = &told.topics[0];
    assert_eq!((topic.name.as_deref(), topic.partitions.len()), (Some(OFFSETS), 7));
    assert!(topic.is_internal);
    assert_eq!(topic.partitions[0].replica_nodes, [1], "one broker: one replica");
    let settings = &broker.broker.cluster().topics[OFFSETS].configs;
    assert_eq!(settings["cleanup.policy"], "compact");
}

#[test]
fn asking_about_it_does_not_make_it_and_no_client_writes_there() {
    let mut broker = ByHand::new();
    let told = broker.ask(12, crate::process::metadata(&[OFFSETS]));
    assert_eq!(told.topics[0].error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    find(&mut broker, "billing");
    let number = broker.send(9, produce(OFFSETS, 0, -1, batch(WALL_MS as i64, &["mine"])));
    let told = broker.answer::<ProduceRequest>(number).unwrap();
    let error = told.responses[0].partition_responses[0].error_code;
    assert_eq!(error, ErrorCode::INVALID_TOPIC_EXCEPTION);
}

#[test]
fn a_group_and_its_offsets_stand_in_it_as_in_kafkas() {
    let mut broker = broker(&[]);
    let (leader, _, generation) = two_members(&mut broker, "billing");
    broker.pass(7);
    let mut request = commit_as("billing", generation, &leader, &[("orders", 2, 5)]);
    request.topics[0].partitions[0].committed_metadata = Some("half".into());
    committed(&mut broker, request);

    let records = records_in(&mut broker, 9); // where Kafka puts `billing`

    let [.., group, offset] = &records[..] else { panic!("{records:?}") };
    let GroupRecord::GroupMetadata { key, value: Some(value) } = group else { panic!("{group:?}") };
    assert_eq!(key, &GroupMetadataKey { group: "billing".into() });
    assert_eq!((value.generation, value.protocol.as_deref()), (2, Some("range")));
    assert_eq!(value.leader.as_deref(), Some(leader.as_str()));
    assert_eq!(value.current_state_timestamp, WALL_MS as i64);
    let saved = value.members.iter().find(|it| it.member_id == leader).unwrap();
    assert_eq!((saved.session_timeout, saved.rebalance_timeout), (10_000, 60_000));
    assert_eq!((saved.client_host.as_str(), &saved.assignment[..]), ("/127.0.0.1", &b"a"[..]));
    let GroupRecord::OffsetCommit { key, value: Some(value) } = offset else { panic!() };
    let expected =
        OffsetCommitKey { group: "billing".into(), topic: "orders".into(), partition: 2 };
    assert_eq!(key, &expected);
    assert_eq!((value.offset, value.metadata.as_str(), value.leader_epoch), (5, "half", -1));
    assert_eq!(value.commit_timestamp, WALL_MS as i64 + 7);
}

#[test]
fn without_a_topic_there_is_no_coordinator_and_without_the_clusters_none_is_made() {
    let mut broker = ByHand::new();
    assert_eq!(offsets(&mut broker, "billing"), Err(ErrorCode::NOT_COORDINATOR));
    broker.part();
    let request =
        FindCoordinatorRequest { coordinator_keys: vec!["billing".into()], ..Default::default() };
    let asked = [broker.send(4, request.clone()), broker.send(4, request)];
    broker.pass(20_000);
    for number in asked {
        let told = broker.answer::<FindCoordinatorRequest>(number).unwrap();
        assert_eq!(told.coordinators[0].error_code, ErrorCode::COORDINATOR_NOT_AVAILABLE);
    }
    broker.meet();
    assert_eq!(find(&mut broker, "billing"), ErrorCode::NONE);
}

#[test]
fn who_waits_for_a_group_is_told_when_its_log_is_gone() {
    let mut broker = broker(&[("group.initial.rebalance.delay.ms", "3000")]);
    let id = new_id(&mut broker, "billing");
    let waits = broker.send(7, join("billing", &id));
    let topic_names = vec![OFFSETS.into()];
    broker.ask(5, DeleteTopicsRequest { topic_names, timeout_ms: 1_000 });

    assert_eq!(joined(&mut broker, waits).unwrap().error_code, ErrorCode::NOT_COORDINATOR);
    assert_eq!(heartbeat(&mut broker, "billing", 1, &id), "NOT_COORDINATOR");
    assert_eq!(find(&mut broker, "billing"), ErrorCode::NONE, "it is made again");
    assert_eq!(heartbeat(&mut broker, "billing", 1, &id), "UNKNOWN_MEMBER_ID");
    assert!(list(&mut broker).is_empty());
}
