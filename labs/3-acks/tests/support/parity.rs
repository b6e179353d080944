//! What a real Kafka answered to an idempotent producer's batches. See parity/README.md.

use std::cell::RefCell;
use std::collections::BTreeMap;

use acks::{OutOfOrder, Producers, Sequence};

/// A batch, and Kafka's answer to it.
#[derive(Clone, Debug)]
pub struct Batch {
    pub producer: i64,
    pub epoch: i16,
    pub first_sequence: i32,
    pub count: u32,
    /// The batch's largest timestamp.
    pub time_ms: i64,
    /// `offset 5, time -1` or `error 45`.
    pub answer: String,
}

/// All batches in the order in which they were sent, each with the name of its story. Each story has its own
/// partition.
pub fn batches() -> Vec<(String, Batch)> {
    let mut story = String::new();
    let mut batches = Vec::new();
    for line in include_str!("../parity/idempotent.txt").lines() {
        if let Some(name) = line.strip_prefix("# ") {
            story = name.to_owned();
            continue;
        }
        let (sent, answer) = line.split_once(" -> ").expect("a batch and its answer");
        let numbers: Vec<i64> =
            sent.split(' ').map(|word| word.parse().expect("a number")).collect();
        let [producer, epoch, first, count, time_ms] = numbers[..] else {
            panic!("idempotent.txt: {line}")
        };
        let (epoch, first_sequence, count) = (epoch as i16, first as i32, count as u32);
        let answer = answer.to_owned();
        batches.push((
            story.clone(),
            Batch { producer, epoch, first_sequence, count, time_ms, answer },
        ));
    }
    batches
}

thread_local! {
    /// For each story, what its partition knows, and where its log ends.
    static PARTITIONS: RefCell<BTreeMap<String, (Producers, u64)>> =
        const { RefCell::new(BTreeMap::new()) };
}

/// Our answer to the same batch: the first offset, and the time if it is a duplicate.
pub fn answer(story: &str, batch: &Batch) -> Result<(u64, i64), OutOfOrder> {
    let Batch { producer, epoch, first_sequence, count, time_ms, .. } = *batch;
    PARTITIONS.with(|partitions| {
        let mut partitions = partitions.borrow_mut();
        let new = || (Producers::new(u64::MAX), 0);
        let (producers, end) = partitions.entry(story.to_owned()).or_insert_with(new);
        Ok(match producers.check(producer, epoch, first_sequence, count)? {
            Sequence::Again(stored) => (stored.first_offset, stored.timestamp_ms),
            Sequence::Next => {
                let offset = *end;
                producers.appended(producer, epoch, first_sequence, count, offset, time_ms);
                *end += u64::from(count);
                (offset, -1)
            }
        })
    })
}
