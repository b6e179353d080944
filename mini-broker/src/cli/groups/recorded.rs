//! What Kafka's tool has printed, cut into cells: whoever lays the cells out again must get the same
//! bytes.

use std::collections::BTreeMap;

/// A row: title → cell.
pub type Cells = BTreeMap<&'static str, String>;

/// The tables of a text, one after the other. Cells stand below the beginnings of their titles.
pub fn tables(text: &str) -> Vec<Vec<Cells>> {
    let mut tables = Vec::new();
    let mut titles: Vec<(&'static str, usize)> = Vec::new();
    for line in text.lines() {
        match TITLES.iter().any(|title| line.starts_with(title)) {
            true => {
                titles = self::titles(line);
                tables.push(Vec::new());
            }
            false if line.is_empty() => {}
            false => {
                let ends = titles.iter().skip(1).map(|(_, at)| *at - 1).chain([line.len()]);
                let cell = |((title, at), end): (&(&'static str, usize), usize)| {
                    (*title, line[*at..end].trim_end().to_owned())
                };
                tables
                    .last_mut()
                    .expect("titles")
                    .push(titles.iter().zip(ends).map(cell).collect());
            }
        }
    }
    tables
}

fn titles(line: &str) -> Vec<(&'static str, usize)> {
    let mut found: Vec<(&'static str, usize)> = Vec::new();
    for title in TITLES {
        // A shorter title may be the end of a longer one.
        let padded = format!(" {line} ");
        found.extend(padded.find(&format!(" {title} ")).map(|at| (*title, at)));
    }
    found.sort_by_key(|(_, at)| *at);
    found
}

const TITLES: &[&str] = &[
    "GROUP",
    "TOPIC",
    "PARTITION",
    "LEADER-EPOCH",
    "CURRENT-OFFSET",
    "LOG-END-OFFSET",
    "LAG",
    "CONSUMER-ID",
    "GROUP-INSTANCE-ID",
    "HOST",
    "CLIENT-ID",
    "#PARTITIONS",
    "CURRENT-ASSIGNMENT",
    "COORDINATOR (ID)",
    "ASSIGNMENT-STRATEGY",
    "TYPE",
    "STATE",
    "#MEMBERS",
    "CURRENT-EPOCH",
    "TARGET-EPOCH",
    "TARGET-ASSIGNMENT",
    "GROUP-EPOCH",
    "TARGET-ASSIGNMENT-EPOCH",
    "NEW-OFFSET",
    "STATUS",
];

/// One of the files that `record` has written.
macro_rules! recorded {
    ($name:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/commands/recorded/groups/",
            $name,
            ".txt"
        ))
    };
}
pub(super) use recorded;
