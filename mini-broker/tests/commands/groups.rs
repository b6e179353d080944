//! `consume --group` and `groups`: members share a topic, commits are where reading goes on, and what
//! Kafka's command prints about them.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::Child;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::server::{Server, run, text};

/// Nobody has to wait for members that do not come.
const AT_ONCE: &[&str] = &["group.initial.rebalance.delay.ms=0"];

/// Ten messages in one partition.
fn with_messages() -> Server {
    let server = Server::with(AT_ONCE);
    server.ok("topics --create --topic t --partitions 1", b"");
    let lines: String = (0..10).map(|number| format!("{number}\n")).collect();
    server.ok("produce --topic t", lines.as_bytes());
    server
}

const READ: &str = "consume --topic t --group g --from-beginning --timeout-ms 60000";

fn read(server: &Server, messages: usize) -> String {
    server.ok(&format!("{READ} --max-messages {messages}"), b"")
}

#[test]
fn a_group_reads_on_where_it_has_committed() {
    let server = with_messages();
    assert_eq!(read(&server, 4), "0\n1\n2\n3\n");
    let described = server.run("groups --describe --group g --verbose", b"");
    assert_eq!(text(&described.stderr), "\nConsumer group 'g' has no active members.\n");
    let described = text(&described.stdout);
    let cells: Vec<_> = described.lines().last().unwrap().split_whitespace().collect();
    // The next offset, which is not that of the last message.
    assert_eq!(cells, ["g", "t", "0", "0", "4", "10", "6", "-", "-", "-"]);
    assert_eq!(read(&server, 3), "4\n5\n6\n");
    // Another group has not read anything yet.
    let other = "consume --topic t --group h --from-beginning --max-messages 1";
    assert_eq!(server.ok(other, b""), "0\n");
    // Nothing is committed, so the next one reads the same.
    let uncommitted = "--consumer-property enable.auto.commit=false";
    let peek = format!("{READ} --max-messages 1 {uncommitted}");
    assert_eq!(server.ok(&peek, b""), "7\n");
    assert_eq!(read(&server, 3), "7\n8\n9\n");
}

/// Its commits take longer than the time between two of them, and so does each connection.
#[test]
fn a_member_that_commits_all_the_time_reads() {
    let server = Server::far_away(AT_ONCE, Duration::from_millis(20));
    server.ok("topics --create --topic t --partitions 1", b"");
    let lines: String = (0..10).map(|number| format!("{number}\n")).collect();
    server.ok("produce --topic t", lines.as_bytes());
    for interval in ["0", "1", "10"] {
        let often =
            format!("--group g{interval} --consumer-property auto.commit.interval.ms={interval}");
        let line = format!(
            "consume --topic t --from-beginning --timeout-ms 30000 --max-messages 10 {often}"
        );
        assert_eq!(server.ok(&line, b""), lines);
    }
}

