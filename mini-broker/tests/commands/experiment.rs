//! The experiments, small. What they show at their full size stands in the book.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::server::{Server, run, run_in, text};

#[test]
fn acks_counts_what_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let line = "experiment acks --records 300 --rate 600 --picture p.svg --said P3.1=9";
    let args: Vec<&str> = line.split(' ').collect();
    let output = run_in(folder.path(), &args, b"");
    let out = text(&output.stdout);
    assert!(output.status.success(), "{out}{}", text(&output.stderr));
    let rows = |first: &str| -> Vec<Vec<String>> {
        let table = out.split("\n\n").find(|part| part.trim_start().starts_with(first));
        let rows = table.unwrap_or_else(|| panic!("no `{first}` in\n{out}")).lines().skip(1);
        rows.map(|row| row.split_whitespace().map(str::to_owned).collect()).collect()
    };

    assert!(
        out.contains("  sent  acknowledged  stored  lost  doubled  writing stopped\n"),
        "{out}"
    );
    let mut settings = Vec::new();
    for row in rows("sent") {
        let [sent, acknowledged, stored, lost, doubled]: [u64; 5] =
            std::array::from_fn(|n| row[n + 1].parse().unwrap());
        assert_eq!((sent, acknowledged), (300, 300), "{out}");
        // The followers hang for about 75 records; a busy machine may shift that.
        match &row[0][..] {
            "acks=all" => assert_eq!((stored, lost, doubled), (300, 0, 0), "{out}"),
            _ => assert!((1..200).contains(&lost) && stored == 300 - lost, "{out}"),
        }
        settings.push(row[0].clone());
    }
    assert_eq!(settings, ["acks=0", "acks=1", "acks=all"]);
    assert!(out.contains("acks=all  nothing is lost"), "{out}");
    assert_eq!(rows("At full speed").len(), 3, "{out}");

    // Whoever has not said what they expect is not told.
    let seen = rows("seen");
    assert!(seen[0].ends_with(&["8", "P3.1:", "9"].map(str::to_owned)), "{out}");
    assert!(seen[1].ends_with(&["?", "P3.3:", "say", "first"].map(str::to_owned)), "{out}");

    let picture = std::fs::read_to_string(folder.path().join("p.svg")).unwrap();
    assert!(picture.contains("acks=all: 0 of 300 acknowledged records lost"), "{picture}");
    assert!(picture.trim_end().ends_with("</svg>"));
}

#[test]
fn scale_measures_sixteen_groups() {
    let folder = tempfile::tempdir().unwrap();
    let line = "experiment scale --seconds 0.2 --picture p.svg --said S1=2400";
    let args: Vec<&str> = line.split(' ').collect();
    let output = run_in(folder.path(), &args, b"");
    let out = text(&output.stdout);
    assert!(output.status.success(), "{out}{}", text(&output.stderr));
    for (partitions, idle) in [
        ("1 partition ", &[1, 3, 7][..]),
        ("2 partitions", &[2, 6]),
        ("4 partitions", &[4]),
        ("8 partitions", &[]),
    ] {
        let row = out.lines().find(|line| line.starts_with(&format!("  {partitions}  ")));
        let row = row.unwrap_or_else(|| panic!("no `{partitions}` in\n{out}"));
        let cells: Vec<&str> = row.split_whitespace().skip(2).collect();
        let idles: Vec<usize> = cells
            .windows(2)
            .filter(|pair| pair[1] == "idle")
            .map(|pair| pair[0].parse().unwrap())
            .collect();
        assert_eq!(idles, idle, "{out}");
        // How much they do on a busy machine is not known.
        assert_eq!(cells.len(), 4 + 2 * idle.len(), "{out}");
    }
    assert!(out.contains("   S1: 2400\n") && out.contains("   S2: nothing\n"), "{out}");
    let picture = std::fs::read_to_string(folder.path().join("p.svg")).unwrap();
    assert!(picture.contains(">8 partitions</text>") && picture.trim_end().ends_with("</svg>"));

    let refused = run_in(folder.path(), &["experiment", "scale", "--seconds", "0"], b"");
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("expected 0.2 to 30 seconds"));
}

