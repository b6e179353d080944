//! Snapshots of the metadata log: the log does not grow for ever, and nothing that it said is lost.

use mini_broker::broker::{Broker, Config, Event, Input, Job, Node, Output};
use mini_broker::coordinator::snapshot::{self, Snapshot};
use mini_broker::coordinator::{Cluster, Coordinator, METADATA_TOPIC};
use wire::broker_lifecycle::BrokerHeartbeatRequest;
use wire::fetch::{FetchPartition, FetchRequest, FetchTopic, SnapshotId};
use wire::fetch_snapshot::{FetchSnapshotPartition, FetchSnapshotRequest, FetchSnapshotTopic};
use wire::metadata::MetadataRequest;
use wire::topics::{CreatePartitionsRequest, CreatePartitionsTopic, DeleteTopicsRequest};
use wire::{ErrorCode, Request};

use crate::batches::fetch;
use crate::by_hand::{ByHand, MemFiles, WALL_MS};
use crate::coordinator::Driven;

const AT: i64 = WALL_MS as i64;

/// So small that a few decisions are enough for a snapshot, and for a segment.
const SMALL: [(&str, &str); 2] = [
    ("metadata.log.max.record.bytes.between.snapshots", "2000"),
    ("metadata.log.segment.bytes", "500"),
];

fn delete(name: &str) -> DeleteTopicsRequest {
    DeleteTopicsRequest { topic_names: vec![name.into()], ..Default::default() }
}

/// The names of the snapshots and of the log's files.
fn names(files: &MemFiles) -> (Vec<String>, Vec<String>) {
    let all = files.metadata.files().into_keys();
    let (snapshots, rest): (Vec<_>, Vec<_>) = all.partition(|name| name.contains("checkpoint"));
    (snapshots, rest.into_iter().filter(|name| name.ends_with(".log")).collect())
}

/// Makes and deletes topics until there is a snapshot more.
fn until_snapshot(driven: &mut Driven) {
    let before = driven.events.len();
    for n in 0.. {
        let name = format!("churn{n}");
        driven.topic(&name, &[&[1]], &[("retention.ms", "7")]);
        driven.ask(99, delete(&name));
        let since = &driven.events[before..];
        if since.iter().any(|event| matches!(event, Event::SnapshotWritten { .. })) {
            return;
        }
    }
}

#[test]
fn the_log_stays_short_and_one_snapshot_is_kept() {
    let mut driven = Driven::of_three(&SMALL);
    driven.topic("orders", &[&[1, 2], &[2, 1]], &[("retention.ms", "1000")]);
    for _ in 0..10 {
        until_snapshot(&mut driven);
        let (snapshots, logs) = names(&driven.files);
        assert_eq!(snapshots.len(), 1, "{snapshots:?}");
        assert!(logs.len() < 8, "{logs:?}");
    }
    let cluster = driven.coordinator.cluster().clone();
    let mut driven = driven.restart();
    assert_eq!(driven.coordinator.cluster(), &cluster);
    driven.topic("later", &[&[3]], &[]);
    let cluster = driven.coordinator.cluster().clone();
    assert_eq!(driven.restart().coordinator.cluster(), &cluster);
}

/// Something that a cluster may go through.
fn step(driven: &mut Driven, random: &mut fastrand::Rng) {
    let topics: Vec<_> = driven.coordinator.cluster().topics.keys().cloned().collect();
    let one = |random: &mut fastrand::Rng| random.choice(&topics).cloned();
    let broker = random.i32(1..=3);
    match random.u32(0..9) {
        0 | 1 => {
            let name = format!("t{}", random.u32(0..12));
            if !topics.contains(&name) {
                let replicas = [vec![1, 2, 3], vec![3, 1]];
                let replicas: Vec<&[i32]> = replicas[..1].iter().map(Vec::as_slice).collect();
                let live = driven.coordinator.cluster().live();
                if !live.is_empty() {
                    driven.topic(&name, &replicas, &[("retention.ms", "1000")]);
                }
            }
        }
        2 => {
            if let Some(name) = one(random) {
                driven.ask(99, delete(&name));
            }
        }
        3 => {
            if let Some(name) = one(random) {
                let value = random.bool().then_some("7");
                driven.alter(&name, "retention.ms", value);
            }
        }
        4 => {
            let value = random.bool().then_some("7000");
            driven.alter("", "message.max.bytes", value);
        }
        5 => driven.lost(broker as u32),
        6 if driven.is_fenced(broker) => drop(driven.comes(broker)),
        7 => {
            if let Some(name) = one(random) {
                let topic = CreatePartitionsTopic { name, count: 3, assignments: None };
                let topics = vec![topic];
                driven.ask(99, CreatePartitionsRequest { topics, ..Default::default() });
            }
        }
        _ => {
            let broker_epoch = driven.epoch(broker);
            let request =
                wire::producer_id::AllocateProducerIdsRequest { broker_id: broker, broker_epoch };
            driven.ask(99, request);
        }
    }
}

