//! Old segments go: by time, by size, only when due, also after a start; and syncs happen.

use std::io;

use mini_broker::broker::{Event, Input, Job};
use mini_broker::labs::offset_log;
use wire::fetch::FetchRequest;

use crate::batches::fetch;
use crate::by_hand::{ByHand, MemFiles, WALL_MS};

const AT: i64 = WALL_MS as i64;
const SMALL: &[(&str, &str)] = &[("log.segment.bytes", "1024"), ("log.retention.ms", "10000")];

/// Three full segments of one batch each, and one that is written to.
fn filled(files: MemFiles, settings: &[(&str, &str)]) -> ByHand {
    let mut broker = ByHand::start(files, settings);
    broker.topic("orders");
    for _ in 0..4 {
        broker.append("orders", AT, &[&"x".repeat(600)]);
    }
    broker
}

pub fn deleted(broker: &ByHand) -> usize {
    let counts = broker.events.iter().map(|event| match event {
        Event::SegmentsDeleted { count, .. } => *count,
        _ => 0,
    });
    counts.sum()
}

/// Passes time in steps, as a real broker's engine would.
pub fn pass_to_deadlines(broker: &mut ByHand, until_ms: u64) {
    while let Some(at) = broker.deadline().filter(|at| *at <= until_ms) {
        broker.pass(at.saturating_sub(broker.now.mono_ms));
        broker.run_jobs();
    }
    let rest = until_ms - broker.now.mono_ms;
    broker.pass(rest);
}

#[test]
fn segments_are_deleted_when_they_are_old_enough_and_not_before() {
    let mut broker = filled(MemFiles::default(), SMALL);

    pass_to_deadlines(&mut broker, 9_999);
    assert_eq!(deleted(&broker), 0);
    pass_to_deadlines(&mut broker, 400_000);

    assert!(deleted(&broker) >= 3, "{:?}", broker.events);
    let end = broker.append("orders", AT, &["y"]);
    assert_eq!(end, 4, "offsets go on");
}

#[test]
fn segments_that_were_there_before_the_start_are_looked_at_too() {
    let files = filled(MemFiles::default(), SMALL).files;

    let mut broker = ByHand::start(files, SMALL);
    broker.now.wall_ms += 1_000_000;
    pass_to_deadlines(&mut broker, 700_000);

    assert!(deleted(&broker) >= 3, "{:?}", broker.events);
}

#[test]
fn a_partition_over_its_size_loses_its_oldest_segments() {
    let settings = [("log.segment.bytes", "1024"), ("log.retention.bytes", "1400")];
    let mut broker = filled(MemFiles::default(), &settings);

    pass_to_deadlines(&mut broker, 400_000);

    assert!((1..=2).contains(&deleted(&broker)), "{:?}", broker.events);
}

#[test]
fn a_reader_of_what_is_gone_learns_where_the_log_starts() {
    let mut broker = filled(MemFiles::default(), SMALL);
    // It waits for more than there is, at an offset that will go.
    let waiting =
        FetchRequest { max_wait_ms: i32::MAX, min_bytes: 1 << 20, ..fetch("orders", 0, 1) };
    let waiting = broker.send(12, waiting);
    assert!(!broker.answers.contains_key(&waiting));

    pass_to_deadlines(&mut broker, 400_000);

    assert_eq!(deleted(&broker), 4, "even the active segment grows old");
    let again = broker.send(12, fetch("orders", 0, 1));
    for asked in [waiting, again] {
        let told = broker.answer::<FetchRequest>(asked).unwrap().responses.remove(0);
        let partition = &told.partitions[0];
        assert_eq!(partition.error_code.name(), "OFFSET_OUT_OF_RANGE");
        // Nothing at or past the high watermark is deleted, and it stays where it is.
        assert_eq!((partition.log_start_offset, partition.high_watermark), (4, 4));
    }
    let at_the_start = broker.send(12, fetch("orders", 0, 4));
    assert_eq!(broker.fetched(at_the_start).unwrap(), []);
    let texts = broker.files.texts.lock().unwrap();
    assert!(!texts.contains_key("log-start-offset-checkpoint"), "the files say it themselves");
}

/// A log that cannot be opened is looked at again a check interval later, not at once.
#[test]
fn a_log_that_cannot_be_opened_is_no_reason_to_be_busy() {
    let files = filled(MemFiles::default(), SMALL).files;
    let broken = MemFiles { instead: Some(|_| Box::new(Unreadable)), ..files };
    let mut broker = ByHand::start(broken, SMALL);
    let mut looks = 0;
    while broker.deadline().is_some_and(|at| at < 1_000_000) {
        broker.pass(broker.deadline().unwrap() - broker.now.mono_ms);
        looks += 1;
        assert!(looks < 10, "busy");
    }
    assert_eq!(looks, 3);
}

/// A directory of a disk that is gone.
struct Unreadable;

impl offset_log::Dir for Unreadable {
    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        Err(io::Error::other("gone"))
    }
    fn read_at(&self, _: &str, _: u64, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("gone"))
    }
    fn append(&mut self, _: &str, _: &[u8]) -> io::Result<()> {
        Err(io::Error::other("gone"))
    }
    fn truncate(&mut self, _: &str, _: u64) -> io::Result<()> {
        Err(io::Error::other("gone"))
    }
    fn remove(&mut self, _: &str) -> io::Result<()> {
        Err(io::Error::other("gone"))
    }
}

fn syncs(broker: &ByHand) -> Vec<&Job> {
    broker.jobs.iter().map(|(_, job)| job).filter(|job| matches!(job, Job::Sync { .. })).collect()
}

#[test]
fn written_records_reach_the_disk_within_a_minute_and_the_checkpoint_says_so() {
    let mut broker = ByHand::new();
    broker.topic("orders");
    broker.append("orders", AT, &["a", "b"]);
    assert_eq!(syncs(&broker), Vec::<&Job>::new());

    broker.pass(60_000);
    assert_eq!(syncs(&broker), [&Job::Sync { dir: "orders-0".into(), to: 2 }]);
    broker.run_jobs();
    pass_to_deadlines(&mut broker, 70_000);
    broker.run_jobs();

    let texts = broker.files.texts.lock().unwrap();
    let points = "0\n2\n__cluster_metadata 0 4\norders 0 2\n";
    assert_eq!(texts["recovery-point-offset-checkpoint"], points);
}

#[test]
fn a_full_segment_is_synced_at_once() {
    let mut broker = ByHand::start(MemFiles::default(), SMALL);
    broker.topic("orders");
    broker.append("orders", AT, &[&"x".repeat(600)]);
    assert_eq!(syncs(&broker).len(), 0);

    broker.append("orders", AT, &[&"x".repeat(600)]);

    assert_eq!(syncs(&broker).len(), 1);
}

#[test]
fn a_sync_that_fails_takes_only_its_partition_offline() {
    let mut broker = ByHand::new();
    broker.topic("orders");
    broker.topic("others");
    broker.append("orders", AT, &["a"]);
    broker.pass(60_000);
    let (call, _) = broker.jobs.pop().unwrap();

    broker.input(Input::Done { call, done: Err(std::io::Error::other("worn out")) });

    let refused = crate::storage::produce_refused(&mut broker, "orders");
    assert_eq!(refused.error_code.name(), "KAFKA_STORAGE_ERROR");
    assert_eq!(refused.base_offset, -1);
    broker.append("others", AT, &["a"]);
    assert!(
        broker.events.iter().any(|event| matches!(event, Event::Storage { offline: true, .. }))
    );
}
