//! A coordinator and three brokers, a process each, that can be killed and paused.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Killed when dropped.
pub struct Cluster {
    /// The coordinator, then brokers 1 to 3.
    nodes: Vec<Child>,
    pub servers: String,
    data: TempDir,
}

impl Cluster {
    /// `settings` of every node, such as `broker.session.timeout.ms=2000`.
    pub fn start(settings: &[&str]) -> Self {
        let data = TempDir::new().unwrap();
        let sets = settings.iter().flat_map(|set| ["--set", set]);
        let folder = data.path().join("coordinator");
        let (coordinator, port) = node(&folder, &["coordinator"], sets.clone());
        let at = format!("127.0.0.1:{port}");
        let mut nodes = vec![coordinator];
        let mut servers = Vec::new();
        for id in 1..=3 {
            let folder = data.path().join(format!("broker-{id}"));
            let serve = ["serve", "--node-id", &id.to_string(), "--coordinator", &at];
            let (broker, port) = node(&folder, &serve, sets.clone());
            nodes.push(broker);
            servers.push(format!("127.0.0.1:{port}"));
        }
        Self { nodes, servers: servers.join(","), data }
    }

    /// kill -9.
    pub fn kill(&mut self, broker: usize) {
        self.nodes[broker].kill().unwrap();
    }

    /// The process hangs, and nobody closes its connections.
    pub fn pause(&self, broker: usize) {
        kill_process(Pid::from_child(&self.nodes[broker]), Signal::STOP).unwrap();
    }

    pub fn log(&self, broker: usize, topic: &str) -> std::path::PathBuf {
        let folder = self.data.path().join(format!("broker-{broker}/data/{topic}-0"));
        folder.join("00000000000000000000.log")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            let _ = node.kill();
            let _ = node.wait();
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "a process takes its time to start")]
fn node<'a>(
    folder: &Path,
    command: &[&str],
    sets: impl Iterator<Item = &'a str>,
) -> (Child, String) {
    fs::create_dir_all(folder).unwrap();
    let port_file = folder.join("port");
    let mut child = Command::new(env!("CARGO_BIN_EXE_mini-broker"))
        .args(command)
        .args(["--listen", "127.0.0.1:0", "--data-dir"])
        .arg(folder.join("data"))
        .arg("--port-file")
        .arg(&port_file)
        .args(sets)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    for _ in 0..3_000 {
        if let Ok(port) = fs::read_to_string(&port_file) {
            return (child, port.trim().to_owned());
        }
        sleep(Duration::from_millis(10));
    }
    let _ = child.kill().and_then(|()| child.wait());
    panic!("{command:?} did not start");
}
