//! A coordinator and its brokers as processes, and what somebody may get wrong about them.

#![allow(clippy::disallowed_methods, reason = "processes take their time")]

mod groups;

use std::fs::{self, File};
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use wire::ErrorCode;
use wire::topics::CreateTopicsRequest;

use crate::batches::batch;
use crate::by_hand::others::one_partition_on;
use crate::process::{Connection, metadata};

/// How long something may take that is expected.
const PATIENCE: Duration = Duration::from_secs(20);

/// The directories of a cluster's nodes, and the port of its coordinator.
struct Place {
    dir: TempDir,
    port: u16,
}

impl Place {
    fn new() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { dir: TempDir::new().unwrap(), port }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn coordinator(&self) -> Process {
        self.coordinator_in("coordinator")
    }

    fn coordinator_in(&self, name: &str) -> Process {
        let started = self.start(name, &["coordinator", "--listen", &self.address()]);
        started.says("coordinator, listening for brokers on")
    }

    /// Starts a broker that takes part.
    fn broker(&self, id: i32) -> Process {
        self.starts(&format!("broker-{id}"), id, &[]).says("listening on")
    }

    /// Starts a broker that may not get so far.
    fn starts(&self, name: &str, id: i32, more: &[&str]) -> Process {
        let (id, coordinator) = (id.to_string(), self.address());
        let args = ["serve", "--listen", "127.0.0.1:0", "--node-id", &id];
        let args = [&args[..], &["--coordinator", &coordinator], more].concat();
        self.start(name, &args)
    }

    fn start(&self, name: &str, args: &[&str]) -> Process {
        let log =
            self.at(&format!("{name}.{}.log", fs::read_dir(self.dir.path()).unwrap().count()));
        let file = File::create(&log).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_mini-broker"));
        command.args(args).arg("--data-dir").arg(self.at(name));
        let command = command.stdout(file.try_clone().unwrap()).stderr(file).stdin(Stdio::null());
        Process { child: command.spawn().unwrap(), log }
    }
}

