//! What real Kafka wrote and found, from `tests/parity/`. Its README says how it was recorded.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use offset_log::{Config, OffsetLog};

use crate::grader::{Works, check, folder_of};

pub const TOPICS: [&str; 7] =
    ["none-0", "gzip-0", "snappy-0", "lz4-0", "zstd-0", "idempotent-0", "compacted-0"];

/// The settings with which Kafka wrote.
pub fn config() -> Config {
    Config { segment_ms: 60_000, index_interval_bytes: 200, ..Config::default() }
}

fn folder() -> PathBuf {
    folder_of(&crate::LAB).join("tests/parity")
}

/// A copy of a partition's files.
pub fn files(topic: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = fs::read_dir(folder().join(topic)).expect("a recorded partition");
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.expect("a file");
        let name = entry.file_name().to_string_lossy().into_owned();
        (name, fs::read(entry.path()).expect("its bytes"))
    };
    folder.map(read).collect()
}

/// Those of them that make up the segments.
pub fn segments_only(
    files: &BTreeMap<String, Vec<u8>>,
) -> impl Iterator<Item = (&String, &Vec<u8>)> {
    files.iter().filter(|(name, _)| name.ends_with(".log") || name.ends_with("index"))
}

/// A line of `lookups.txt`.
pub struct Lookup {
    line: String,
    wanted: Wanted,
    base: Option<u64>,
}

enum Wanted {
    Offset { offset: u64, position: u64, segment: u64 },
    Time { time_ms: i64 },
}

pub fn lookups(topic: &str) -> Vec<Lookup> {
    let text = fs::read_to_string(folder().join("lookups.txt")).expect("lookups.txt");
    text.lines().filter(|line| line.starts_with(&format!("{topic} "))).map(parse).collect()
}

/// `none-0 offset 12 -> base 9 position 917 segment 0`, `none-0 time 17000 -> base 9 offset 11`, `… -> none`.
fn parse(line: &str) -> Lookup {
    let words: Vec<&str> = line.split_whitespace().collect();
    let after = |word: &str| {
        let at = words.iter().rposition(|other| *other == word)?;
        words[at + 1].parse::<u64>().ok()
    };
    let number = || words[2].parse::<i64>().unwrap_or_else(|_| panic!("a number in `{line}`"));
    let wanted = match words[1] {
        "offset" => Wanted::Offset {
            offset: number() as u64,
            position: after("position").unwrap_or_default(),
            segment: after("segment").unwrap_or_default(),
        },
        _ => Wanted::Time { time_ms: number() },
    };
    Lookup { line: line.to_owned(), wanted, base: after("base") }
}

impl Lookup {
    #[track_caller]
    pub fn check(&self, log: &OffsetLog) {
        let what = format!("real Kafka found: {}", self.line);
        match self.wanted {
            Wanted::Offset { offset, position, segment } => {
                let slice = log.read(offset, log.log_end(), 1).works("R1.4: a read");
                let (got, expected) = ((slice.segment, slice.position), (segment, position));
                check("R1.9", &what, got, expected);
                check("R1.4", &what, Some(slice.first), self.base);
            }
            Wanted::Time { time_ms } => {
                let found = log
                    .find_time(time_ms)
                    .works("R1.11: a lookup by time")
                    .map(|slice| slice.first);
                check("R1.11", &what, found, self.base);
            }
        }
    }
}