/// A member of an experiment's group, as long as nobody closes its standard input.
fn member(server: &Server, flags: &str) -> Child {
    let line = "experiment member --topic t --group g --name a --max-partition-fetch-bytes 1";
    Command::new(env!("CARGO_BIN_EXE_mini-broker"))
        .args(line.split(' '))
        .args(flags.split(' '))
        .args(["--bootstrap-server", server.address()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn a_member_says_what_it_has_done_and_commits_it_when_it_is_stopped() {
    let server = Server::with(&["group.initial.rebalance.delay.ms=0"]);
    server.ok("topics --create --topic t --partitions 1", b"");
    for _ in 0..3 {
        server.ok("produce --topic t", b"one\ntwo\nthree\n");
    }
    let says = |child: &mut Child| BufReader::new(child.stdout.take().unwrap()).lines();
    // It is gone before it has committed anything.
    let mut dies = member(&server, "--dies-after 4 --session-timeout-ms 6000");
    let said: Vec<String> = says(&mut dies).map_while(Result::ok).collect();
    assert_eq!(said[0], "assigned 1 0");
    assert_eq!(said.last().unwrap(), "done 0 3 3");
    assert_eq!(dies.wait().unwrap().signal(), Some(9));

    let mut next = member(&server, "--auto-commit-interval-ms 60000 --cost-us 86400000000");
    let mut orders = next.stdin.take().unwrap();
    let mut said = says(&mut next);
    let mut says = || said.next().unwrap().unwrap();
    assert!(says().starts_with("assigned "));
    // A record would take a day.
    orders.write_all(b"cost-us 1000\n").unwrap();
    let mut line = says();
    assert!(line.starts_with("done 0 0 "), "{line}");
    while !line.ends_with(" 8") {
        line = says();
    }
    drop(orders);
    assert!(next.wait().unwrap().success());
    let described = server.ok("groups --describe --group g", b"");
    let cells: Vec<_> = described.lines().last().unwrap().split_whitespace().collect();
    assert_eq!(cells[..6], ["g", "t", "0", "9", "9", "0"]);
}

#[test]
fn a_member_that_is_stuck_commits_where_it_is() {
    let server = Server::with(&["group.initial.rebalance.delay.ms=0"]);
    server.ok("topics --create --topic t --partitions 1", b"");
    let mut child = member(&server, "--auto-commit-interval-ms 50 --stuck");
    let mut orders = child.stdin.take().unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut says = || said.next().unwrap().unwrap();
    assert_eq!(says(), "assigned 1 0");
    server.ok("produce --topic t", b"one\n");
    server.ok("produce --topic t", b"two\n");
    // Nothing is done, and that is committed again and again.
    let commits = || {
        let told = server.ok("lag --json --group g --looks 1", b"");
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        let of = told["groups"][0]["partitions"][0].clone();
        (of["lag"].as_u64(), of["complete"].as_f64())
    };
    while commits() != (Some(2), Some(1.0)) {}
    orders.write_all(b"stuck 0\n").unwrap();
    let mut line = says();
    assert!(line.starts_with("done 0 0 "), "{line}");
    while !line.ends_with(" 1") {
        line = says();
    }
    drop(orders);
    assert!(child.wait().unwrap().success());
}

#[test]
fn by_hand_needs_a_terminal() {
    for experiment in ["groups", "lag"] {
        let refused = run(&["experiment", experiment, "--by-hand"], b"");
        assert_eq!(refused.status.code(), Some(2));
        let said = "mini-broker: --by-hand takes keys, and there is no terminal\n";
        assert_eq!(text(&refused.stderr), said);
    }
}

/// Ctrl-C ends all of its processes, also those that hang at the moment.
#[test]
fn an_interrupted_experiment_leaves_nothing_behind() {
    let nodes = ["coordinator", "broker-1", "broker-2", "broker-3"];
    for address in interrupted("acks", &nodes) {
        assert!(std::net::TcpStream::connect(&address).is_err(), "{address}");
    }
    for experiment in ["groups", "scale", "lag"] {
        let address = interrupted(experiment, &["broker"]).remove(0);
        assert_eq!(members_of(&address), 0, "{experiment}");
    }
}

/// How many processes were told of a broker on their command line. Where the system does not show that:
/// none.
fn members_of(address: &str) -> usize {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let line = |process: std::fs::DirEntry| std::fs::read(process.path().join("cmdline"));
    let told = |line: &Vec<u8>| text(line).contains(address);
    processes.map(line).filter(|line| line.as_ref().is_ok_and(told)).count()
}

/// Interrupts an experiment when its nodes are there: where they were.
#[allow(clippy::disallowed_methods, reason = "real processes, in real time")]
fn interrupted(experiment: &str, nodes: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_mini-broker"))
        .args(["experiment", experiment])
        .env("TMPDIR", folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let room = folder.path().join(format!("mini-broker-experiment-{}", child.id()));
    let port = |node: &&str| room.join(node).join("port");
    for _ in 0..2_000 {
        if nodes.iter().all(|node| port(node).exists()) {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let address = |node: &&str| {
        let port = std::fs::read_to_string(port(node)).unwrap();
        format!("127.0.0.1:{}", port.trim())
    };
    let addresses: Vec<String> = nodes.iter().map(address).collect();
    let has_members = experiment != "acks" && std::path::Path::new("/proc/self/cmdline").exists();
    while has_members && members_of(&addresses[0]) == 0 {
        assert!(child.try_wait().unwrap().is_none(), "{experiment} has ended");
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(!room.exists());
    addresses
}
