//! `dump-log`: the lines of Kafka's tool, and a message byte by byte.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::server::{Server, run, run_in, text};

#[test]
fn one_message_is_explained_byte_by_byte() {
    let server = Server::start();
    server.ok("topics --create --topic t --partitions 1", b"");
    for (codec, line) in [("none", "h:v\tk\tfirst\n"), ("lz4", "h:v\tkey\tこんにちは\n")] {
        let produce = format!(
            "produce --topic t --compression-codec {codec} --property parse.key=true --property \
             parse.headers=true"
        );
        server.ok(&produce, line.as_bytes());
    }
    let data = server.stop();
    let file = data.path().join("t-0/00000000000000000000.log");
    let bytes = fs::read(&file).unwrap();
    let explain = |offset: &str| {
        run(&["dump-log", "--files", file.to_str().unwrap(), "--explain", offset], b"")
    };
    let plain = text(&explain("0").stdout);
    // Every byte of the first batch appears once, at its place.
    let mut at = 0;
    for line in plain.lines().filter(|line| line.starts_with(" 0000")) {
        let shown = |from: usize, to: usize| line.get(from..to).unwrap().trim();
        assert_eq!(shown(0, 9), format!("{at:08x}"), "{line}");
        for byte in shown(11, 34).split(' ') {
            assert_eq!(byte, format!("{:02x}", bytes[at]), "{line}");
            at += 1;
        }
    }
    let first_batch = 12 + u32::from_be_bytes(bytes[8..12].try_into().unwrap()) as usize;
    assert_eq!(at, first_batch);
    assert!(plain.contains("compression none, CreateTime"), "{plain}");
    assert!(plain.contains("\"first\""), "{plain}");

    let packed = text(&explain("1").stdout);
    assert!(packed.contains("compression lz4, CreateTime"), "{packed}");
    // Up to eight bytes a row, and no character is torn.
    assert!(
        packed.contains("\"こん\"") && packed.contains("\"にち\"") && packed.contains("\"は\""),
        "{packed}"
    );

    let said = explain("2");
    assert_eq!(said.status.code(), Some(1));
    assert!(text(&said.stderr).contains("holds offsets 0 to 1"), "{}", text(&said.stderr));
}

/// Files of a folder, in order, with commas between.
fn files(folder: &Path, kinds: &[&str]) -> String {
    let is_one = |file: &String| kinds.iter().any(|kind| file.ends_with(&format!(".{kind}")));
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<String> =
        files.map(|file| file.to_str().unwrap().to_owned()).filter(is_one).collect();
    files.sort();
    files.join(",")
}

/// Ours must print what Kafka's tool has printed.
fn compare(at: &Path, flag: &str, files: &str, recorded: &Path) {
    let ours = text(&run_in(at, &["dump-log", flag, "--files", files], b"").stdout);
    let kafkas = fs::read_to_string(recorded).unwrap();
    for (number, (ours, kafkas)) in ours.lines().zip(kafkas.lines()).enumerate() {
        assert_eq!(ours, kafkas, "line {} of {}", number + 1, recorded.display());
    }
    assert_eq!(ours.len(), kafkas.len(), "{}", recorded.display());
}

fn recorded() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/commands/recorded")
}

#[test]
fn dump_log_prints_what_kafka_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let parity = root.join("labs/1-offset-log/tests/parity");
    let mut compared = 0;
    for folder in fs::read_dir(&parity).unwrap() {
        let folder = folder.unwrap().path();
        let text = recorded().join(folder.file_name().unwrap()).with_extension("txt");
        if text.exists() {
            let files = files(&folder, &["log", "index", "timeindex"]);
            let files = files.replace(&format!("{}/", root.display()), "");
            compare(root, "--print-data-log", &files, &text);
            compared += 1;
        }
    }
    assert_eq!(compared, 7);
}

#[test]
fn snapshots_of_the_metadata_log_and_what_its_records_say() {
    let folder = recorded().join("metadata");
    let files = files(&folder, &["log", "checkpoint"]);
    let files = files.replace(&format!("{}/", recorded().display()), "");
    compare(&recorded(), "--cluster-metadata-decoder", &files, &recorded().join("metadata.txt"));
}

#[test]
fn a_snapshot_that_is_none_is_told() {
    let dir = TempDir::new().unwrap();
    let dump = |name: &str, bytes: &[u8]| {
        let file = dir.path().join(name);
        fs::write(&file, bytes).unwrap();
        let file = file.to_str().unwrap();
        let said = run(&["dump-log", "--cluster-metadata-decoder", "--files", file], b"");
        (said.status.code(), text(&said.stdout), text(&said.stderr))
    };
    let name = "00000000000000000021-0000000000.checkpoint";
    let whole = fs::read(recorded().join("metadata").join(name)).unwrap();

    let (code, _, said) = dump("backup.checkpoint", &whole);
    assert_eq!(code, Some(1));
    assert!(said.contains("backup.checkpoint: this is no name of a snapshot"), "{said}");
    let (code, out, _) = dump(name, &whole[..whole.len() - 1]);
    assert_eq!(code, Some(0));
    assert!(out.ends_with(&format!("Found 74 invalid bytes at the end of {name}\n")), "{out}");
    // The type of the first record behind the header. A record of a kind that nobody knows here keeps nobody
    // from the others.
    let mut other = whole.clone();
    let topic = whole.windows(3).position(|bytes| bytes == [1, 2, 0]).unwrap();
    other[topic + 1] = 99;
    let (code, out, _) = dump(name, &other);
    assert_eq!(code, Some(0));
    assert!(out.contains("skipping. unknown record type 99, version 0\n"), "{out}");
    assert!(out.contains("SnapshotFooter"), "{out}");
}

#[test]
fn damage_is_told_and_what_stands_before_it_is_printed() {
    let server = Server::start();
    server.ok("topics --create --topic t --partitions 1", b"");
    server.ok("produce --topic t --sync", b"one\ntwo\nthree\n");
    let data = server.stop();
    let file = data.path().join("t-0/00000000000000000000.log");
    let dump = || {
        let output = run(&["dump-log", "--files", file.to_str().unwrap(), "--deep-iteration"], b"");
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let whole = fs::read(&file).unwrap();

    fs::write(&file, &whole[..whole.len() - 5]).unwrap();
    let (code, out, _) = dump();
    assert_eq!(code, Some(0));
    assert_eq!(out.lines().filter(|line| line.starts_with("baseOffset")).count(), 2);
    assert!(out.contains(" invalid bytes at the end of 00000000000000000000.log\n"), "{out}");

    let mut flipped = whole.clone();
    // The last byte counts headers; before it stands the last letter of `three`.
    flipped[whole.len() - 2] ^= 1;
    fs::write(&file, &flipped).unwrap();
    let (code, out, _) = dump();
    assert_eq!((code, out.matches("isvalid: true").count()), (Some(0), 2));
    assert!(out.contains("isvalid: false"), "{out}");

    let mut old = whole.clone();
    old[16] = 1;
    fs::write(&file, &old).unwrap();
    let (code, _, said) = dump();
    assert_eq!(code, Some(1));
    assert!(said.contains("at position 0: batch of format (magic) 1"), "{said}");
}
