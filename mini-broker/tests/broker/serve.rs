//! The command: what it refuses, in a sentence.

use std::fs;
use std::net::TcpListener;

use tempfile::TempDir;

use crate::process::{Server, refused};

fn told(args: &[&str]) -> String {
    let data = TempDir::new().unwrap();
    let output = refused(data.path(), args);
    assert_eq!(output.status.code(), Some(1), "{args:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_second_broker_on_the_same_directory_is_refused() {
    let data = TempDir::new().unwrap();
    let first = Server::start(data.path());

    let second = refused(data.path(), &[]);

    assert_eq!(second.status.code(), Some(1));
    let told = String::from_utf8(second.stderr).unwrap();
    assert!(told.contains("is in use by another broker"), "{told}");
    first.kill();
    Server::start(data.path());
}

#[test]
fn settings_that_are_none_are_refused() {
    assert!(told(&["--set", "no.such=1"]).contains("no.such is not a setting"));
    assert!(told(&["--set", "num.partitions=none"]).contains("Not a number of type INT"));
    assert!(told(&["--set", "num.partitions"]).contains("expected NAME=VALUE"));
    let timestamps = told(&["--set", "log.message.timestamp.type=Tomorrow"]);
    assert!(timestamps.contains("one of: CreateTime, LogAppendTime"), "{timestamps}");
}

#[test]
fn a_port_that_is_taken_is_refused() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = TempDir::new().unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_mini-broker"))
        .args(["serve", "--listen", &address, "--data-dir"])
        .arg(data.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains(&format!("cannot listen on {address}")), "{told}");
}

#[test]
fn a_data_directory_that_cannot_be_is_refused() {
    let data = TempDir::new().unwrap();
    let file = data.path().join("file");
    fs::write(&file, "").unwrap();

    let output = refused(&file.join("below"), &[]);

    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("cannot make the data directory"), "{told}");
}

#[test]
fn somebody_elses_directory_is_left_alone() {
    let data = TempDir::new().unwrap();
    fs::create_dir(data.path().join("photos")).unwrap();
    let output = refused(data.path(), &[]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("photos") && told.contains("nothing was touched"), "{told}");
}

#[test]
fn another_nodes_directory_is_refused() {
    let data = TempDir::new().unwrap();
    Server::start(data.path()).kill();
    let output = refused(data.path(), &["--node-id", "2"]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("belongs to node 1"), "{told}");
}

#[test]
fn the_port_file_holds_the_port_and_the_banner_says_whose_organs_there_are() {
    let data = TempDir::new().unwrap();
    let file = TempDir::new().unwrap();
    let file = file.path().join("port");
    let server = Server::start_with(data.path(), &["--port-file", file.to_str().unwrap()]);
    let port = fs::read_to_string(&file).unwrap();
    assert!(server.address.ends_with(&format!(":{}", port.trim())));
    assert!(server.banner.starts_with("organs: "), "{}", server.banner);
}
