//! A snapshot as brokers read it: one that starts, and one that runs and was away for long.

use mini_broker::broker::{Broker, Config, Event, Files, Input, Node, Output};
use mini_broker::coordinator::{METADATA_TOPIC, snapshot};
use wire::broker_lifecycle::BrokerHeartbeatRequest;
use wire::fetch::{FetchPartition, FetchRequest, FetchTopic, SnapshotId};
use wire::fetch_snapshot::{FetchSnapshotPartition, FetchSnapshotRequest, FetchSnapshotTopic};
use wire::metadata::MetadataRequest;
use wire::topics::{CreatePartitionsRequest, CreatePartitionsTopic};
use wire::{ErrorCode, Request};

use crate::batches::fetch;
use crate::by_hand::{ByHand, MemFiles, WALL_MS};
use crate::coordinator::Driven;
use crate::snapshots::{SMALL, create, delete, names, until_snapshot};

const AT: i64 = WALL_MS as i64;

fn fetch_metadata(offset: i64) -> FetchRequest {
    let partition =
        FetchPartition { fetch_offset: offset, partition_max_bytes: 1 << 20, ..Default::default() };
    FetchRequest {
        topics: vec![FetchTopic {
            topic: METADATA_TOPIC.into(),
            partitions: vec![partition],
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn piece(id: SnapshotId, position: i64) -> FetchSnapshotRequest {
    let partition = FetchSnapshotPartition { snapshot_id: id, position, ..Default::default() };
    let topic = FetchSnapshotTopic { name: METADATA_TOPIC.into(), partitions: vec![partition] };
    FetchSnapshotRequest { max_bytes: 100, topics: vec![topic], ..Default::default() }
}

#[test]
fn whoever_is_too_far_behind_is_told_of_the_snapshot_and_gets_it_in_pieces() {
    let mut driven = Driven::of_three(&SMALL);
    until_snapshot(&mut driven);
    let told = driven.ask(5, fetch_metadata(0)).responses.remove(0).partitions.remove(0);
    assert_eq!(told.error_code, ErrorCode::NONE);
    let id = told.snapshot_id;
    assert_eq!(names(&driven.files).0, [format!("{:020}-{:010}.checkpoint", id.end_offset, 0)]);
    // Whoever is not far behind goes on in the log, from its first segment on.
    let start = told.log_start_offset;
    assert!(start > 0 && start < id.end_offset);
    assert_eq!(names(&driven.files).1[0], format!("{start:020}.log"));
    let told = driven.ask(5, fetch_metadata(start)).responses.remove(0).partitions.remove(0);
    assert!(told.snapshot_id.end_offset == -1 && told.error_code.is_ok());

    let mut bytes = Vec::new();
    loop {
        let asked = piece(id.clone(), bytes.len() as i64);
        let told = driven.ask(5, asked).topics.remove(0).partitions.remove(0);
        assert_eq!((told.error_code, told.position), (ErrorCode::NONE, bytes.len() as i64));
        assert!(told.unaligned_records.len() <= 100);
        bytes.extend_from_slice(&told.unaligned_records);
        if bytes.len() as i64 == told.size {
            break;
        }
    }
    assert!(snapshot::read(&bytes).is_ok());

    let code = |driven: &mut Driven, asked: FetchSnapshotRequest| {
        driven.ask(5, asked).topics.remove(0).partitions.remove(0).error_code
    };
    let size = bytes.len() as i64;
    assert_eq!(code(&mut driven, piece(id.clone(), size)), ErrorCode::POSITION_OUT_OF_RANGE);
    assert_eq!(code(&mut driven, piece(id.clone(), -1)), ErrorCode::POSITION_OUT_OF_RANGE);
    let other = SnapshotId { end_offset: id.end_offset + 1, ..id.clone() };
    assert_eq!(code(&mut driven, piece(other, 0)), ErrorCode::SNAPSHOT_NOT_FOUND);
    let other = SnapshotId { epoch: 1, ..id.clone() };
    assert_eq!(code(&mut driven, piece(other, 0)), ErrorCode::SNAPSHOT_NOT_FOUND);
    let mut elsewhere = piece(id.clone(), 0);
    elsewhere.topics[0].name = "orders".into();
    assert_eq!(code(&mut driven, elsewhere), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    let stranger = FetchSnapshotRequest { cluster_id: Some("other".into()), ..piece(id, 0) };
    assert_eq!(driven.ask(5, stranger).error_code, ErrorCode::INCONSISTENT_CLUSTER_ID);
    let stranger = FetchRequest { cluster_id: Some("other".into()), ..fetch_metadata(0) };
    assert_eq!(driven.ask(5, stranger).error_code, ErrorCode::INCONSISTENT_CLUSTER_ID);
}

fn topics(broker: &mut ByHand) -> Vec<(String, usize)> {
    let all = broker.ask(12, MetadataRequest::default()).topics.into_iter();
    all.map(|topic| (topic.name.unwrap(), topic.partitions.len())).collect()
}

/// Makes and deletes topics until the log no longer goes back to where it began.
fn churn(broker: &mut ByHand) {
    let before = names(&broker.files);
    for n in 0..60 {
        let name = format!("churn{n}");
        broker.decide(create(&name, 1));
        broker.decide(delete(&name));
    }
    let after = names(&broker.files);
    assert_ne!(before.0, after.0);
    assert!(after.1[0] > *before.1.last().unwrap(), "{before:?} {after:?}");
}

#[test]
fn a_broker_starts_from_a_snapshot_with_all_its_topics_and_records() {
    let mut broker = ByHand::start(MemFiles::default(), &SMALL);
    broker.topic("orders");
    broker.append("orders", AT, &["a", "b"]);
    broker.topic("gone");
    broker.append("gone", AT, &["old"]);
    let left = broker.files.dir_of("gone-0").files();
    broker.ask(5, delete("gone"));
    for n in 0..40 {
        broker.topic(&format!("t{n}"));
        broker.ask(5, delete(&format!("t{n}")));
    }
    assert_eq!(names(&broker.files).0.len(), 1);
    // A kill came between the deletion of its topic and its own.
    for (name, bytes) in left {
        broker.files.dir_of("gone-0").put(&name, bytes);
    }

    let mut broker = ByHand::start(broker.files, &SMALL);

    assert_eq!(topics(&mut broker), [("orders".into(), 1)]);
    let asked = broker.send(12, fetch("orders", 0, 0));
    assert_eq!(broker.fetched(asked).unwrap().len(), 2);
    broker.run_jobs();
    assert_eq!(directories(&broker), ["orders-0"]);
    assert_eq!(broker.events, [Event::LeftOver { dir: "gone-0".into() }]);
}

/// All that an old copy of the metadata log does not know yet would be taken for deleted.
#[test]
#[should_panic(expected = "before, and the coordinator had it up to 4 only")]
fn a_metadata_log_that_is_behind_what_was_read_before_is_refused() {
    let mut broker = ByHand::new();
    broker.topic("orders");
    let old = broker.files.metadata.files();
    broker.topic("later");
    broker.append("later", AT, &["a"]);
    broker.pass(60_000);
    broker.run_jobs();
    broker.pass(5_000);
    broker.run_jobs();
    let metadata = offset_log_solution::MemDir::holding(old);
    ByHand::start(MemFiles { metadata, ..broker.files.copy() }, &[]);
}

/// The directories that there are.
fn directories(broker: &ByHand) -> Vec<String> {
    broker.files.dirs().unwrap()
}

#[test]
fn a_broker_that_runs_and_was_away_for_long_learns_what_is_different() {
    let settings = [&SMALL[..], &[("broker.heartbeat.interval.ms", "1000")]].concat();
    let mut broker = ByHand::start(MemFiles::default(), &settings);
    for name in ["stays", "grows", "goes", "new again"] {
        broker.decide(create(&name.replace(' ', "-"), 1));
    }
    broker.pass(0);
    for name in ["stays", "grows", "goes", "new-again"] {
        broker.append(name, AT, &["old"]);
    }
    let patient = FetchRequest { max_wait_ms: 60_000, min_bytes: 1, ..fetch("goes", 0, 1) };
    let waits = broker.send(12, patient);
    broker.events.clear();
    broker.part();
    broker.decide(delete("goes"));
    broker.decide(delete("new-again"));
    broker.decide(create("new-again", 2));
    broker.decide(CreatePartitionsRequest {
        topics: vec![CreatePartitionsTopic { name: "grows".into(), count: 3, assignments: None }],
        ..Default::default()
    });
    broker.decide(create("new", 1));
    // Its leaders' epochs end, and others begin.
    for want_fence in [true, false] {
        let heartbeat = BrokerHeartbeatRequest {
            broker_id: 1,
            broker_epoch: 0,
            current_metadata_offset: i64::MAX,
            want_fence,
            ..Default::default()
        };
        assert_eq!(broker.decide(heartbeat).is_fenced, want_fence);
    }
    churn(&mut broker);
    // As far as it knows nothing has changed.
    assert_eq!(topics(&mut broker).len(), 4);

    broker.meet();
    broker.pass(1_000);
    broker.run_jobs();

    let all =
        [("grows".into(), 3), ("new".into(), 1), ("new-again".into(), 2), ("stays".into(), 1)];
    assert_eq!(topics(&mut broker), all);
    assert_eq!(directories(&broker), ["grows-0", "stays-0"], "and none of those that went");
    let told = broker.answer::<FetchRequest>(waits).unwrap();
    let told = told.responses[0].partitions[0].error_code;
    assert_eq!(told, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    assert_eq!(broker.append("stays", AT, &["new"]), 1);
    let asked = broker.send(12, fetch("stays", 0, 1));
    let bytes = broker.fetched_bytes(asked).unwrap().remove(0);
    assert_eq!(bytes[12..16], 2i32.to_be_bytes(), "the leader's epoch");
    assert_eq!(broker.append("new", AT, &["new"]), 0);
    assert_eq!(broker.append("new-again", AT, &["new"]), 0);
    // Of what came and went it only knows what stands in the log behind the snapshot.
    let created = broker.events.iter().filter_map(|event| match event {
        Event::TopicCreated { topic } => Some(topic.as_str()),
        _ => None,
    });
    let (churned, new): (Vec<_>, Vec<_>) = created.partition(|topic| topic.starts_with("churn"));
    assert_eq!(new, ["new", "new-again"]);
    assert!(churned.len() < 20, "{churned:?}");
}

#[test]
fn a_broker_that_finds_nothing_behind_the_snapshot_does_not_wait_for_it() {
    let each = [
        ("metadata.log.max.record.bytes.between.snapshots", "1"),
        ("metadata.log.segment.bytes", "1"),
    ];
    let mut driven = Driven::of_three(&each);
    let before = driven.now.mono_ms;
    assert_eq!(comes_by_hand(&mut driven, usize::MAX, |_| ()), 1);
    let took = driven.now.mono_ms - before;
    assert!(took < 1_000, "{took} ms");
}

/// Larger than a piece, and the next is soon there.
const LARGE: [(&str, &str); 2] = [
    ("metadata.log.max.record.bytes.between.snapshots", "400000"),
    ("metadata.log.segment.bytes", "100000"),
];

/// A new broker of the cluster asks the coordinator until clients may come. Before the `nth` piece of a
/// snapshot `between` happens. Gives the number of pieces.
fn comes_by_hand(driven: &mut Driven, nth: usize, between: impl Fn(&mut Driven)) -> usize {
    let mut out = Vec::new();
    let config = Config::new(9, "127.0.0.1", 9099);
    let mut broker = Broker::new(config, Box::new(MemFiles::default()), 9, &mut out).unwrap();
    let (mut pieces, mut waits) = (0, Vec::new());
    for _ in 0..1_000 {
        for (ticket, call) in std::mem::take(&mut waits) {
            match driven.answer(ticket) {
                None => waits.push((ticket, call)),
                Some(response) => {
                    let reply = Ok(response);
                    broker.handle(driven.now, Input::Reply { call, reply }, &mut out);
                }
            }
        }
        for output in std::mem::take(&mut out) {
            match output {
                Output::Send { call, request, .. } => {
                    if matches!(request, Request::FetchSnapshot(_)) {
                        pieces += 1;
                        if pieces == nth {
                            between(driven);
                        }
                    }
                    waits.push((driven.send(9, request), call));
                }
                Output::Ready => return pieces,
                Output::Tell(_) | Output::Keyed(_) => {}
                other => panic!("{other:?}"),
            }
        }
        driven.pass(20);
        broker.tick(driven.now, &mut out);
    }
    panic!("it does not come");
}

#[test]
fn a_snapshot_that_gives_way_to_another_while_it_is_read_is_begun_anew() {
    let mut driven = Driven::of_three(&LARGE);
    let all = vec![&[1][..]; 9_000];
    driven.topic("large", &all, &[]);
    let size = driven.files.metadata.files().remove(&names(&driven.files).0[0]).unwrap().len();
    let whole = size.div_ceil(256 << 10);
    assert!(whole > 1, "{size}");

    assert_eq!(comes_by_hand(&mut driven, usize::MAX, |_| ()), whole);
    driven.lost(9);
    let pieces = comes_by_hand(&mut driven, 2, |driven| {
        driven.topic("as-large", &all, &[]);
    });

    assert!(pieces > whole + 1, "{pieces}");
}