/// A process, killed when dropped, and all that it has said.
struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Waits until it has said this.
    fn says(self, words: &str) -> Self {
        self.has_said(words, 1);
        self
    }

    fn has_said(&self, words: &str, times: usize) {
        let start = Instant::now();
        while self.log().matches(words).count() < times {
            assert!(start.elapsed() < PATIENCE, "{words:?} is not in\n{}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn connect(&self) -> Connection {
        let log = self.log();
        let line = log.lines().find_map(|line| line.strip_prefix("listening on "));
        Connection::new(line.expect("it listens"))
    }

    fn is_there(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for its end: the exit code, and all it has said.
    fn ends(mut self) -> (i32, String) {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.code().unwrap(), self.log());
            }
            assert!(start.elapsed() < PATIENCE, "it does not end\n{}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits for it to give up with a sentence that says this.
    fn gives_up(self, words: &[&str]) {
        let (code, log) = self.ends();
        assert_eq!(code, 1, "{log}");
        let last = log.lines().last().unwrap();
        let says = words.iter().all(|words| last.contains(words));
        assert!(says && last.starts_with("mini-broker: "), "{words:?}\n{log}");
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes a topic with one partition on these brokers.
fn create(client: &mut Connection, name: &str, broker_ids: &[i32]) -> ErrorCode {
    let request = CreateTopicsRequest { timeout_ms: 1_000, ..one_partition_on(name, broker_ids) };
    client.ask(7, request).topics.remove(0).error_code
}

fn leader(client: &mut Connection, topic: &str) -> i32 {
    client.ask(12, metadata(&[topic])).topics.remove(0).partitions.remove(0).leader_id
}

/// Waits until a broker knows of this leader.
fn led_by(client: &mut Connection, topic: &str, id: i32) {
    let start = Instant::now();
    while leader(client, topic) != id {
        assert!(start.elapsed() < PATIENCE, "{topic} is led by {}", leader(client, topic));
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_broker_with_the_id_of_a_living_one_gives_up_after_a_while_and_disturbs_nobody() {
    let place = Place::new();
    let coordinator = place.coordinator();
    let mut first = place.broker(1);
    let mut client = first.connect();
    assert_eq!(create(&mut client, "orders", &[1]), ErrorCode::NONE);
    let start = Instant::now();

    let soon = ["--set", "broker.session.timeout.ms=500"];
    let second = place.starts("another", 1, &soon);

    second.gives_up(&["another broker is there as node 1", "choose another --node-id"]);
    assert!(start.elapsed() >= Duration::from_millis(1_000), "one that died is waited for");
    assert!(first.is_there());
    assert!(client.produce("orders", -1, batch(0, &["a"])).error_code.is_ok());
    assert!(!coordinator.log().contains("takes no part"), "{}", coordinator.log());
    assert!(!place.at("another/meta.properties").exists(), "it was never one of the cluster");
}

#[test]
fn the_directory_of_another_cluster_is_refused() {
    let (place, other) = (Place::new(), Place::new());
    let (_coordinator, theirs) = (place.coordinator(), other.coordinator());
    drop(other.broker(1));
    drop(theirs);
    fs::rename(other.at("broker-1"), place.at("moved")).unwrap();
    let refused = place.starts("moved", 1, &[]);
    refused.gives_up(&["belongs to cluster", "the coordinator has cluster", "--coordinator"]);
}

#[test]
fn a_broker_at_the_coordinators_address_is_told_once_and_tried_again() {
    let place = Place::new();
    let args = ["serve", "--listen", &place.address()];
    let wrong = place.start("wrong", &args).says("listening on");
    let mut broker = place.starts("broker-2", 2, &[]);
    broker.has_said("a broker answers at its address", 1);
    thread::sleep(Duration::from_millis(700));
    assert_eq!(broker.log().matches("does not answer").count(), 1, "{}", broker.log());
    assert!(broker.is_there());
    drop(wrong);
    let _coordinator = place.coordinator();
    broker.has_said("the coordinator answers again", 1);
    broker.has_said("listening on", 1);
}

#[test]
fn what_is_not_kafka_is_told_so_and_tried_again() {
    let place = Place::new();
    let stranger = TcpListener::bind(place.address()).unwrap();
    thread::spawn(move || {
        for stream in stranger.incoming().take(3) {
            let _ = stream.unwrap().write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let broker = place.starts("broker-1", 1, &[]);
    broker.has_said("it answers in HTTP, not in Kafka's protocol", 1);
    let _coordinator = loop {
        // Until the stranger is gone.
        let address = place.address();
        let started = place.start("coordinator", &["coordinator", "--listen", &address]);
        thread::sleep(Duration::from_millis(300));
        if started.log().contains("listening for brokers") {
            break started;
        }
    };
    broker.has_said("listening on", 1);
    assert_eq!(broker.log().matches("does not answer").count(), 1, "{}", broker.log());
}

#[test]
fn a_coordinator_may_come_later_go_away_and_come_back() {
    let place = Place::new();
    let broker = place.starts("broker-1", 1, &[]);
    broker.has_said("nothing listens there", 1);
    assert!(broker.log().contains(&place.address()), "{}", broker.log());
    let coordinator = place.coordinator();
    broker.has_said("listening on", 1);
    let mut client = broker.connect();
    assert_eq!(create(&mut client, "orders", &[1]), ErrorCode::NONE);

    drop(coordinator);

    broker.has_said("Produce and fetch go on", 1);
    assert!(client.produce("orders", -1, batch(0, &["a"])).error_code.is_ok());
    assert_eq!(client.read("orders", 0).len(), 1);
    assert_eq!(create(&mut client, "later", &[1]), ErrorCode::REQUEST_TIMED_OUT);
    let _coordinator = place.coordinator();
    broker.has_said("the coordinator answers again", 2);
    assert_eq!(create(&mut client, "later", &[1]), ErrorCode::NONE);
    assert_eq!(leader(&mut client, "orders"), 1);
}

#[test]
fn a_coordinator_of_another_cluster_changes_nothing() {
    let place = Place::new();
    let coordinator = place.coordinator();
    let broker = place.broker(1);
    let mut client = broker.connect();
    assert_eq!(create(&mut client, "orders", &[1]), ErrorCode::NONE);
    drop(coordinator);

    let stranger = place.coordinator_in("stranger");
    broker.has_said("the one that answers has", 1);
    assert!(client.produce("orders", -1, batch(0, &["a"])).error_code.is_ok());
    // Nor does a new broker that comes with what it knew.
    let second = place.starts("broker-1", 2, &[]);
    second.gives_up(&["is in use by another"]);
    assert!(!stranger.log().contains("registered"), "{}", stranger.log());

    drop(stranger);
    let _coordinator = place.coordinator();
    broker.has_said("the coordinator answers again", 1);
    assert_eq!(create(&mut client, "later", &[1]), ErrorCode::NONE);
}

#[test]
fn the_directories_of_brokers_and_coordinators_are_not_each_others() {
    let place = Place::new();
    let coordinator = place.coordinator();
    drop(place.broker(1));
    drop(coordinator);

    let metadata_log = ["has a metadata log", "choose another --data-dir"];
    place.starts("coordinator", 1, &[]).gives_up(&metadata_log);
    place.starts("coordinator", 3000, &[]).gives_up(&metadata_log);
    let elsewhere = ["that of a broker whose coordinator is elsewhere", "--coordinator"];
    let address = place.address();
    for id in ["1", "3000"] {
        let args = ["coordinator", "--listen", &address, "--node-id", id];
        place.start("broker-1", &args).gives_up(&elsewhere);
    }
    let alone = ["serve", "--listen", "127.0.0.1:0"];
    place.start("broker-1", &alone).gives_up(&elsewhere);
    place.start("coordinator", &alone).gives_up(&["belongs to node 3000, this one is node 1"]);
    let names = |dir: &Path| -> Vec<_> {
        fs::read_dir(dir).unwrap().map(|file| file.unwrap().file_name()).collect()
    };
    assert!(!names(&place.at("broker-1")).contains(&"__cluster_metadata-0".into()));
}

#[test]
fn an_address_that_cannot_be_meant_is_refused() {
    let place = Place::new();
    let at = |coordinator: &str| {
        let address = place.address();
        place.start("broker", &["serve", "--listen", &address, "--coordinator", coordinator])
    };
    at("here").gives_up(&["--coordinator here", "expected HOST:PORT"]);
    at(&place.address()).gives_up(&["where this broker itself listens"]);
    // A coordinator may listen everywhere: its brokers are told where it is.
    place.start("coordinator", &["coordinator", "--listen", "0.0.0.0:0"]).says("listening for");
    place.start("coordinator", &["coordinator", "--listen", "x"]).gives_up(&["cannot listen on x"]);
}

#[test]
fn three_brokers_in_one_process_are_a_cluster_and_their_directory_is_no_one_brokers() {
    let place = Place::new();
    let start = || {
        let args = ["serve", "--brokers", "3", "--listen", "127.0.0.1:0"];
        let started = place.start("all", &args);
        started.has_said("listening on", 3);
        started
    };
    let all = start();
    let mut client = all.connect();
    assert_eq!(create(&mut client, "orders", &[2, 3]), ErrorCode::NONE);
    let told = client.ask(12, metadata(&["orders"]));
    assert_eq!(told.brokers.iter().map(|broker| broker.node_id).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(leader(&mut client, "orders"), 2);
    all.signal(Signal::TERM);
    let (code, log) = all.ends();
    assert_eq!(code, 0, "{log}");

    let again = start();
    let told = again.connect().ask(12, metadata(&["orders"])).topics.remove(0);
    assert_eq!(told.partitions[0].replica_nodes, [2, 3]);
    drop(again);
    let alone = place.start("all", &["serve", "--listen", "127.0.0.1:0"]);
    alone.gives_up(&["directories of several brokers", "--brokers"]);
    let one = ["serve", "--listen", "127.0.0.1:0"];
    drop(place.start("one", &one).says("listening on"));
    let many = place.start("one", &["serve", "--brokers", "2", "--listen", "127.0.0.1:0"]);
    many.gives_up(&["that of one node", "choose another --data-dir"]);
}

#[test]
fn a_broker_that_is_told_to_stop_hands_over_and_ends_soon() {
    let place = Place::new();
    let coordinator = place.coordinator();
    let (first, second) = (place.broker(1), place.broker(2));
    let mut client = second.connect();
    assert_eq!(create(&mut client, "orders", &[1, 2]), ErrorCode::NONE);
    led_by(&mut client, "orders", 1);
    let start = Instant::now();

    first.signal(Signal::TERM);

    let (code, log) = first.ends();
    assert_eq!(code, 0, "{log}");
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    led_by(&mut client, "orders", 2);
    assert!(coordinator.log().contains("broker 1 takes no part any more: it stops"));
    // The coordinator is not waited for when it is away, nor for long when it hangs.
    let first = place.broker(1);
    coordinator.signal(Signal::STOP);
    let start = Instant::now();
    first.signal(Signal::TERM);
    assert_eq!(first.ends().0, 0);
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    drop(coordinator);
    second.has_said("does not answer", 1);
    let start = Instant::now();
    second.signal(Signal::TERM);
    assert_eq!(second.ends().0, 0);
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}
