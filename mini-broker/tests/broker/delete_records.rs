//! DeleteRecords: a log starts later, for everybody and for good.

use std::fs;
use std::io;

use mini_broker::broker::{Event, Input, Job};
use mini_broker::labs::offset_log::{self, Dir};
use tempfile::TempDir;
use wire::delete_records::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic, HIGH_WATERMARK,
};
use wire::fetch::FetchRequest;
use wire::list_offsets::{EARLIEST, ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use wire::{ErrorCode, Records};

use crate::batches::{batch, fetch};
use crate::by_hand::{ByHand, MemFiles, WALL_MS};
use crate::process::Server;
use crate::retention::pass_to_deadlines;
use crate::topics::{create, with};

const AT: i64 = WALL_MS as i64;
const STARTS: &str = "log-start-offset-checkpoint";
const FIRST: &str = "00000000000000000000.log";

pub fn delete(topic: &str, partition_index: i32, offset: i64) -> DeleteRecordsRequest {
    let partitions = vec![DeleteRecordsPartition { partition_index, offset }];
    let topics = vec![DeleteRecordsTopic { name: topic.into(), partitions }];
    DeleteRecordsRequest { topics, timeout_ms: 1000 }
}

/// The code, and where the log starts now.
fn deleted(broker: &mut ByHand, topic: &str, offset: i64) -> (&'static str, i64) {
    let told = broker.ask(2, delete(topic, 0, offset));
    let partition = &told.topics[0].partitions[0];
    (partition.error_code.name(), partition.low_watermark)
}

/// Batches of three records each: 0 to 2, 3 to 5, 6 to 8.
fn filled(settings: &[(&str, &str)]) -> ByHand {
    let mut broker = ByHand::start(MemFiles::default(), settings);
    broker.topic("orders");
    for _ in 0..3 {
        broker.append("orders", AT, &["a", "b", "c"]);
    }
    broker
}

pub fn earliest(broker: &mut ByHand) -> i64 {
    let partitions = vec![ListOffsetsPartition { timestamp: EARLIEST, ..Default::default() }];
    let topics = vec![ListOffsetsTopic { name: "orders".into(), partitions }];
    let asked = broker.send(7, ListOffsetsRequest { topics, ..Default::default() });
    broker.answer::<ListOffsetsRequest>(asked).unwrap().topics[0].partitions[0].offset
}

#[test]
fn a_log_starts_in_the_middle_of_a_segment_and_of_a_batch() {
    let mut broker = filled(&[]);

    assert_eq!(deleted(&mut broker, "orders", 4), ("NONE", 4));

    assert_eq!(earliest(&mut broker), 4);
    for (offset, code) in [(3, ErrorCode::OFFSET_OUT_OF_RANGE), (4, ErrorCode::NONE)] {
        let asked = broker.send(12, fetch("orders", 0, offset));
        let told = broker.answer::<FetchRequest>(asked).unwrap().responses.remove(0);
        let partition = &told.partitions[0];
        assert_eq!(partition.error_code, code, "{offset}");
        assert_eq!((partition.log_start_offset, partition.high_watermark), (4, 9));
    }
    let asked = broker.send(12, fetch("orders", 0, 4));
    // Batches are given whole; the client skips what is before its offset.
    assert_eq!(broker.fetched(asked).unwrap()[0].0, 3);
    assert!(
        broker
            .events
            .contains(&Event::RecordsDeleted { partition: "orders-0".into(), log_start: 4 })
    );
    // Twice is once, and nothing comes back.
    assert_eq!(deleted(&mut broker, "orders", 4), ("NONE", 4));
    assert_eq!(deleted(&mut broker, "orders", 1), ("NONE", 4));
    assert_eq!(deleted(&mut broker, "orders", HIGH_WATERMARK), ("NONE", 9));
    assert_eq!(broker.append("orders", AT, &["d"]), 9);
}

#[test]
fn segments_that_hold_nothing_else_are_removed() {
    let mut broker = filled(&[("log.segment.bytes", "1024")]);
    for _ in 0..20 {
        broker.append("orders", AT, &[&"x".repeat(300)]);
    }
    let bytes = |broker: &ByHand| {
        let files = broker.files.dir_of("orders-0").files();
        files
            .iter()
            .filter(|(name, _)| name.ends_with(".log"))
            .map(|(_, log)| log.len())
            .sum::<usize>()
    };
    let before = bytes(&broker);
    assert_eq!(deleted(&mut broker, "orders", 20), ("NONE", 20));
    assert!(bytes(&broker) < before / 2, "{before}");
    assert_eq!(earliest(&mut broker), 20);
}

#[test]
fn what_cannot_be_deleted_is_refused_as_kafka_does() {
    let mut broker = filled(&[("num.partitions", "2")]);
    create(&mut broker, with("compacted", &[("cleanup.policy", "compact")]));
    create(&mut broker, with("both", &[("cleanup.policy", "compact,delete")]));
    let expected = [
        ("orders", 0, 10, "OFFSET_OUT_OF_RANGE", -1),
        ("orders", 0, -2, "OFFSET_OUT_OF_RANGE", -1),
        ("orders", 0, i64::MIN, "OFFSET_OUT_OF_RANGE", -1),
        ("orders", 0, i64::MAX, "OFFSET_OUT_OF_RANGE", -1),
        ("orders", 2, 0, "UNKNOWN_TOPIC_OR_PARTITION", -1),
        ("orders", -1, 0, "UNKNOWN_TOPIC_OR_PARTITION", -1),
        ("nope", 0, 0, "UNKNOWN_TOPIC_OR_PARTITION", -1),
        ("__consumer_offsets", 0, 0, "INVALID_TOPIC_EXCEPTION", -1),
        ("compacted", 0, 0, "POLICY_VIOLATION", -1),
        ("both", 0, 0, "NONE", 0),
        // Never written to, so there are no files.
        ("orders", 1, 0, "NONE", 0),
        ("orders", 1, HIGH_WATERMARK, "NONE", 0),
        ("orders", 1, 1, "OFFSET_OUT_OF_RANGE", -1),
    ];
    for (topic, index, offset, code, low_watermark) in expected {
        let told = broker.ask(2, delete(topic, index, offset));
        let told = &told.topics[0].partitions[0];
        let told = (told.error_code.name(), told.low_watermark);
        assert_eq!(told, (code, low_watermark), "{topic}-{index} before {offset}");
    }
    assert_eq!(earliest(&mut broker), 0);
    assert!(!broker.files.texts.lock().unwrap().contains_key(STARTS), "nothing to note");
}

#[test]
fn a_fetch_that_waits_below_the_new_start_learns_it_at_once() {
    let mut broker = filled(&[]);
    let waiting = FetchRequest { max_wait_ms: 500, min_bytes: 1_000_000, ..fetch("orders", 0, 0) };
    let asked = broker.send(12, waiting);
    let at_the_end = FetchRequest { max_wait_ms: 500, ..fetch("orders", 0, 9) };
    let at_the_end = broker.send(12, at_the_end);

    broker.send(2, delete("orders", 0, 5));

    let told = broker.answer::<FetchRequest>(asked).unwrap().responses.remove(0);
    assert_eq!(told.partitions[0].error_code, ErrorCode::OFFSET_OUT_OF_RANGE);
    assert_eq!(told.partitions[0].log_start_offset, 5);
    assert!(!broker.answers.contains_key(&at_the_end), "it may go on waiting");
}

#[test]
fn the_answer_waits_until_the_next_start_knows_it_too() {
    let mut broker = filled(&[]);
    let asked = broker.send(2, delete("orders", 0, 4));
    assert!(!broker.answers.contains_key(&asked));
    assert_eq!(earliest(&mut broker), 4, "for readers it counts already");
    let mut before = ByHand::start(broker.files.copy(), &[]);
    assert_eq!(earliest(&mut before), 0, "not promised, so it may be undone");

    broker.run_jobs();

    assert!(broker.answers.contains_key(&asked));
    let text = broker.files.texts.lock().unwrap()[STARTS].clone();
    assert_eq!(text, "0\n2\n__cluster_metadata 0 4\norders 0 4\n");
    let mut broker = ByHand::start(broker.files, &[]);
    assert_eq!(earliest(&mut broker), 4);
    let asked = broker.send(12, fetch("orders", 0, 3));
    let told = broker.answer::<FetchRequest>(asked).unwrap().responses.remove(0);
    assert_eq!(told.partitions[0].error_code, ErrorCode::OFFSET_OUT_OF_RANGE);
}

#[test]
fn there_is_one_job_at_a_time_and_each_answer_waits_for_its_own() {
    let mut broker = filled(&[]);
    let first = broker.send(2, delete("orders", 0, 2));
    let same = broker.send(2, delete("orders", 0, 1));
    let second = broker.send(2, delete("orders", 0, 7));
    assert_eq!(broker.jobs.len(), 1);
    let [(_, Job::Checkpoint { text, .. })] = &broker.jobs[..] else { panic!() };
    assert!(text.ends_with("orders 0 2\n"));

    broker.run_job();

    assert!(broker.answers.contains_key(&first));
    assert!(broker.answers.contains_key(&same), "what it is told was being written already");
    assert!(!broker.answers.contains_key(&second));
    let [(_, Job::Checkpoint { text, .. })] = &broker.jobs[..] else { panic!() };
    assert!(text.ends_with("orders 0 7\n"));
    broker.run_job();
    assert!(broker.answers.contains_key(&second));
    assert!(broker.jobs.is_empty());
}

#[test]
fn a_start_that_cannot_be_written_is_not_promised_and_is_tried_again() {
    let mut broker = filled(&[]);
    let asked = broker.send(2, delete("orders", 0, 4));
    let (call, _) = broker.jobs.pop().unwrap();
    broker.input(Input::Done { call, done: Err(io::Error::other("full")) });

    let told = broker.answer::<DeleteRecordsRequest>(asked).unwrap();
    let told = &told.topics[0].partitions[0];
    assert_eq!((told.error_code, told.low_watermark), (ErrorCode::KAFKA_STORAGE_ERROR, -1));
    assert!(broker.jobs.is_empty(), "not at once");
    assert!(broker.events.iter().any(|event| matches!(event, Event::CheckpointFailed { .. })));
    broker.pass(5_000);
    let [(_, Job::Checkpoint { name, .. })] = &broker.jobs[..] else { panic!("{:?}", broker.jobs) };
    assert_eq!(name, STARTS);
    // Whoever asks again, for what is done in memory, is told once it is on the disk.
    let again = broker.send(2, delete("orders", 0, 4));
    assert!(!broker.answers.contains_key(&again));
    broker.run_jobs();
    let told = broker.answer::<DeleteRecordsRequest>(again).unwrap();
    assert_eq!(told.topics[0].partitions[0].low_watermark, 4);
}

/// A directory in which nothing can be removed as long as there is a file `stuck`.
struct Stuck(offset_log::MemDir);

impl Dir for Stuck {
    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        self.0.list()
    }
    fn read_at(&self, file: &str, position: u64, into: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(file, position, into)
    }
    fn append(&mut self, file: &str, bytes: &[u8]) -> io::Result<()> {
        self.0.append(file, bytes)
    }
    fn truncate(&mut self, file: &str, len: u64) -> io::Result<()> {
        self.0.truncate(file, len)
    }
    fn remove(&mut self, file: &str) -> io::Result<()> {
        match self.0.files().contains_key("stuck") {
            true => Err(io::Error::other("stuck")),
            false => self.0.remove(file),
        }
    }
}

