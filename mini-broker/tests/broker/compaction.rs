//! Compaction by hand: when it happens, what readers see of it, and what it leaves alone.

use bytes::BytesMut;
use mini_broker::broker::compact::{Compacted, Group, Sealed};
use mini_broker::broker::{Done, Event, Input, Job, Node};
use mini_broker::records::{self, Builder, Codec};
use wire::ErrorCode;
use wire::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use wire::produce::{PartitionProduceResponse, ProduceRequest};
use wire::topics::{CreateTopicsRequest, DeleteTopicsRequest};

use crate::batches::{fetch, produce};
use crate::by_hand::{ByHand, MemFiles, WALL_MS, request};

pub const AT: i64 = WALL_MS as i64;

/// Every batch of the tests begins a new segment.
const SETTINGS: &[(&str, &str)] = &[
    ("log.cleanup.policy", "compact"),
    ("log.segment.bytes", "1024"),
    ("log.cleaner.min.cleanable.ratio", "0"),
    ("log.cleaner.backoff.ms", "1000"),
];

/// A batch of `key=value` and, for a tombstone, `key`. The first value is long.
pub fn keyed(codec: Codec, at_ms: i64, records: &str) -> BytesMut {
    let mut builder = Builder::new(codec);
    for (record, at) in records.split(' ').zip(at_ms..) {
        let (key, value) = record.split_once('=').map_or((record, None), |(k, v)| (k, Some(v)));
        builder.push(at, Some(key.as_bytes()), value.map(str::as_bytes), std::iter::empty());
    }
    builder.finish().unwrap()
}

/// As [`keyed`], and so large that no other fits into its segment.
fn large(records: &str) -> BytesMut {
    keyed(Codec::None, AT, &format!("{records} {}={}", "filler", "x".repeat(700)))
}

pub fn append(broker: &mut ByHand, topic: &str, batch: BytesMut) -> PartitionProduceResponse {
    let number = broker.send(9, produce(topic, 0, -1, batch));
    let mut response = broker.answer::<ProduceRequest>(number).unwrap();
    response.responses.remove(0).partition_responses.remove(0)
}

fn filled(files: MemFiles, settings: &[(&str, &str)]) -> ByHand {
    let mut broker = ByHand::start(files, settings);
    broker.topic("orders");
    fill(&mut broker, "orders");
    broker
}

/// Three segments that are full and synced, and one that is not.
fn fill(broker: &mut ByHand, topic: &str) {
    for records in ["a=1 b=1", "a=2", "b=2 c=1", "d=1"] {
        assert!(append(broker, topic, large(records)).error_code.is_ok());
        broker.run_jobs();
    }
}

/// Offset, key and value of every record from an offset on, as a consumer sees them.
pub fn read(broker: &mut ByHand, topic: &str, from: i64) -> Vec<(i64, String, Option<String>)> {
    let mut all = Vec::new();
    let mut next = from;
    loop {
        let asked = broker.send(12, fetch(topic, 0, next));
        let bytes = broker.fetched_bytes(asked).expect("answered").concat();
        if bytes.is_empty() {
            return all;
        }
        for batch in records::batches(&bytes) {
            let batch = batch.unwrap();
            assert!(batch.crc_matches());
            assert!(batch.header.last_offset() >= next, "nothing twice");
            for record in batch.records().unwrap().iter() {
                let record = record.unwrap();
                let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                let value = record.value.map(text);
                all.extend(
                    (record.offset >= from)
                        .then(|| (record.offset, text(record.key.unwrap()), value)),
                );
            }
            next = batch.header.last_offset() + 1;
        }
    }
}

/// The same without the fillers.
fn told(broker: &mut ByHand, from: i64) -> String {
    let read = read(broker, "orders", from).into_iter().filter(|record| record.1 != "filler");
    let told =
        read.map(|(offset, key, value)| format!("{offset}:{key}={}", value.unwrap_or_default()));
    told.collect::<Vec<_>>().join(" ")
}

fn listed(broker: &mut ByHand, topic: &str, timestamp: i64) -> i64 {
    let partition = ListOffsetsPartition { timestamp, ..Default::default() };
    let topics = vec![ListOffsetsTopic { name: topic.into(), partitions: vec![partition] }];
    let request = ListOffsetsRequest { topics, ..Default::default() };
    broker.ask(7, request).topics[0].partitions[0].offset
}

