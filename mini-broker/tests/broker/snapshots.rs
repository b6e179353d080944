//! Snapshots of the metadata log: the log does not grow for ever, and nothing that it said is lost.

use mini_broker::broker::{Config, Event, Job};
use mini_broker::coordinator::snapshot::{self, Snapshot};
use mini_broker::coordinator::{Cluster, Coordinator};
use wire::topics::{CreatePartitionsRequest, CreatePartitionsTopic, DeleteTopicsRequest};

use crate::by_hand::{ByHand, MemFiles};
use crate::coordinator::Driven;

/// So small that a few decisions are enough for a snapshot, and for a segment.
pub const SMALL: [(&str, &str); 2] = [
    ("metadata.log.max.record.bytes.between.snapshots", "2000"),
    ("metadata.log.segment.bytes", "500"),
];

pub fn delete(name: &str) -> DeleteTopicsRequest {
    DeleteTopicsRequest { topic_names: vec![name.into()], ..Default::default() }
}

/// The names of the snapshots and of the log's files.
pub fn names(files: &MemFiles) -> (Vec<String>, Vec<String>) {
    let all = files.metadata.files().into_keys();
    let (snapshots, rest): (Vec<_>, Vec<_>) = all.partition(|name| name.contains("checkpoint"));
    (snapshots, rest.into_iter().filter(|name| name.ends_with(".log")).collect())
}

/// Makes and deletes topics until there is a snapshot more.
pub fn until_snapshot(driven: &mut Driven) {
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

/// A snapshot says what is there, not what was.
#[test]
fn topics_that_came_and_went_leave_nothing_behind() {
    let mut driven = Driven::of_three(&[
        ("metadata.log.max.record.bytes.between.snapshots", "100000"),
        ("metadata.log.segment.bytes", "50000"),
    ]);
    driven.topic("orders", &[&[1, 2], &[2, 1]], &[("retention.ms", "1000")]);
    for round in 0..100 {
        let all: Vec<String> = (0..100).map(|n| format!("churn{}", 100 * round + n)).collect();
        let topics = all.iter().flat_map(|name| create(name, 1).topics).collect();
        let request = wire::topics::CreateTopicsRequest { topics, ..Default::default() };
        let created = driven.ask(99, request).topics;
        assert!(created.iter().all(|topic| topic.error_code.is_ok()));
        driven.ask(99, DeleteTopicsRequest { topic_names: all, ..Default::default() });
    }
    until_snapshot(&mut driven);
    let (snapshots, logs) = names(&driven.files);
    let size = |name: &String| driven.files.metadata.files().remove(name).unwrap().len();
    assert!(size(&snapshots[0]) < 1_000, "{}", size(&snapshots[0]));
    assert!(logs.iter().map(size).sum::<usize>() < 200_000);
    let cluster = driven.coordinator.cluster().clone();
    assert_eq!(cluster.topics.len(), 1);
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
    for seed in 0..20 {
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

pub fn create(name: &str, partitions: i32) -> wire::topics::CreateTopicsRequest {
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
