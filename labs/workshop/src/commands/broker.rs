//! `broker`: the mini broker, with the learner's labs in the places that `--mine` names.

use std::net::TcpListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::organs::{Ready, banner};
use crate::failure::{Result, write};
use crate::kit::Kit;
use crate::paint::{self, Line};

/// Kafka's port, where clients look.
pub const PORT: u16 = 9092;
/// A learner's organ may damage files: it gets its own.
const OWN_DATA: &str = ".mini-broker-mine";

pub fn broker(kit: &Kit, mine: &[String], serve: &[String]) -> Result<u8> {
    let ready = Ready::build(kit, mine)?;
    let mut args: Vec<String> = vec!["serve".to_owned()];
    let given =
        |flag: &str| serve.iter().any(|arg| arg == flag || arg.starts_with(&format!("{flag}=")));
    if !ready.mine.is_empty() && !given("--data-dir") {
        args.extend(["--data-dir".to_owned(), kit.path(OWN_DATA).display().to_string()]);
    }
    let port = match given("--listen") {
        true => None,
        false if ready.mine.is_empty() => Some(free_port()),
        false => Some(own_port(kit)),
    };
    if let Some(port) = port {
        args.extend(["--listen".to_owned(), format!("127.0.0.1:{port}")]);
    }
    args.extend(serve.iter().cloned());
    paint::print(&banner(kit, &ready.mine));
    if let Some(port) = port.filter(|port| *port != PORT) {
        let taken = format!("Port {PORT} is taken, so this one listens on {port}:");
        let write = format!(" write {port} where a command says {PORT}.");
        paint::print(&[Line::new().bold(taken).plain(write), Line::new()]);
    }
    ready.start(&args, kit)
}

/// A file by which a learner's broker asks the open workshop for Kafka's port.
pub fn asked_for(kit: &Kit) -> PathBuf {
    kit.scratch("port-is-asked-for")
}

/// Kafka's port, or the next that nobody listens on.
pub fn free_port() -> u16 {
    free_port_from(PORT)
}

/// This port, or the next that nobody listens on.
pub fn free_port_from(port: u16) -> u16 {
    (port..port + 20).find(|port| is_free(*port)).unwrap_or(0)
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

/// The port for the learner's broker: an open workshop gives up Kafka's for it.
fn own_port(kit: &Kit) -> u16 {
    if !is_free(PORT) && write(&asked_for(kit), "").is_ok() {
        let asked = Instant::now();
        while !is_free(PORT) && asked.elapsed() < Duration::from_secs(2) {
            std::thread::sleep(Duration::from_millis(50));
        }
        if !is_free(PORT) {
            let _ = std::fs::remove_file(asked_for(kit));
        }
    }
    free_port()
}
