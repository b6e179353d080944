//! What a reader of a whole topic sees, and what sorting by time makes of it.

use std::collections::BTreeMap;

/// A record as a reader gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub partition: u32,
    pub offset: u64,
    /// The record's timestamp: the clock of whoever sent it.
    pub time_ms: i64,
    pub key: String,
    /// When it was sent: the first record of all has number 1. No clock, no partition and no reader
    /// can change this number. Real records have none, unless the program that sends them counts.
    pub number: u64,
}

/// The order in which one reader gets the records of several partitions: it asks them in turn, and
/// takes up to `at_once` records from each, until nothing is left.
///
/// A real consumer fetches from all leaders at the same time and takes what comes first, so its
/// order is less even than this one, and another one each time.
pub fn in_turn(partitions: &[Vec<Seen>], at_once: usize) -> Vec<Seen> {
    let mut rest: Vec<&[Seen]> = partitions.iter().map(Vec::as_slice).collect();
    let mut view = Vec::new();
    while rest.iter().any(|records| !records.is_empty()) {
        for records in &mut rest {
            let (now, later) = records.split_at(at_once.max(1).min(records.len()));
            view.extend_from_slice(now);
            *records = later;
        }
    }
    view
}

/// The same records in the order of their timestamps. Those with equal ones stay as they came: there
/// is nothing to tell them apart.
pub fn by_time(view: &[Seen]) -> Vec<Seen> {
    let mut sorted = view.to_vec();
    sorted.sort_by_key(|seen| seen.time_ms);
    sorted
}

/// Records that came after one that was sent later.
pub fn overtaken(view: &[Seen]) -> usize {
    let mut newest = 0;
    let mut count = 0;
    for seen in view {
        count += usize::from(seen.number < newest);
        newest = newest.max(seen.number);
    }
    count
}

/// For each key, how many of its records came after one of the same key that was sent later. Keys
/// that kept their order are not in it.
pub fn overtaken_by_key(view: &[Seen]) -> BTreeMap<String, usize> {
    let mut of_key: BTreeMap<&str, Vec<Seen>> = BTreeMap::new();
    for seen in view {
        of_key.entry(&seen.key).or_default().push(seen.clone());
    }
    let counted = of_key.into_iter().map(|(key, view)| (key.to_owned(), overtaken(&view)));
    counted.filter(|(_, count)| *count > 0).collect()
}