#[test]
fn a_snapshot_and_what_came_after_are_worth_the_whole_log() {
    for seed in 0..12 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut driven = Driven::of_three(&SMALL);
        let mut whole = Driven::of_three(&[]);
        let mut earlier: Vec<Cluster> = vec![Cluster::default()];
        for _ in 0..120 {
            let mut same = random.clone();
            step(&mut driven, &mut random);
            step(&mut whole, &mut same);
            let cluster = driven.coordinator.cluster().clone();
            assert_eq!(&cluster, whole.coordinator.cluster(), "seed {seed}");
            // From wherever somebody stopped reading there is a way to here.
            for mut before in earlier.iter().cloned() {
                let way = before.towards(&cluster);
                way.iter().for_each(|record| before.apply(u64::MAX, record));
                assert_eq!(before, cluster, "seed {seed}: {way:?}");
            }
            if random.u32(0..10) == 0 {
                earlier.push(cluster.clone());
            }
            if random.u32(0..8) == 0 {
                driven = driven.restart();
                whole = whole.restart();
                assert_eq!(driven.coordinator.cluster(), &cluster, "seed {seed}");
            }
            let snapshot = Snapshot::of(&cluster, 7, 1_000);
            assert_eq!(snapshot::read(&snapshot.bytes).unwrap(), cluster, "seed {seed}");
        }
        assert_eq!(names(&driven.files).0.len(), 1, "seed {seed}");
    }
}

#[test]
fn a_snapshot_waits_until_all_that_it_holds_is_on_the_disk() {
    let every = ("metadata.log.max.record.bytes.between.snapshots", "1");
    let mut broker = ByHand::start(MemFiles::default(), &[every]);
    broker.run_jobs();
    broker.send(7, create("orders", 1));
    assert!(matches!(&broker.jobs[..], [(_, Job::Sync { .. })]), "{:?}", broker.jobs);
    broker.run_job();
    assert!(matches!(&broker.jobs[..], [(_, Job::Snapshot { .. })]), "{:?}", broker.jobs);
}

#[test]
fn a_kill_at_any_moment_of_writing_leaves_the_old_one_or_the_new_one() {
    for kept in 0.. {
        let mut driven = Driven::of_three(&SMALL);
        until_snapshot(&mut driven);
        driven.files.life.set(Some(kept));
        while !driven.files.life.is_over() {
            driven.topic("orders", &[&[1]], &[]);
            driven.ask(99, delete("orders"));
        }
        let cluster = driven.coordinator.cluster().clone();
        let (now, _) = names(&driven.files);
        let mut driven = driven.restart();
        assert_eq!(driven.coordinator.cluster(), &cluster, "{kept} changes: {now:?}");
        driven.files.life.set(None);
        until_snapshot(&mut driven);
        let (snapshots, _) = names(&driven.files);
        assert_eq!(snapshots.len(), 1, "what was left over is gone: {snapshots:?}");
        if kept > 12 {
            break;
        }
    }
}