/// Start and end of a log.
pub fn bounds(broker: &mut ByHand, topic: &str) -> (i64, i64) {
    (listed(broker, topic, -2), listed(broker, topic, -1))
}

fn compactions(broker: &ByHand) -> Vec<(u64, u64)> {
    let told = broker.events.iter().filter_map(|event| match event {
        Event::Compacted { before, after, .. } => Some((*before, *after)),
        _ => None,
    });
    told.collect()
}

/// Lets a second pass, in which looks are due.
fn look(broker: &mut ByHand) {
    broker.pass(1_000);
    broker.run_jobs();
}

#[test]
fn the_newest_of_each_key_stays_and_offsets_keep_their_gaps() {
    let mut broker = filled(MemFiles::default(), SETTINGS);
    let all = "0:a=1 1:b=1 3:a=2 5:b=2 6:c=1 8:d=1";
    assert_eq!(told(&mut broker, 0), all);

    look(&mut broker);

    let left = "3:a=2 5:b=2 6:c=1 8:d=1";
    assert_eq!(told(&mut broker, 0), left);
    assert_eq!(bounds(&mut broker, "orders"), (0, 10));
    let [(before, after)] = compactions(&broker)[..] else { panic!("{:?}", broker.events) };
    assert!(before > 2100 && after < 1000, "{before} → {after}");
    // A reader whose next record is gone goes on with the one after it.
    for from in 0..=3 {
        assert_eq!(told(&mut broker, from), left);
    }
    assert_eq!(told(&mut broker, 4), "5:b=2 6:c=1 8:d=1");
    assert_eq!(append(&mut broker, "orders", large("a=3")).base_offset, 10);
    broker.run_jobs();
    look(&mut broker);
    broker.pass(5_000);
    broker.run_jobs();
    let texts = broker.files.texts.lock().unwrap().clone();
    assert_eq!(texts["cleaner-offset-checkpoint"], "0\n2\n__cluster_metadata 0 4\norders 0 10\n");

    let mut broker = ByHand::start(broker.files, SETTINGS);
    assert_eq!(told(&mut broker, 0), "3:a=2 5:b=2 6:c=1 8:d=1 10:a=3");
    assert_eq!(bounds(&mut broker, "orders"), (0, 12));
    let files = broker.files.dir_of("orders-0").files();
    assert!(files.keys().all(|name| !name.contains("cleaned") && !name.contains("deleted")));
}

#[test]
fn a_time_is_found_among_what_is_left() {
    let mut broker = ByHand::start(MemFiles::default(), SETTINGS);
    broker.topic("orders");
    for (at, records) in [(0, "a=1 b=1"), (100, "a=2"), (200, "b=2"), (300, "d=1")] {
        let records = format!("{records} {at}={}", "x".repeat(700));
        append(&mut broker, "orders", keyed(Codec::None, AT + at, &records));
        broker.run_jobs();
    }
    look(&mut broker);
    assert_eq!(compactions(&broker).len(), 1);

    for (time, offset) in [(0, 2), (2, 2), (3, 3), (100, 3), (101, 4), (102, 5), (1000, -1)] {
        assert_eq!(listed(&mut broker, "orders", AT + time), offset, "at {time}");
    }
}

#[test]
fn a_pass_waits_until_enough_is_new() {
    let with = |ratio: &str| {
        let mut settings = SETTINGS.to_vec();
        settings[2].1 = ratio.to_string().leak();
        let mut broker = filled(MemFiles::default(), &settings);
        look(&mut broker);
        let first = compactions(&broker).len();
        // The clean part has one segment of about 800 bytes: this is half as much again.
        append(&mut broker, "orders", keyed(Codec::None, AT, &format!("a={}", "y".repeat(300))));
        append(&mut broker, "orders", large("a=3"));
        broker.run_jobs();
        look(&mut broker);
        look(&mut broker);
        (first, compactions(&broker).len() - first)
    };
    assert_eq!(with("1"), (0, 0), "never more than all of it");
    assert_eq!(with("0.99"), (1, 0));
    assert_eq!(with("0.7"), (1, 0));
    assert_eq!(with("0.3"), (1, 1));
    assert_eq!(with("0"), (1, 1));
}