#[test]
fn what_is_told_when_a_file_cannot_be_removed_is_true_after_a_start() {
    let files = MemFiles { instead: Some(|dir| Box::new(Stuck(dir))), ..Default::default() };
    let settings = [("log.segment.bytes", "1024")];
    let mut broker = ByHand::start(files, &settings);
    broker.topic("orders");
    for _ in 0..4 {
        broker.append("orders", AT, &[&"x".repeat(600)]);
    }
    let dir = broker.files.dir_of("orders-0");
    dir.put("stuck", vec![1]);
    assert_eq!(deleted(&mut broker, "orders", 2), ("KAFKA_STORAGE_ERROR", -1));
    dir.lose("stuck");

    // It is done as far as readers can see, so whoever asks again is told so: then it must stay so.
    assert_eq!(deleted(&mut broker, "orders", 2), ("NONE", 2));
    let mut broker = ByHand::start(broker.files, &settings);
    assert_eq!(earliest(&mut broker), 2);
}

/// Power loss may take the end of a log that was not synced, but not the note of its start.
#[test]
fn a_start_past_the_end_of_the_log_begins_it_anew() {
    let mut broker = filled(&[]);
    assert_eq!(deleted(&mut broker, "orders", 8), ("NONE", 8));
    let dir = broker.files.dir_of("orders-0");
    dir.tear(FIRST, dir.bytes(FIRST).len() as u64 / 3 + 10);

    let mut broker = ByHand::start(broker.files, &[]);

    assert_eq!(earliest(&mut broker), 8);
    assert_eq!(broker.append("orders", AT, &["next"]), 8, "no offset is given out twice");
    let asked = broker.send(12, fetch("orders", 0, 8));
    assert_eq!(broker.fetched(asked).unwrap(), [(8, "next".into())]);
    let mut broker = ByHand::start(broker.files, &[]);
    assert_eq!(earliest(&mut broker), 8);
    let asked = broker.send(12, fetch("orders", 0, 8));
    assert_eq!(broker.fetched(asked).unwrap(), [(8, "next".into())]);
}

