//! The experiments, small. What they show at their full size stands in the book.

use crate::server::{run_in, text};

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

/// Ctrl-C ends all of its processes, also those that hang at the moment.
#[test]
#[allow(clippy::disallowed_methods, reason = "real processes, in real time")]
fn an_interrupted_experiment_leaves_nothing_behind() {
    use std::process::{Command, Stdio};
    use std::time::Duration;

    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_mini-broker"))
        .args(["experiment", "acks"])
        .env("TMPDIR", folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let room = folder.path().join(format!("mini-broker-experiment-{}", child.id()));
    let last = room.join("broker-3/port");
    for _ in 0..2_000 {
        if last.exists() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let port = |node: &str| -> u16 {
        let port = std::fs::read_to_string(room.join(node).join("port")).unwrap();
        port.trim().parse().unwrap()
    };
    let ports = ["coordinator", "broker-1", "broker-2", "broker-3"].map(port);
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    for port in ports {
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err(), "{port}");
    }
    assert!(!room.exists());
}
