//! After a kill everything is there again that was acknowledged; until it is read, whoever asks is told to
//! wait.

use wire::committed_offsets::OffsetCommitRequestPartition;

use super::*;

#[test]
fn a_group_its_generation_and_its_offsets_are_there_after_a_kill() {
    let mut broker = broker(&[]);
    let (leader, other, generation) = two_members(&mut broker, "billing");
    committed(&mut broker, commit_as("billing", generation, &leader, &[("orders", 0, 5)]));

    let mut again = started(broker.files.copy(), &[]);

    assert_eq!(heartbeat(&mut again, "billing", generation, &leader), "NONE");
    assert_eq!(heartbeat(&mut again, "billing", generation, &other), "NONE");
    assert_eq!(part(&mut again, sync("billing", generation, &other, &[])), "b");
    assert_eq!(offset(&mut again, "billing", "orders", 0), 5);
    let told =
        committed(&mut again, commit_as("billing", generation, &leader, &[("orders", 0, 6)]));
    assert_eq!(told, ["NONE"]);
    again.pass(10_000);
    assert_eq!(describe(&mut again, "billing").group_state, "Empty", "both were silent");
}

#[test]
fn a_generation_that_was_never_handed_out_is_not_remembered() {
    let mut broker = broker(&[]);
    let (leader, other, generation) = two_members(&mut broker, "billing");
    for member in [&leader, &other] {
        broker.send(7, join("billing", member)); // the leader does not sync
    }
    let mut again = started(broker.files.copy(), &[]);
    assert_eq!(heartbeat(&mut again, "billing", generation, &leader), "NONE");
    assert_eq!(part(&mut again, sync("billing", generation, &leader, &[])), "a");
}

const COMMITS: i64 = 600;

/// Many commits, so that the log is read in more than one piece.
fn with_a_long_log(settings: &[(&str, &str)]) -> ByHand {
    let mut broker = broker(settings);
    let mut request = commit("import", &[("orders", 0, 0)]);
    for at in 0..COMMITS {
        request.topics[0].partitions = (0..4)
            .map(|index| OffsetCommitRequestPartition {
                partition_index: index,
                committed_offset: at,
                committed_metadata: Some("x".repeat(1_000)),
                ..Default::default()
            })
            .collect();
        assert_eq!(committed(&mut broker, request.clone()), ["NONE"; 4]);
    }
    broker
}

#[test]
fn until_the_log_is_read_everybody_is_told_to_wait() {
    let broker = with_a_long_log(&[]);

    let mut again = started(broker.files.copy(), &[]);

    assert_eq!(again.deadline(), Some(0), "it goes on at once");
    assert_eq!(broker_is_reading(&mut again), ["COORDINATOR_LOAD_IN_PROGRESS"; 4]);
    while let Err(error) = offsets(&mut again, "import") {
        assert_eq!(error, ErrorCode::COORDINATOR_LOAD_IN_PROGRESS);
    }
    let all: Vec<_> = (0..4).map(|index| ("orders".to_string(), index, COMMITS - 1)).collect();
    assert_eq!(offsets(&mut again, "import").unwrap(), all);
}

/// What requests of all kinds are told meanwhile.
fn broker_is_reading(broker: &mut ByHand) -> Vec<&'static str> {
    // Each request is a turn, and each turn reads a piece: all of these are in one.
    let inputs = [
        crate::by_hand::request(900_001, 7, join("import", "m")),
        crate::by_hand::request(900_002, 5, sync("import", 1, "m", &[])),
        crate::by_hand::request(900_003, 8, commit("import", &[("orders", 0, 1)])),
        crate::by_hand::request(900_004, 5, ListGroupsRequest::default()),
    ];
    broker.turn(inputs.into());
    let joined = joined(broker, 900_001).unwrap().error_code;
    let synced = synced(broker, 900_002).unwrap().error_code;
    let committed = broker.answer::<OffsetCommitRequest>(900_003).unwrap();
    let listed = broker.answer::<ListGroupsRequest>(900_004).unwrap().error_code;
    let committed = committed.topics[0].partitions[0].error_code;
    [joined, synced, committed, listed].iter().map(|error| error.name()).collect()
}

#[test]
fn a_log_that_is_compacted_says_the_same() {
    let small = [("offsets.topic.segment.bytes", "20000"), ("log.cleaner.backoff.ms", "100")];
    let mut broker = with_a_long_log(&small);
    let before: u64 = size(&broker);
    for _ in 0..20 {
        broker.pass(100);
        broker.run_jobs();
    }
    assert!(size(&broker) < before / 4, "{} of {before}", size(&broker));
    let mut again = started(broker.files.copy(), &small);
    while offsets(&mut again, "import").is_err() {}
    let all: Vec<_> = (0..4).map(|index| ("orders".to_string(), index, COMMITS - 1)).collect();
    assert_eq!(offsets(&mut again, "import").unwrap(), all);
}

fn size(broker: &ByHand) -> u64 {
    let dirs = broker.files.dirs.lock().unwrap().keys().cloned().collect::<Vec<_>>();
    let of_log = dirs.iter().filter(|dir| dir.starts_with(OFFSETS));
    of_log.map(|dir| broker.files.log_bytes(dir)).sum()
}

#[test]
fn ten_thousand_groups_are_there_again() {
    let mut broker = broker(&[]);
    for group in 0..10_000 {
        let group = format!("import-{group}");
        assert_eq!(offset(&mut broker, &group, "orders", 0), -1);
    }
    assert!(list(&mut broker).is_empty(), "who only asks leaves nothing behind");
    for group in 0..10_000 {
        let request = commit(&format!("import-{group}"), &[("orders", 0, group)]);
        assert_eq!(committed(&mut broker, request), ["NONE"]);
    }
    let mut again = started(broker.files.copy(), &[]);
    while offsets(&mut again, "import-0").is_err() {}
    while again.ask(5, ListGroupsRequest::default()).error_code.is_err() {}
    assert_eq!(list(&mut again).len(), 10_000);
    assert_eq!(offset(&mut again, "import-9999", "orders", 0), 9_999);
}