#[test]
fn a_snapshot_that_cannot_be_written_is_tried_again_later_and_the_log_stays() {
    let mut driven = Driven::of_three(&SMALL);
    driven.files.life.set(Some(0));
    let failed = |driven: &Driven| {
        let failed = |event: &&Event| matches!(event, Event::CheckpointFailed { .. });
        driven.events.iter().filter(failed).count()
    };
    let mut made = 0;
    while failed(&driven) < 2 {
        driven.topic(&format!("t{made}"), &[&[1]], &[]);
        made += 1;
    }
    let (snapshots, logs) = names(&driven.files);
    assert!(snapshots.is_empty());
    assert_eq!(logs[0], "00000000000000000000.log");
    driven.files.life.set(None);
    until_snapshot(&mut driven);
    assert_eq!(driven.restart().coordinator.cluster().topics.len(), made);
}

/// What is told of a start on these files.
fn refused(files: &MemFiles) -> String {
    let config = Config::new(3000, "127.0.0.1", 9090);
    match Coordinator::new(config, Box::new(files.clone()), 7) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_damaged_snapshot_is_refused_by_name() {
    let mut driven = Driven::of_three(&SMALL);
    until_snapshot(&mut driven);
    let files = driven.files;
    let name = names(&files).0.remove(0);
    let bytes = files.metadata.files().remove(&name).unwrap();
    assert_eq!(refused(&files.copy()), "");

    for cut in 0..bytes.len() {
        let files = files.copy();
        files.metadata.put(&name, bytes[..cut].to_vec());
        let told = refused(&files);
        assert!(told.contains(&name) && told.contains("nothing was touched"), "{cut}: {told}");
    }
    for position in 0..bytes.len() {
        let files = files.copy();
        files.metadata.flip(&name, position as u64, 1 << (position % 8));
        // The base offset and the epoch of a batch are outside its checksum, and mean nothing here.
        let told = refused(&files);
        assert!(told.is_empty() || told.contains(&name), "{position}: {told}");
        if told.is_empty() {
            let again = Coordinator::new(Config::new(3000, "127.0.0.1", 9090), Box::new(files), 7);
            assert_eq!(again.unwrap().cluster(), driven.coordinator.cluster(), "{position}");
        }
    }
    let twice = [bytes.clone(), bytes].concat();
    files.metadata.put(&name, twice);
    assert!(refused(&files).contains("out of its place"));
}

#[test]
fn a_log_whose_beginning_is_gone_is_refused() {
    let mut driven = Driven::of_three(&SMALL);
    until_snapshot(&mut driven);
    driven.files.metadata.lose(&names(&driven.files).0[0]);
    let told = refused(&driven.files);
    assert!(told.contains("no snapshot says what was before"), "{told}");
}

#[test]
fn a_log_that_lost_its_end_goes_on_behind_the_snapshot() {
    let mut driven = Driven::of_three(&SMALL);
    until_snapshot(&mut driven);
    let mut held = Cluster::default();
    for (name, bytes) in driven.files.metadata.files() {
        match snapshot::end_of(&name) {
            Some(_) => held = snapshot::read(&bytes).unwrap(),
            None => driven.files.metadata.lose(&name),
        }
    }
    let mut driven = driven.restart();
    assert_eq!(driven.coordinator.cluster(), &held);
    driven.topic("later", &[&[3]], &[]);
    let cluster = driven.coordinator.cluster().clone();
    assert_eq!(driven.restart().coordinator.cluster(), &cluster);
}

fn fetch_metadata(offset: i64) -> FetchRequest {
    let partition =
        FetchPartition { fetch_offset: offset, partition_max_bytes: 1 << 20, ..Default::default() };
    FetchRequest {
        topics: vec![FetchTopic { topic: METADATA_TOPIC.into(), partitions: vec![partition] }],
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

fn create(name: &str, partitions: i32) -> wire::topics::CreateTopicsRequest {
    wire::topics::CreateTopicsRequest {
        topics: vec![wire::topics::CreatableTopic {
            name: name.into(),
            num_partitions: partitions,
            replication_factor: -1,
            ..Default::default()
        }],
        ..Default::default()
    }
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
    assert!(broker.files.dir_of("gone-0").files().is_empty(), "known as removed");
    assert!(!broker.events.iter().any(|event| matches!(event, Event::Stray { .. })));
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