#[test]
fn what_is_not_on_the_disk_for_sure_replaces_nothing() {
    let mut broker = filled(MemFiles::default(), SETTINGS);
    append(&mut broker, "orders", large("b=3"));
    // The segment is full, and its sync under way.
    let sync = broker.jobs.pop().unwrap();
    assert!(matches!(sync.1, Job::Sync { to: 12, .. }), "{sync:?}");

    look(&mut broker);
    assert_eq!(told(&mut broker, 0), "3:a=2 5:b=2 6:c=1 8:d=1 10:b=3");

    broker.input(Input::Done { call: sync.0, done: Ok(Done::Synced { to: 12 }) });
    append(&mut broker, "orders", large("e=1"));
    broker.run_jobs();
    look(&mut broker);
    assert_eq!(told(&mut broker, 0), "3:a=2 6:c=1 8:d=1 10:b=3 12:e=1");
}

#[test]
fn young_records_wait_for_their_lag() {
    let mut settings = SETTINGS.to_vec();
    settings.push(("log.cleaner.min.compaction.lag.ms", "60000"));
    let mut broker = filled(MemFiles::default(), &settings);
    for _ in 0..59 {
        look(&mut broker);
    }
    assert_eq!(compactions(&broker).len(), 0);

    look(&mut broker);
    look(&mut broker);

    assert_eq!(compactions(&broker).len(), 1);
}

#[test]
fn a_tombstone_goes_a_day_after_it_was_first_seen() {
    let mut broker = filled(MemFiles::default(), SETTINGS);
    append(&mut broker, "orders", large("a"));
    append(&mut broker, "orders", large("e=1"));
    broker.run_jobs();
    look(&mut broker);
    assert_eq!(told(&mut broker, 0), "5:b=2 6:c=1 8:d=1 10:a= 12:e=1");

    for (wait_ms, left) in [
        (86_300_000, "5:b=2 6:c=1 8:d=1 10:a= 12:e=1 14:f=1"),
        (200_000, "5:b=2 6:c=1 8:d=1 12:e=1 14:f=1 16:f=1"),
    ] {
        append(&mut broker, "orders", large("f=1"));
        broker.run_jobs();
        broker.pass(wait_ms);
        broker.run_jobs();
        assert_eq!(told(&mut broker, 0), left);
    }
}

#[test]
fn compact_and_delete_do_both() {
    let mut settings = SETTINGS.to_vec();
    settings[0].1 = "compact,delete";
    settings.push(("log.retention.ms", "100000"));
    let mut broker = filled(MemFiles::default(), &settings);
    look(&mut broker);
    assert_eq!(told(&mut broker, 0), "3:a=2 5:b=2 6:c=1 8:d=1");

    for _ in 0..70 {
        broker.pass(10_000);
        broker.run_jobs();
    }

    assert!(broker.events.iter().any(|event| matches!(event, Event::SegmentsDeleted { .. })));
    assert_eq!(told(&mut broker, 10), "");
    assert_eq!(bounds(&mut broker, "orders"), (10, 10));
    assert_eq!(append(&mut broker, "orders", large("a=3")).base_offset, 10);
}

/// Retention waits while a pass reads the segments that it would delete.
#[test]
fn retention_does_not_take_what_a_pass_reads() {
    let mut settings = SETTINGS.to_vec();
    settings[0].1 = "compact,delete";
    settings.push(("log.retention.ms", "100"));
    settings.push(("log.retention.check.interval.ms", "10"));
    settings[3].1 = "5";
    let mut broker = filled(MemFiles::default(), &settings);
    broker.pass(5);
    assert!(matches!(&broker.jobs[..], [(_, Job::Compact { .. })]), "{:?}", broker.jobs);
    let files = broker.files.dir_of("orders-0").files();

    broker.pass(100_000);
    assert_eq!(broker.files.dir_of("orders-0").files(), files);
    assert!(broker.deadline().is_none_or(|at| at > broker.now.mono_ms));
    broker.run_jobs();
    broker.pass(20);

    assert!(broker.events.iter().any(|event| matches!(event, Event::SegmentsDeleted { .. })));
    assert_eq!(bounds(&mut broker, "orders"), (10, 10));
}