#[test]
fn retention_needs_no_note_and_makes_an_older_one_superfluous() {
    let settings = [("log.segment.bytes", "1024"), ("log.retention.ms", "10000")];
    let mut broker = filled(&settings);
    broker.append("orders", AT, &[&"x".repeat(1000)]);
    assert_eq!(deleted(&mut broker, "orders", 4), ("NONE", 4));
    pass_to_deadlines(&mut broker, 310_000);
    assert_eq!(earliest(&mut broker), 10);
    let text = broker.files.texts.lock().unwrap()[STARTS].clone();
    assert!(text.ends_with("orders 0 4\n"), "true no longer, and no harm: {text}");

    // Another deletion writes the file, and the old line is gone.
    broker.append("orders", AT, &["a", "b"]);
    assert_eq!(deleted(&mut broker, "orders", 11), ("NONE", 11));
    let mut broker = ByHand::start(broker.files, &settings);
    assert_eq!(earliest(&mut broker), 11);
}

#[test]
fn what_was_deleted_stays_deleted_after_a_kill() {
    let data = TempDir::new().unwrap();
    for round in 1..5 {
        let server = Server::start(data.path());
        let mut client = server.connect();
        client.topic("orders");
        client.produce("orders", -1, batch(AT, &["a", "b", "c", "d"]));
        let wanted = round * 4 - 2;
        let told = client.ask(2, delete("orders", 0, wanted));
        assert_eq!(told.topics[0].partitions[0].low_watermark, wanted);
        server.kill();

        let server = Server::start(data.path());
        let mut response = server.connect().ask(12, fetch("orders", 0, wanted - 1));
        let told = response.responses.remove(0).partitions.remove(0);
        assert_eq!(told.error_code, ErrorCode::OFFSET_OUT_OF_RANGE);
        assert_eq!((told.log_start_offset, told.high_watermark), (wanted, round * 4));
        let mut response = server.connect().ask(12, fetch("orders", 0, wanted));
        let told = response.responses.remove(0).partitions.remove(0);
        let Records::Here(bytes) = told.records else { panic!("{told:?}") };
        assert!(!bytes.is_empty());
        server.kill();
    }
    assert!(fs::read_to_string(data.path().join(STARTS)).unwrap().ends_with("orders 0 14\n"));
}
