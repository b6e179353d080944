//! The small client while a leader dies or hangs: real processes, real kills.
#![allow(clippy::disallowed_methods, reason = "real processes, in real time")]

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use crate::cluster::Cluster;
use crate::server::{run, text};

const LEADER: usize = 1;

fn cluster(settings: &[&str]) -> Cluster {
    let cluster = Cluster::start(settings);
    let create =
        "topics --create --topic t --replica-assignment 1:2:3 --config min.insync.replicas=2";
    ok(&cluster, create);
    cluster
}

fn ok(cluster: &Cluster, line: &str) -> String {
    let output = run(&args(cluster, line), b"");
    assert!(output.status.success(), "{line}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn args<'a>(cluster: &'a Cluster, line: &'a str) -> Vec<&'a str> {
    line.split(' ').chain(["--bootstrap-server", &cluster.servers]).collect()
}

fn start(cluster: &Cluster, line: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mini-broker"));
    command.args(args(cluster, line));
    let streams = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    streams.spawn().unwrap()
}

fn said(mut child: Child) -> String {
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success(), "{said}");
    said
}

/// A message every millisecond, so that there is never a quiet moment to find the new leader in.
#[test]
fn produce_and_consume_go_on_when_the_leader_is_killed() {
    let mut cluster = cluster(&[]);
    let mut reader = start(
        &cluster,
        "consume --topic t --from-beginning --max-messages 3000 --timeout-ms 20000",
    );
    let read = read_on(&mut reader);
    let mut writer = start(&cluster, "produce --topic t");
    let mut lines = writer.stdin.take().unwrap();
    for number in 0..3_000 {
        if number == 1_000 {
            cluster.kill(LEADER);
        }
        writeln!(lines, "{number}").unwrap();
        lines.flush().unwrap();
        sleep(Duration::from_millis(1));
    }
    drop(lines);
    said(writer);
    said(reader);
    let read = read.join().unwrap();
    let there: BTreeSet<u32> = read.lines().map(|line| line.parse().unwrap()).collect();
    // What was sent twice may be there twice: then the reader has stopped before the last ones.
    let twice = read.lines().count() - there.len();
    assert!(there.len() + twice >= 3_000 && twice < 100, "{twice} twice");
    assert!((0..3_000 - twice as u32).all(|number| there.contains(&number)));
}

/// The same in groups. A group's coordinator leads one of the 50 partitions of `__consumer_offsets`: for
/// some of them it dies, too.
#[test]
fn members_of_groups_go_on_when_the_leader_is_killed() {
    let mut cluster = cluster(&["group.initial.rebalance.delay.ms=0"]);
    let readers = ["g0", "g1", "g2", "g3"].map(|group| {
        let line = format!(
            "consume --topic t --group {group} --from-beginning --max-messages 1500 --timeout-ms 20000 \
             --consumer-property heartbeat.interval.ms=200 --property print.value=false \
             --property print.offset=true"
        );
        let mut reader = start(&cluster, &line);
        (read_on(&mut reader), reader)
    });
    let writer = start(
        &cluster,
        "perf produce --topic t --record-size 10 --num-records 1500 --throughput 1000 \
         --producer-props acks=all enable.idempotence=true",
    );
    sleep(Duration::from_millis(700));
    cluster.kill(LEADER);
    said(writer);
    for (read, reader) in readers {
        said(reader);
        let offsets = read.join().unwrap();
        let offsets: Vec<u32> = offsets
            .lines()
            .map(|line| line.trim_start_matches("Offset:").parse().unwrap())
            .collect();
        // What a commit has not reached is read twice: then it stops before the last ones.
        let there: BTreeSet<u32> = offsets.iter().copied().collect();
        assert!(there.iter().copied().eq(0..there.len() as u32), "{offsets:?}");
        assert!(offsets.len() == 1_500 && there.len() > 600, "{offsets:?}");
    }
}

/// Its standard output, to the end.
fn read_on(child: &mut Child) -> JoinHandle<String> {
    let mut out = child.stdout.take().unwrap();
    spawn(move || {
        let mut read = String::new();
        out.read_to_string(&mut read).map(|_| read).unwrap()
    })
}

/// Nothing closes the connection of a process that hangs. Its answer is given up after a while, and so
/// is whatever it is asked of the cluster.
#[test]
fn a_producer_leaves_a_leader_that_hangs() {
    let cluster = cluster(&["broker.session.timeout.ms=2000", "broker.heartbeat.interval.ms=200"]);
    let perf = "perf produce --topic t --record-size 10 --num-records 2000 --throughput 1000 \
                --producer-props acks=all enable.idempotence=true request.timeout.ms=1500";
    let line = perf.split_whitespace().collect::<Vec<_>>().join(" ");
    let started = Instant::now();
    let writer = start(&cluster, &line);
    sleep(Duration::from_millis(700));
    cluster.pause(LEADER);
    said(writer);
    let took = started.elapsed();
    assert!(took < Duration::from_secs(25), "{took:?}");
    let read =
        ok(&cluster, "consume --topic t --from-beginning --max-messages 2001 --timeout-ms 2000");
    assert_eq!(read.lines().count(), 2_000, "neither lost nor twice");
}

#[test]
fn an_idempotent_producer_numbers_its_records() {
    let cluster = cluster(&[]);
    ok(
        &cluster,
        "perf produce --topic t --record-size 10 --num-records 300 --producer-props acks=all \
         enable.idempotence=true batch.size=200 linger.ms=1000",
    );
    let log = cluster.log(LEADER, "t");
    let dumped = text(&run(&["dump-log", "--files", log.to_str().unwrap()], b"").stdout);
    let mut next = 0;
    for batch in dumped.lines().filter(|line| line.starts_with("baseOffset: ")) {
        let words: Vec<&str> = batch.split(' ').collect();
        let field = |name: &str| -> i64 {
            let at = words.iter().position(|word| *word == name).unwrap();
            words[at + 1].parse().unwrap()
        };
        assert!(field("producerId:") >= 0 && field("producerEpoch:") == 0, "{batch}");
        assert_eq!(field("baseSequence:"), next, "{batch}");
        next = field("lastSequence:") + 1;
    }
    assert_eq!(next, 300);
}
