//! `offsets` and `delete-records`: where logs begin and end, and beginning them later.

use std::fs;

use crate::server::{Server, text};

/// Three records in `t`, the last one later than the others; none in the twelve partitions of `u`.
fn with_records() -> Server {
    let server = Server::start();
    server.ok("topics --create --topic t --partitions 1", b"");
    server.ok("produce --topic t", b"one\ntwo\n");
    server.ok("topics --create --topic u --partitions 12", b"");
    server.ok("produce --topic t", b"three\n");
    server
}

#[test]
fn offsets_are_told_by_topic_partition_and_time() {
    let server = with_records();
    assert_eq!(server.ok("offsets --topic t", b""), "t:0:3\n");
    assert_eq!(server.ok("offsets --topic t --time earliest", b""), "t:0:0\n");
    assert_eq!(server.ok("offsets --topic t --time -2", b""), "t:0:0\n");
    assert_eq!(server.ok("offsets --topic t --time max-timestamp", b""), "t:0:2\n");
    assert_eq!(server.ok("offsets --topic t --time 0", b""), "t:0:0\n");
    // Nothing was written that late, and nothing at all to `u`: no lines.
    assert_eq!(server.ok("offsets --topic t --time 32503680000000", b""), "");
    assert_eq!(server.ok("offsets --topic u --time max-timestamp", b""), "");
    // Partition 10 stands before partition 2, as with Kafka's tool.
    assert_eq!(
        server.ok("offsets --topic-partitions t,u:9-,u:2", b""),
        "t:0:3\nu:10:0\nu:11:0\nu:2:0\nu:9:0\n"
    );
    assert_eq!(server.ok("offsets --topic u --partitions 3,1", b""), "u:1:0\nu:3:0\n");
    assert_eq!(server.ok("offsets", b"").lines().count(), 13);

    for line in ["offsets --topic nope", "offsets --topic-partitions t:7"] {
        assert!(server.fails(line).contains("no partition fits"), "{line}");
    }
    server.refuses("offsets --time soon", "expected latest (-1), earliest (-2)");
    server.refuses("offsets --topic t --partitions x", "expected numbers of partitions");
    server.refuses("offsets --topic-partitions t:x", "`t:x`: expected TOPIC or TOPIC:PARTITIONS");
    server.refuses("offsets --topic t --topic-partitions t", "cannot be used with");
}

#[test]
fn records_are_deleted_from_the_start() {
    let server = with_records();
    let done = "Executing records delete operation\nRecords delete operation completed:\n";
    assert_eq!(
        server.ok("delete-records --topic t --partition 0 --offset 1", b""),
        format!("{done}partition: t-0\tlow_watermark: 1\n")
    );
    assert_eq!(server.ok("offsets --topic t --time earliest", b""), "t:0:1\n");
    let read = "consume --topic t --from-beginning --timeout-ms 300";
    assert_eq!(server.ok(read, b""), "two\nthree\n");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("offsets.json");
    let delete = format!("delete-records --offset-json-file {}", file.display());
    let entry = |topic: &str, partition: i32, offset: i64| {
        format!(r#"{{"topic": "{topic}", "partition": {partition}, "offset": {offset}}}"#)
    };
    let write = |entries: &[String]| {
        let entries = entries.join(", ");
        fs::write(&file, format!(r#"{{"partitions": [{entries}], "version": 1}}"#)).unwrap();
    };
    // Those that can be done are done, the others named.
    write(&[entry("u", 11, 0), entry("t", 0, -1), entry("t", 9, 1), entry("nope", 0, 1)]);
    let output = server.run(&delete, b"");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        text(&output.stdout),
        format!("{done}partition: t-0\tlow_watermark: 3\npartition: u-11\tlow_watermark: 0\n")
    );
    let said = text(&output.stderr);
    assert!(said.contains("topic `t` has no partition 9: it has 1, counted from 0"), "{said}");
    assert!(said.contains("topic `nope`: UNKNOWN_TOPIC_OR_PARTITION (3)"), "{said}");
    assert_eq!(server.ok("offsets --topic t --time earliest", b""), "t:0:3\n");

    let said = server.fails("delete-records --topic t --partition 0 --offset 4");
    assert!(said.contains("the records of t-0: OFFSET_OUT_OF_RANGE (1)"), "{said}");
}

#[test]
fn what_cannot_be_deleted_is_named_before_anything_is() {
    let server = with_records();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("offsets.json");
    let delete = format!("delete-records --offset-json-file {}", file.display());
    assert!(server.fails(&delete).contains("cannot read"));
    let one = r#"{"topic": "t", "partition": 0, "offset": 1}"#;
    for (content, sentence) in [
        ("no json".to_owned(), "expected ident at line 1 column 2. Expected {\"partitions\""),
        (format!(r#"{{"partitions": [{one}, {one}]}}"#), "t-0 stands there twice"),
        (r#"{"partitions": [], "version": 2}"#.to_owned(), "version 2 is not known, expected 1"),
    ] {
        fs::write(&file, content).unwrap();
        let said = server.fails(&delete);
        assert!(said.contains(&file.display().to_string()) && said.contains(sentence), "{said}");
    }
    server.refuses("delete-records", "--offset-json-file <FILE>");
    server.refuses("delete-records --topic t --partition 0", "--offset <OFFSET>");
    server.refuses("delete-records --topic t --partition 0 --offset -2", "0 or more, or -1");
    assert_eq!(server.ok("offsets --topic t --time earliest", b""), "t:0:0\n");
}
