//! kill -9 is a normal way to stop: what was acknowledged is there, and the next start is quick.

use rustix::process::Signal;
use std::fs::{self, OpenOptions};
use std::io::Write;
use tempfile::TempDir;
use wire::ErrorCode;
use wire::topics::DeleteTopicsRequest;

use crate::batches::batch;
use crate::process::Server;

const NOW: i64 = 1_700_000_000_000;

#[test]
fn what_was_acknowledged_is_there_after_a_kill() {
    let data = TempDir::new().unwrap();
    let server = Server::start(data.path());
    let mut client = server.connect();
    client.topic("orders");
    for n in 0..50 {
        let acked = client.produce("orders", -1, batch(NOW, &[&n.to_string()]));
        assert_eq!(acked.base_offset, n);
    }
    server.kill();

    let server = Server::start(data.path());

    let mut client = server.connect();
    let read = client.read("orders", 0);
    assert!(read.iter().map(|(_, value)| value.clone()).eq((0..50).map(|n| n.to_string())));
    assert_eq!(client.produce("orders", -1, batch(NOW, &["next"])).base_offset, 50);
}

#[test]
fn half_a_batch_behind_the_last_is_cut_off() {
    let data = TempDir::new().unwrap();
    let server = Server::start(data.path());
    let mut client = server.connect();
    client.topic("orders");
    client.produce("orders", -1, batch(NOW, &["whole"]));
    server.kill();
    let log = data.path().join("orders-0/00000000000000000000.log");
    let torn = batch(NOW, &["torn"]);
    OpenOptions::new().append(true).open(&log).unwrap().write_all(&torn[..40]).unwrap();

    let server = Server::start(data.path());

    let mut client = server.connect();
    assert_eq!(client.read("orders", 0), [(0, "whole".into())]);
    assert_eq!(client.produce("orders", -1, batch(NOW, &["next"])).base_offset, 1);
    assert_eq!(client.read("orders", 0).len(), 2);
}

#[test]
fn many_segments_are_read_across_a_restart() {
    let data = TempDir::new().unwrap();
    let small = ["--set", "log.segment.bytes=2000", "--set", "log.index.interval.bytes=100"];
    let server = Server::start_with(data.path(), &small);
    let mut client = server.connect();
    client.topic("orders");
    for n in 0..100 {
        client.produce("orders", -1, batch(NOW + n, &[&"x".repeat(100), "y"]));
    }
    let segments = fs::read_dir(data.path().join("orders-0")).unwrap();
    let logs = segments.filter(|file| {
        file.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "log")
    });
    assert!(logs.count() > 5);
    server.kill();

    let server = Server::start_with(data.path(), &small);

    let offsets: Vec<i64> = server.connect().read("orders", 57).into_iter().map(|r| r.0).collect();
    assert!(offsets.into_iter().eq(57..200));
}

#[test]
fn a_clean_stop_leaves_a_checkpoint_and_exit_code_0() {
    for signal in [Signal::TERM, Signal::INT] {
        let data = TempDir::new().unwrap();
        let server = Server::start(data.path());
        let mut client = server.connect();
        client.topic("orders");
        client.produce("orders", -1, batch(NOW, &["a", "b"]));

        let status = server.signal(signal);

        assert_eq!(status.code(), Some(0));
        let points = data.path().join("recovery-point-offset-checkpoint");
        let points = fs::read_to_string(points).unwrap();
        assert!(points.starts_with("0\n2\n__cluster_metadata 0 "), "{points}");
        assert!(points.ends_with("\norders 0 2\n"), "{points}");
        let server = Server::start(data.path());
        assert_eq!(server.connect().read("orders", 0).len(), 2);
    }
}

#[test]
fn a_deleted_topic_is_gone_from_the_disk_and_after_a_start() {
    let data = TempDir::new().unwrap();
    let server = Server::start(data.path());
    let mut client = server.connect();
    client.topic("orders");
    client.produce("orders", -1, batch(NOW, &["a"]));
    let request = DeleteTopicsRequest { topic_names: vec!["orders".into()], ..Default::default() };

    let deleted = client.ask(5, request).responses.remove(0);

    assert_eq!(deleted.error_code, ErrorCode::NONE);
    assert!(!data.path().join("orders-0").exists());
    let told = client.produce("orders", -1, batch(NOW, &["b"]));
    assert_eq!(told.error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    client.topic("orders");
    assert_eq!(client.read("orders", 0), []);
}
