//! A broker that follows: what it says to its leader, and what it makes of the answers. The leader, broker 2, is
//! played by the test.

use mini_broker::broker::Event;
use wire::Records;
use wire::elect_leaders::{ElectLeadersRequest, election_type};
use wire::fetch::{EpochEndOffset, FetchPartition, PartitionData};

use crate::batches::batch;
use crate::by_hand::others::Follower;
use crate::by_hand::{ByHand, MemFiles, WALL_MS};
use crate::delete_records::earliest;

const EPOCHS: &str = "leader-epoch-checkpoint";

/// Broker 1 follows broker 2, and has three records of it.
fn with_three() -> ByHand {
    let mut broker = ByHand::start(MemFiles::default(), &[]);
    broker.comes(2);
    broker.topic_on("orders", &[2, 1]);
    let (call, asked) = broker.fetches_from(2);
    assert_eq!((asked.fetch_offset, asked.last_fetched_epoch, asked.log_start_offset), (0, -1, 0));
    broker.leader_says(call, "orders", records(0, 0, &["a", "b", "c"]));
    broker
}

/// A batch as a leader of this epoch has it.
fn records(first: i64, epoch: i32, values: &[&str]) -> PartitionData {
    let mut batch = batch(WALL_MS as i64, values);
    batch[0..8].copy_from_slice(&first.to_be_bytes());
    batch[12..16].copy_from_slice(&epoch.to_be_bytes());
    let high_watermark = first + values.len() as i64;
    PartitionData { records: Records::Here(batch), high_watermark, log_start_offset: 0, ..empty() }
}

fn empty() -> PartitionData {
    PartitionData { high_watermark: 3, log_start_offset: 0, ..Default::default() }
}

/// What its next fetch says of itself.
fn stands(asked: &FetchPartition) -> (i64, i32, i32) {
    (asked.fetch_offset, asked.last_fetched_epoch, asked.current_leader_epoch)
}

#[test]
fn its_log_starts_where_the_leaders_does_and_the_next_start_knows_it() {
    let mut broker = with_three();
    let (call, asked) = broker.fetches_from(2);
    assert_eq!((stands(&asked), asked.log_start_offset), ((3, 0, 0), 0));

    broker.leader_says(call, "orders", PartitionData { log_start_offset: 2, ..empty() });

    // Only what it will know after a kill does it tell, and that at once.
    let (_, asked) = broker.fetches_from(2);
    assert_eq!((stands(&asked), asked.log_start_offset), ((3, 0, 0), 0));
    broker.run_jobs();
    let (_, asked) = broker.fetches_from(2);
    assert_eq!((stands(&asked), asked.log_start_offset), ((3, 0, 0), 2));
    let text = broker.files.texts.lock().unwrap()["log-start-offset-checkpoint"].clone();
    assert!(text.ends_with("\norders 0 2\n"), "{text}");
    let mut broker = ByHand::start(broker.files, &[]);
    let (_, asked) = broker.fetches_from(2);
    assert_eq!((stands(&asked), asked.log_start_offset), ((3, 0, 0), 2));
}

/// All its records were deleted. Then one led that had never had them, and wrote others in their place; this
/// one would be in sync without them.
#[test]
fn an_empty_log_that_starts_later_than_its_leaders_begins_where_that_does() {
    let mut broker = with_three();
    let (call, _) = broker.fetches_from(2);
    broker.leader_says(call, "orders", PartitionData { log_start_offset: 3, ..empty() });
    let (before, _) = broker.fetches_from(2);
    broker.run_jobs();
    let (call, asked) = broker.fetches_from(2);
    assert_eq!((stands(&asked), asked.log_start_offset), ((3, 0, 0), 3));
    broker.leader_says(before, "orders", PartitionData { log_start_offset: 3, ..empty() });

    broker.leader_says(call, "orders", records(3, 1, &["d"]));

    let (call, asked) = broker.fetches_from(2);
    assert_eq!((stands(&asked), asked.log_start_offset), ((0, -1, 0), 0), "nothing was taken");
    broker.leader_says(call, "orders", records(0, 1, &["a", "b", "c", "d"]));
    broker.run_jobs();
    let mut broker = ByHand::start(broker.files, &[]);
    let (_, asked) = broker.fetches_from(2);
    assert_eq!((stands(&asked), asked.log_start_offset), ((4, 1, 0), 0));
}