#[test]
fn a_pass_that_fails_leaves_the_log_is_told_once_and_tried_again_later() {
    let mut broker = filled(MemFiles::default(), SETTINGS);
    let all = told(&mut broker, 0);
    let log = "00000000000000000000.log";
    let dir = broker.files.dir_of("orders-0");
    let size = dir.bytes(log).len() as u64;
    // A disk that turns a bit of a length.
    dir.flip(log, 8, 1);
    let mut tried = Vec::new();
    for second in 0..40 {
        broker.pass(1_000);
        if broker.jobs.iter().any(|(_, job)| matches!(job, Job::Compact { .. })) {
            tried.push(second);
        }
        broker.run_jobs();
    }
    let told_of: Vec<_> =
        broker.events.iter().filter(|event| matches!(event, Event::NotCompacted { .. })).collect();
    let [Event::NotCompacted { partition, why }] = &told_of[..] else { panic!("{told_of:?}") };
    assert_eq!(partition, "orders-0");
    assert!(why.starts_with("00000000000000000000.log is damaged at byte 0: "), "{why}");
    assert_eq!(tried, [0, 1, 3, 7, 15, 31]);
    assert_eq!(dir.bytes(log).len() as u64, size);
    assert!(dir.files().keys().all(|name| !name.contains("cleaned")));

    dir.flip(log, 8, 1);
    assert_eq!(told(&mut broker, 0), all);
    broker.pass(100_000);
    broker.run_jobs();
    assert_eq!(told(&mut broker, 0), "3:a=2 5:b=2 6:c=1 8:d=1");
}

#[test]
fn a_full_disk_is_a_pass_that_fails() {
    let mut broker = filled(MemFiles::default(), SETTINGS);
    broker.files.dir_of("orders-0").set_space(Some(500));
    let all = told(&mut broker, 0);
    look(&mut broker);
    assert!(broker.events.iter().any(|event| matches!(event, Event::NotCompacted { .. })));
    assert_eq!(told(&mut broker, 0), all);
    broker.files.dir_of("orders-0").set_space(None);
    broker.pass(10_000);
    broker.run_jobs();
    assert_eq!(compactions(&broker).len(), 1);
}

/// A result that does not fit the log any more (somebody moved its start, say) takes no effect.
#[test]
fn segments_that_are_not_those_of_the_pass_stay() {
    let mut broker = filled(MemFiles::default(), SETTINGS);
    let all = told(&mut broker, 0);
    broker.pass(1_000);
    let (call, job) = broker.jobs.pop().unwrap();
    let Ok(Done::Compacted(pass)) = broker.files.run(job) else { panic!() };
    let mut segments = pass.groups[0].segments.clone();
    segments[1] = Sealed { size: segments[1].size + 1, ..segments[1] };
    let other = Compacted { groups: vec![Group { segments }], ..pass };

    broker.input(Input::Done { call, done: Ok(Done::Compacted(other)) });
    broker.run_jobs();

    assert_eq!(told(&mut broker, 0), all);
    assert_eq!(compactions(&broker).len(), 0);
    look(&mut broker);
    assert_eq!(compactions(&broker).len(), 1, "the next pass is right");
}

#[test]
fn a_topic_that_is_deleted_meanwhile_is_gone_and_its_successor_is_left_alone() {
    let mut broker = filled(MemFiles::default(), SETTINGS);
    broker.topic("others");
    fill(&mut broker, "others");
    broker.pass(1_000);
    let passes: Vec<_> = std::mem::take(&mut broker.jobs);
    let [(call, job @ Job::Compact { .. })] = &passes[..] else {
        panic!("one at a time: {passes:?}")
    };
    let request = DeleteTopicsRequest { topic_names: vec!["orders".into()], ..Default::default() };
    assert!(broker.ask(5, request).responses[0].error_code.is_ok());
    broker.topic("orders");
    fill(&mut broker, "orders");
    let before = told(&mut broker, 0);
    // The pass has gone on, and finds the new topic's directory under the old name.
    let done = broker.files.run(job.clone());
    assert!(done.is_ok());

    broker.input(Input::Done { call: *call, done });
    assert!(
        broker.jobs.iter().any(|(_, job)| matches!(job, Job::Sweep { dir } if dir == "orders-0"))
    );
    assert_eq!(told(&mut broker, 0), before);
    broker.run_jobs();

    assert!(broker.files.dir_of("orders-0").files().keys().all(|name| !name.contains("cleaned")));
    look(&mut broker);
    assert_eq!(compactions(&broker).len(), 2, "both have had their turn: {:?}", broker.events);
}