#[test]
fn a_group_is_set_back_and_forward() {
    let server = with_messages();
    read(&server, 4);
    let reset = |flags: &str| {
        let line = format!("groups --reset-offsets --group g --topic t {flags} --execute");
        let printed = server.ok(&line, b"");
        printed.split_whitespace().last().unwrap().to_owned()
    };
    assert_eq!(reset("--shift-by -2"), "2");
    assert_eq!(read(&server, 1), "2\n");
    assert_eq!(reset("--to-earliest"), "0");
    assert_eq!(reset("--to-latest"), "10");
    assert_eq!(reset("--to-offset 7"), "7");
    assert_eq!(reset("--to-offset 70"), "10");
    assert_eq!(reset("--shift-by -20"), "0");
    assert_eq!(reset("--by-duration PT1H"), "0");
    assert_eq!(reset("--to-datetime 2000-01-01T00:00:00.000"), "0");
    assert_eq!(reset("--to-datetime 2100-01-01T00:00:00.000"), "10");
    assert_eq!(reset("--to-offset 3"), "3");

    // Without --execute nothing happens, and a file says where to later.
    let plan = "groups --reset-offsets --group g --all-topics --shift-by 2 --export";
    let planned = server.run(plan, b"");
    assert!(text(&planned.stderr).starts_with("WARN: No action will be performed"));
    assert_eq!(text(&planned.stdout), "t,0,5\n\n");
    let current = "groups --reset-offsets --group g --topic t --to-current --dry-run";
    assert_eq!(server.ok(current, b"").split_whitespace().last(), Some("3"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.csv");
    fs::write(&file, planned.stdout).unwrap();
    let line = format!("groups --reset-offsets --group g --from-file {}", file.display());
    server.ok(&format!("{line} --execute"), b"");
    assert_eq!(read(&server, 1), "5\n");
    fs::write(&file, "t,0,soon\n").unwrap();
    let said = server.fails(&format!("{line} --dry-run"));
    assert!(said.contains("plan.csv: line 1, `t,0,soon`: `soon` is no offset. Expected"), "{said}");
    for (line, sentence) in [
        ("--topic u --to-latest", "topic `u`: UNKNOWN_TOPIC_OR_PARTITION (3)"),
        ("--topic t:1 --to-latest", "topic `t` has no partition 1: it has 1, counted from 0"),
    ] {
        let said = server.fails(&format!("groups --reset-offsets --group g --dry-run {line}"));
        assert!(said.contains(sentence), "{said}");
    }
    let said = server.fails("groups --reset-offsets --group new --dry-run --topic t --shift-by 1");
    assert!(said.contains("Cannot shift offset for partition t-0 since there is no"), "{said}");
}

#[test]
fn groups_and_their_offsets_are_deleted() {
    let server = with_messages();
    read(&server, 1);
    assert_eq!(server.ok("groups --list", b""), "g\n");
    let listed = server.ok("groups --list --state empty --type", b"");
    let cells: Vec<_> = listed.lines().last().unwrap().split_whitespace().collect();
    assert_eq!(cells, ["g", "Classic", "Empty"]);
    let deleted = server.ok("groups --delete-offsets --group g --topic t:0", b"");
    assert!(deleted.starts_with("Request succeeded for deleting offsets from group g.\n\nTOPIC "));
    // As if it had never been there.
    assert_eq!(read(&server, 2), "0\n1\n");
    let output = server.run("groups --delete-offsets --group g --topic t --topic u", b"");
    assert_eq!(output.status.code(), Some(1));
    let table = text(&output.stdout);
    assert!(
        table.contains("\nt               0          Successful     \nu               -"),
        "{table}"
    );

    read(&server, 1);
    assert_eq!(
        server.ok("groups --delete --group g", b""),
        "Deletion of requested consumer groups ('g') was successful.\n"
    );
    assert_eq!(server.ok("groups --list", b""), "");
    assert_eq!(
        server.fails("groups --delete --group g"),
        "mini-broker: Deletion of some consumer groups failed:\n* Group 'g' could not be deleted due \
         to: GROUP_ID_NOT_FOUND (69): There is no such group.\n"
    );
    assert_eq!(
        server.fails("groups --describe --group g"),
        "mini-broker: Consumer group 'g' does not exist.\n"
    );
}

/// A consumer that runs until it is told to end, and what it says.
struct Member {
    child: Child,
    said: Receiver<String>,
}

impl Member {
    fn start(server: &Server, flags: &str) -> Self {
        let line = "consume --topic t --group g --from-beginning --consumer-property \
                    heartbeat.interval.ms=50";
        let mut child = server.spawn(&format!("{line}{flags}"));
        let (says, said) = channel();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        #[allow(clippy::disallowed_methods, reason = "a pipe is read by waiting for it")]
        std::thread::spawn(move || lines.into_iter().try_for_each(|line| says.send(line)));
        Member { child, said }
    }

    fn says(&self, line: &str) {
        let said = self.said.recv_timeout(Duration::from_secs(60)).expect("it says something");
        assert_eq!(said, line);
    }

    /// Ctrl-C: what it has printed.
    fn stop(mut self) -> String {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        let mut printed = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
        assert!(self.child.wait().unwrap().success());
        printed
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn members_share_a_topic_and_hand_over_when_they_leave() {
    let server = Server::with(AT_ONCE);
    server.ok("topics --create --topic t --partitions 3", b"");
    // Member ids begin with the client's, and the range assignor goes by them; static members first.
    let first = Member::start(&server, " --consumer-property client.id=a");
    first.says("generation 1: partitions 0, 1 and 2 of t");
    let named = " --consumer-property client.id=b --consumer-property group.instance.id=z";
    let second = Member::start(&server, named);
    second.says("generation 2: partitions 0 and 1 of t");
    first.says("generation 2: partition 2 of t");

    let members = server.ok("groups --describe --group g --members --verbose", b"");
    let rows: Vec<Vec<_>> =
        members.lines().skip(2).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0][2..], ["/127.0.0.1", "a", "1", "-", "t:2", "-", "-"]);
    assert_eq!(rows[1][2..], ["z", "/127.0.0.1", "b", "2", "-", "t:0,1", "-", "-"]);
    let state = server.ok("groups --describe --group g --state", b"");
    assert!(state.contains("range                Stable               2\n"), "{state}");
    for (line, sentence) in [
        ("--reset-offsets --topic t --to-latest --execute", "but the current state is Stable."),
        ("--delete", "NON_EMPTY_GROUP (68): The group still has members."),
        ("--delete-offsets --topic t", "not all offsets of group `g` were deleted"),
    ] {
        let said = server.fails(&format!("groups --group g {line}"));
        assert!(said.contains(sentence), "{said}");
    }

    let third = Member::start(&server, " --consumer-property client.id=c");
    third.says("generation 3: partition 2 of t");
    first.says("generation 3: partition 1 of t");
    // More members than partitions: one has nothing, until another one leaves.
    let fourth = Member::start(&server, " --consumer-property client.id=d");
    fourth.says("generation 4: no partition of t");
    third.says("generation 4: partition 2 of t");
    third.stop();
    fourth.says("generation 5: partition 2 of t");
    // A static member does not leave: its partition waits for it.
    for generation in 3..=5 {
        second.says(&format!("generation {generation}: partition 0 of t"));
    }
    second.stop();
    let again = Member::start(&server, named);
    again.says("generation 5: partition 0 of t");
}

/// Nobody takes what it prints, so it stands still. It lives all the same, and shows that it does.
#[test]
fn a_consumer_that_does_not_poll_leaves_the_group() {
    let server = Server::with(AT_ONCE);
    server.ok("topics --create --topic t --partitions 1", b"");
    let lines: String = (0..40_000).map(|number| format!("{number}\n")).collect();
    server.ok("produce --topic t", lines.as_bytes());
    let mut stuck = Member::start(&server, " --consumer-property max.poll.interval.ms=500");
    stuck.says("generation 1: partition 0 of t");
    while !server.ok("groups --describe --group g --state", b"").contains(" Empty ") {}
    let mut out = BufReader::new(stuck.child.stdout.take().unwrap());
    for line in lines.lines() {
        let mut printed = String::new();
        out.read_line(&mut printed).unwrap();
        assert_eq!(printed.trim_end(), line);
    }
    stuck.says(
        "500 ms have passed since the last poll, which is max.poll.interval.ms: left the group, \
         joining again",
    );
    stuck.says("generation 3: partition 0 of t");
    // Nothing of it was committed.
    let mut again = String::new();
    out.read_line(&mut again).unwrap();
    assert_eq!(again, "0\n");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    for (line, sentence) in [
        ("groups", "--list|--describe|--delete|--delete-offsets|--reset-offsets"),
        ("groups --list --describe", "cannot be used with"),
        ("groups --list --group g", "--group goes with --describe, --delete, "),
        ("groups --list --members", "--members goes with --describe, not with --list"),
        ("groups --list --state asleep", "`asleep`: expected PreparingRebalance, "),
        ("groups --list --type share", "`share`: expected Classic, Consumer"),
        ("groups --describe", "--describe needs --group or --all-groups"),
        ("groups --describe --group g --all-groups", "cannot be used with"),
        ("groups --describe --group g --members --state", "cannot be used with"),
        ("groups --describe --group g --state empty", "--state takes no value with --describe"),
        ("groups --describe --group g --timeout 0", "invalid value '0' for '--timeout <MS>'"),
        ("groups --delete", "--delete needs --group or --all-groups"),
        ("groups --delete --group g --topic t", "--topic goes with --delete-offsets, --reset-"),
        ("groups --delete-offsets --group g", "--delete-offsets needs --group and --topic"),
        ("groups --delete-offsets --group g --group h --topic t", "takes one --group, not 2: g, h"),
        ("groups --delete-offsets --group g --topic t:x", "`x` is no number of a partition"),
        ("groups --reset-offsets --topic t --to-latest", "needs --group or --all-groups"),
        ("groups --reset-offsets --group g --topic t", "needs to be told where to: --to-earliest"),
        ("groups --reset-offsets --group g --to-latest", "needs --topic or --all-topics"),
        ("groups --reset-offsets --group g --to-latest --to-current", "cannot be used with"),
        ("groups --reset-offsets --group g --to-offset soon", "invalid value 'soon'"),
        (
            "groups --reset-offsets --group g --to-datetime today",
            "expected YYYY-MM-DDThh:mm:ss.sss",
        ),
        ("groups --reset-offsets --group g --by-duration 1h", "expected PnDTnHnMnS, such as PT30M"),
        ("groups --reset-offsets --group g --dry-run --execute", "cannot be used with"),
        ("groups --reset-offsets --group g --topic t --from-file f", "--from-file goes without"),
        ("consume --topic t --group g --partition 0", "cannot be used with"),
        ("consume --topic t --group g --consumer-property group.id=h", "expected one: g, h"),
        ("consume --topic t --consumer-property enable.auto.commit=true", "say which with --group"),
        (
            "consume --topic t --consumer-property colour=red",
            "consumer property `colour` is unknown",
        ),
        (
            "consume --topic t --consumer-property auto.offset.reset=soon",
            "=`soon`: expected earliest",
        ),
        (
            "consume --topic t --from-beginning --consumer-property auto.offset.reset=latest",
            "--from-beginning and auto.offset.reset=latest contradict each other",
        ),
        (
            "consume --topic t --group g --consumer-property session.timeout.ms=-1",
            "session.timeout.ms=`-1`: expected milliseconds, a whole number from 1 on",
        ),
        (
            "consume --topic t --group g --consumer-property session.timeout.ms=3000",
            "heartbeat.interval.ms=3000 must be smaller than session.timeout.ms=3000",
        ),
        (
            "consume --topic t --group g --consumer-property \
             partition.assignment.strategy=range,cooperative-sticky",
            "strategy=`cooperative-sticky`: expected range, roundrobin or sticky",
        ),
    ] {
        let output = run(&line.split(' ').collect::<Vec<_>>(), b"");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{line}: {said}");
        assert!(said.contains(sentence), "{line}: {said}");
    }
}

#[test]
fn what_a_group_does_not_allow_is_said_with_its_value() {
    let server = with_messages();
    let consume = "consume --topic t --group g --consumer-property";
    let said = server.fails(&format!("{consume} session.timeout.ms=4000"));
    assert!(said.contains("session.timeout.ms=4000: INVALID_SESSION_TIMEOUT (26)"), "{said}");
    let said = server.fails(&format!("{consume} auto.offset.reset=none"));
    let none = "group `g` has for t-0 no committed offset, and auto.offset.reset=none";
    assert!(said.contains(none), "{said}");

    let member = Member::start(&server, "");
    member.says("generation 3: partition 0 of t");
    let said = server.fails(&format!("{consume} partition.assignment.strategy=sticky,roundrobin"));
    let sentence = "strategy=sticky,roundrobin: INCONSISTENT_GROUP_PROTOCOL (23)";
    assert!(said.contains(sentence), "{said}");
    assert!(member.stop().starts_with("0\n1\n"));
}

#[test]
fn a_file_of_settings_is_read_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("client.properties");
    fs::write(&file, "security.protocol=SASL_SSL\n").unwrap();
    let path = file.display().to_string();
    let output = run(&["groups", "--list", "--command-config", &path], b"");
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("line 1, `security.protocol=SASL_SSL`: expected client.id"), "{said}");
}