/// It led at the end of its log and wrote nothing, so no other log has that epoch. It must not speak of it
/// for ever: it would be told again and again where the logs part, and never get a record.
#[test]
fn an_epoch_in_which_it_led_and_wrote_nothing_is_forgotten() {
    let mut broker = with_three();
    broker.dies(2);
    assert_eq!(earliest(&mut broker), 0, "it leads");
    assert!(epochs(&broker).ends_with("\n0 0\n1 3\n"), "{}", epochs(&broker));
    broker.comes(2);
    let caught_up = Follower { id: 2, leader_epoch: 1, last_epoch: 0, log_start: 0, log_end: 3 };
    broker.follows("orders", &caught_up);
    broker.run_jobs();
    let election_type = election_type::PREFERRED;
    let elects =
        ElectLeadersRequest { election_type, topic_partitions: None, ..Default::default() };
    broker.ask(2, elects);
    let is = broker.coordinator.cluster().partition("orders", 0).unwrap();
    assert_eq!((is.leader, is.epoch), (2, 2));
    let (call, asked) = broker.fetches_from(2);
    assert_eq!(stands(&asked), (3, 1, 2));

    let parts = EpochEndOffset { epoch: 0, end_offset: 3 };
    broker.leader_says(call, "orders", PartitionData { diverging_epoch: parts, ..empty() });

    let (call, asked) = broker.fetches_from(2);
    assert_eq!(stands(&asked), (3, 0, 2));
    assert!(epochs(&broker).ends_with("\n0 0\n"), "{}", epochs(&broker));
    broker.leader_says(call, "orders", records(3, 2, &["d"]));
    let (_, asked) = broker.fetches_from(2);
    assert_eq!(stands(&asked), (4, 2, 2));
    let cut = |event: &Event| matches!(event, Event::Truncated { .. });
    assert!(!broker.events.iter().any(cut), "there was nothing to cut");
}

fn epochs(broker: &ByHand) -> String {
    let bytes = broker.files.dir_of("orders-0").files().remove(EPOCHS).expect("it is written");
    String::from_utf8(bytes).unwrap()
}

/// The log files of a partition, and how long they are.
fn log_files(broker: &ByHand) -> Vec<(String, usize)> {
    let files = broker.files.dir_of("orders-0").files().into_iter();
    let logs = files.filter(|(name, _)| name.ends_with(".log"));
    logs.map(|(name, bytes)| (name, bytes.len())).collect()
}

/// Power is lost, and the second of three segments has lost its last batch, or everything. The third is there.
fn with_a_hole(mut broker: ByHand, kept: u64) -> ByHand {
    let files = broker.files.copy();
    let logs = log_files(&broker);
    assert_eq!(logs.len(), 3, "{logs:?}");
    files.dir_of("orders-0").tear(&logs[1].0, kept);
    broker = ByHand::start(MemFiles { boots: 1, ..files }, &SMALL);
    broker.run_jobs();
    broker
}

/// Two batches fit into a segment.
const SMALL: [(&str, &str); 1] = [("log.segment.bytes", "1024")];

#[test]
fn a_hole_that_power_has_left_is_filled_by_the_leader() {
    let value = "x".repeat(400);
    for kept in [0, 1] {
        let mut broker = ByHand::start(MemFiles::default(), &SMALL);
        broker.comes(2);
        broker.topic_on("orders", &[2, 1]);
        for offset in 0..6 {
            let (call, asked) = broker.fetches_from(2);
            assert_eq!(asked.fetch_offset, offset);
            broker.leader_says(call, "orders", records(offset, 0, &[&value]));
        }
        let batch = log_files(&broker)[0].1 as u64 / 2;

        let mut broker = with_a_hole(broker, kept * batch);

        let is = broker.coordinator.cluster().partition("orders", 0).unwrap();
        assert_eq!(is.isr, [2], "who has lost power is not in sync");
        let (call, asked) = broker.fetches_from(2);
        assert_eq!(asked.fetch_offset, 2 + kept as i64);
        broker.leader_says(call, "orders", records(2 + kept as i64, 0, &[&value]));
        let (_, asked) = broker.fetches_from(2);
        assert_eq!(asked.fetch_offset, 3 + kept as i64);
    }
}

/// Nobody else has more: it keeps what there is.
#[test]
fn a_hole_stays_where_nobody_can_fill_it() {
    let value = "x".repeat(400);
    let mut broker = ByHand::start(MemFiles::default(), &SMALL);
    broker.topic("orders");
    for _ in 0..6 {
        broker.append("orders", WALL_MS as i64, &[&value]);
    }
    let mut broker = with_a_hole(broker, 0);
    let mut offsets = Vec::new();
    for offset in [0, 2] {
        let asked = broker.send(12, crate::batches::fetch("orders", 0, offset));
        offsets.extend(broker.fetched(asked).unwrap().into_iter().map(|(offset, _)| offset));
    }
    assert_eq!(offsets, [0, 1, 4, 5]);
}