#[test]
fn a_topic_that_is_deleted_between_pass_and_swap_leaves_its_successor_free_to_be_compacted() {
    let mut broker = filled(MemFiles::default(), SETTINGS);
    broker.pass(1_000);
    let delete = DeleteTopicsRequest { topic_names: vec!["orders".into()], ..Default::default() };
    let create = |name| {
        let topics = vec![crate::topics::with(name, &[])];
        CreateTopicsRequest { topics, ..Default::default() }
    };
    // While a sync is under way the next decisions wait, and take effect together after another.
    broker.input(request(1000, 7, create("others")));
    broker.turn(vec![request(1001, 5, delete), request(1002, 7, create("orders"))]);
    let (call, job) = broker.jobs.pop().unwrap();
    let done = broker.files.run(job);
    broker.done(true, call, done);
    // Both and the end of the pass come before the next tick.
    let (sync, job) = broker.jobs.pop().unwrap();
    assert!(matches!(job, Job::Sync { .. }), "{job:?}");
    let (call, pass) = broker.jobs.pop().unwrap();
    assert!(matches!(pass, Job::Compact { .. }), "{pass:?}");
    let pass = broker.files.run(pass);
    let synced = broker.files.run(job);
    broker.coordinator_done(sync, synced);
    broker.turn(vec![Input::Done { call, done: pass }]);
    broker.run_jobs();
    assert_eq!(bounds(&mut broker, "orders"), (0, 0));
    assert_eq!(compactions(&broker).len(), 0);

    fill(&mut broker, "orders");
    look(&mut broker);
    assert_eq!(compactions(&broker).len(), 1);
    assert_eq!(told(&mut broker, 0), "3:a=2 5:b=2 6:c=1 8:d=1");
}

/// An answer that was given before the swap says where something stands in the old file.
#[test]
fn an_answer_of_the_same_turn_gets_the_bytes_that_it_names() {
    let mut broker = filled(MemFiles::default(), SETTINGS);
    broker.pass(1_000);
    let (call, job) = broker.jobs.pop().unwrap();
    let done = broker.files.run(job);
    let fetches = [1000, 1001].map(|number| request(number, 12, fetch("orders", 0, 5)));
    let [before, after] = fetches;

    broker.turn(vec![before, Input::Done { call, done }, after]);

    for number in [1000, 1001] {
        let bytes = broker.fetched_bytes(number).unwrap().concat();
        let first = records::batches(&bytes).next().unwrap().unwrap();
        assert_eq!(first.header.base_offset, 5);
        assert!(first.crc_matches());
    }
    broker.run_jobs();
    assert_eq!(compactions(&broker).len(), 1);
    assert_eq!(told(&mut broker, 5), "5:b=2 6:c=1 8:d=1");
}

#[test]
fn many_partitions_come_one_after_the_other() {
    let mut broker = ByHand::start(MemFiles::default(), SETTINGS);
    let topics: Vec<String> = (0..5).map(|n| format!("topic-{n}")).collect();
    for topic in &topics {
        broker.topic(topic);
        fill(&mut broker, topic);
    }
    broker.pass(1_000);
    let mut passes = 0;
    while !broker.jobs.is_empty() {
        let running =
            broker.jobs.iter().filter(|(_, job)| matches!(job, Job::Compact { .. })).count();
        assert!(running <= 1, "{:?}", broker.jobs);
        passes += running;
        let (call, job) = broker.jobs.remove(0);
        let done = broker.files.run(job);
        broker.input(Input::Done { call, done });
    }
    assert_eq!((passes, compactions(&broker).len()), (5, 5));
}

#[test]
fn a_record_without_a_key_is_refused_by_a_compacted_topic_only() {
    for codec in [Codec::None, Codec::Gzip] {
        let keyless = |keys: [Option<&[u8]>; 3]| {
            let mut builder = Builder::new(codec);
            for key in keys {
                builder.push(AT, key, Some(b"value"), std::iter::empty());
            }
            builder.finish().unwrap()
        };
        let mut broker = ByHand::start(MemFiles::default(), SETTINGS);
        broker.topic("orders");
        let refused = append(&mut broker, "orders", keyless([Some(b"a"), None, Some(b"")]));
        assert_eq!((refused.error_code, refused.base_offset), (ErrorCode::INVALID_RECORD, -1));
        assert_eq!(
            refused.error_message.as_deref(),
            Some(
                "Compacted topic cannot accept message without key in topic partition orders-0. \
                 (record 1 of the batch)"
            )
        );
        assert_eq!(append(&mut broker, "orders", keyless([Some(b""); 3])).base_offset, 0);
        let mut nonsense = keyless([Some(b"a"); 3]);
        nonsense.truncate(nonsense.len() - 1);
        let length = nonsense.len() as u32 - 12;
        nonsense[8..12].copy_from_slice(&length.to_be_bytes());
        let refused = append(&mut broker, "orders", crate::batches::resealed(nonsense));
        assert_eq!(refused.error_code, ErrorCode::INVALID_RECORD);

        // Also when the broker starts again; and a topic that is not compacted takes them.
        let mut broker = ByHand::start(broker.files, SETTINGS);
        let refused = append(&mut broker, "orders", keyless([None; 3]));
        assert_eq!(refused.error_code, ErrorCode::INVALID_RECORD);
        let mut broker = ByHand::new();
        broker.topic("orders");
        assert!(append(&mut broker, "orders", keyless([None; 3])).error_code.is_ok());
    }
}

