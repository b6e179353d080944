//! `lag`: how far behind groups are, as a table and as JSON.

use serde_json::Value;

use crate::server::{Server, run, text};

/// Ten messages in one of two partitions; group `g` has read four of them.
fn with_a_group() -> Server {
    let server = Server::with(&["group.initial.rebalance.delay.ms=0"]);
    server.ok("topics --create --topic t --partitions 2", b"");
    let lines: String = (0..10).map(|number| format!("k:{number}\n")).collect();
    let keyed = "--property parse.key=true --property key.separator=:";
    server.ok(&format!("produce --topic t {keyed}"), lines.as_bytes());
    let read = "consume --topic t --group g --from-beginning --max-messages 4";
    assert_eq!(server.ok(read, b""), "0\n1\n2\n3\n");
    server
}

fn json(server: &Server, flags: &str) -> Value {
    serde_json::from_str(&server.ok(&format!("lag --json {flags}"), b"")).unwrap()
}

/// Of the partition that has messages.
fn partition(told: &Value) -> &Value {
    let partitions = told["groups"][0]["partitions"].as_array().unwrap();
    partitions.iter().find(|partition| partition["log_end"] == 10).unwrap()
}

#[test]
fn ten_are_sent_and_four_are_taken() {
    let server = with_a_group();
    let told = json(&server, "--group g --interval 100");
    assert_eq!(told["groups"][0]["total_lag"], 6);
    assert_eq!(told["groups"][0]["members"], 0);
    let read = partition(&told);
    assert_eq!(
        (&read["committed"], &read["lag"], &read["deleted_unread"]),
        (&4.into(), &6.into(), &0.into())
    );
    assert!(read["late_ms"].as_u64().is_some(), "{told}");
    assert_eq!(read["come_per_s"], 0.0);
    assert_eq!(read["all_read"], "never");
    assert_eq!(read["owner"], Value::Null);

    // The same as in Kafka's layout.
    let described = server.ok("groups --describe --group g", b"");
    let line = described.lines().find(|line| line.contains(" 10 ")).unwrap();
    let cells: Vec<_> = line.split_whitespace().collect();
    assert_eq!(cells[3..6], ["4", "10", "6"]);

    let table = server.ok("lag --looks 1", b"");
    let lines: Vec<_> = table.lines().collect();
    assert!(lines[0].starts_with("group g: ERR, no members, lag 6, "), "{table}");
    assert!(lines[1].starts_with("TOPIC    PARTITION LAG    STATUS "), "{table}");
    assert_eq!(lines.len(), 4, "{table}");
}

#[test]
fn what_retention_has_taken_is_told() {
    let server = with_a_group();
    let number = partition(&json(&server, "--looks 1"))["partition"].clone();
    server.ok(&format!("delete-records --topic t --partition {number} --offset 7"), b"");
    let told = json(&server, "--looks 1");
    let read = partition(&told);
    // The lag counts them, too; the oldest that is left is another one.
    assert_eq!((&read["lag"], &read["deleted_unread"]), (&6.into(), &3.into()));
    assert!(read["late_ms"].as_u64().is_some(), "{told}");
    let table = server.ok("lag --group g --looks 1", b"");
    assert!(table.contains(" 3 deleted unread\n"), "{table}");
}

#[test]
fn a_group_that_is_not_there() {
    let server = Server::start();
    let output = server.run("lag --looks 1", b"");
    assert!(output.status.success());
    assert_eq!(text(&output.stdout), "");
    assert_eq!(text(&output.stderr), "no group has committed anything\n");
    assert_eq!(json(&server, "--looks 1"), serde_json::json!({ "groups": [] }));
    let said = server.fails("lag --group nobody --looks 1");
    assert!(said.contains("group `nobody` has committed nothing"), "{said}");
    for wrong in ["--interval 10", "--looks 0", "--intervals 0", "--interval soon", "--group"] {
        let args: Vec<&str> = ["lag"].into_iter().chain(wrong.split(' ')).collect();
        assert_eq!(run(&args, b"").status.code(), Some(2), "{wrong}");
    }
}