fn passes(broker: &ByHand) -> usize {
    broker.jobs.iter().filter(|(_, job)| matches!(job, Job::Compact { .. })).count()
}

/// A power loss could take the newest record of a key, when the older one has gone already.
#[test]
fn what_is_not_on_the_disk_yet_is_not_compacted() {
    let mut broker = ByHand::start(MemFiles::default(), SETTINGS);
    broker.topic("orders");
    for records in ["a=1 b=1", "a=2", "b=2 c=1", "d=1"] {
        append(&mut broker, "orders", large(records)); // its sync is under way
    }
    broker.pass(1_000);
    assert_eq!(passes(&broker), 0, "{:?}", broker.jobs);

    broker.run_jobs();
    broker.pass(1_000);
    assert_eq!(passes(&broker), 1, "{:?}", broker.jobs);
}

#[test]
fn what_was_compacted_is_known_after_a_start() {
    let settings = &[SETTINGS, &[("log.cleaner.min.cleanable.ratio", "0.5")]].concat();
    let mut broker = filled(MemFiles::default(), settings);
    look(&mut broker);
    assert_eq!(compactions(&broker).len(), 1);
    broker.pass(5_000); // the checkpoint is written
    broker.run_jobs();

    let mut broker = ByHand::start(broker.files, settings);
    broker.pass(3_000);
    assert_eq!(passes(&broker), 0, "there is nothing new: {:?}", broker.jobs);

    broker.files.texts.lock().unwrap().remove("cleaner-offset-checkpoint");
    let mut broker = ByHand::start(broker.files, settings);
    broker.pass(3_000);
    assert_eq!(passes(&broker), 1, "it does more than it had to: {:?}", broker.jobs);
}

#[test]
fn a_clean_stop_after_a_swap_syncs_what_came_before_it() {
    let mut broker = filled(MemFiles::default(), SETTINGS);
    look(&mut broker);
    assert_eq!(compactions(&broker).len(), 1);
    append(&mut broker, "orders", keyed(Codec::None, AT, "z=1"));
    broker.broker.stop().unwrap();
    let texts = broker.files.texts.lock().unwrap().clone();
    assert_eq!(
        texts["recovery-point-offset-checkpoint"],
        "0\n2\n__cluster_metadata 0 4\norders 0 11\n"
    );
    assert_eq!(texts["cleaner-offset-checkpoint"], "0\n2\n__cluster_metadata 0 4\norders 0 8\n");
}

#[test]
fn a_disk_that_dies_during_the_swap_is_told_and_finished_at_the_next_call() {
    let mut broker = filled(MemFiles::default(), SETTINGS);
    broker.pass(1_000);
    let (call, job) = broker.jobs.pop().unwrap();
    let done = broker.files.run(job);
    assert!(done.is_ok());
    let dir = broker.files.dir_of("orders-0");
    // The commit, and then one more rename: after that the disk says no for a while.
    broker.files.life.set(Some(2));
    broker.input(Input::Done { call, done });
    assert!(dir.files().keys().any(|name| name.ends_with(".swap")), "{:?}", dir.files().keys());
    assert!(broker.events.iter().any(|event| matches!(event, Event::NotCompacted { .. })));
    let refused = append(&mut broker, "orders", large("e=1"));
    assert_eq!(refused.error_code, ErrorCode::KAFKA_STORAGE_ERROR);

    broker.files.life.set(None);

    assert_eq!(told(&mut broker, 0), "3:a=2 5:b=2 6:c=1 8:d=1");
    assert_eq!(bounds(&mut broker, "orders"), (0, 10));
    assert_eq!(append(&mut broker, "orders", large("e=1")).base_offset, 10);
    broker.run_jobs();
    broker.pass(10_000);
    broker.run_jobs();
    let files = dir.files();
    assert!(
        files.keys().all(|name| !name.contains("deleted") && !name.contains("swap")),
        "{:?}",
        files.keys()
    );
}
