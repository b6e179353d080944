//! A transcript: an input line, its outputs indented below. The grammar that all labs share is in labs/README.md;
//! the inputs of this lab are:
//!
//! ```text
//! topic PARTITIONS batch=N     a topic, and one producer for it; 16,384 bytes unless said else
//! send KEY…                    a record for each word; `-` has no key. `bytes=N` (10) and `random=N` (0) are for
//!                              those without one; `time=MS` is another clock's time
//! grow PARTITIONS              the topic gets more partitions, up to this many
//! read at_once=N               one reader's view of all partitions, N records (10) from each in turn
//! sort                         the same records, sorted by their timestamps
//! compare KEY… of=N            where Kafka's Java client puts a key, and where librdkafka does
//! moved BEFORE AFTER keys=N    how many of the keys user-0, user-1, … belong elsewhere
//! brokers ID…                  the brokers there are
//! spread ADD replicas=N        more partitions are placed on them
//! ```
//!
//! `@MS` before an input sets the clock. A record reads `#5 anna 2`: the fifth of all, Anna's second.

use std::collections::BTreeMap;

use partitions::{
    Error, Load, Partitioner, Seen, by_time, for_key, in_turn, moved, overtaken, overtaken_by_key,
    spread,
};

use super::librdkafka;
use grammar::Line;

#[path = "../../../transcript.rs"]
mod grammar;

/// Runs a script and returns it with the outputs in place.
pub fn transcript(script: &str) -> String {
    let mut stage = Stage::default();
    grammar::run(script, |line| stage.input(line))
}

#[derive(Default)]
struct Stage {
    partitions: Vec<Vec<Seen>>,
    partitioner: Option<Partitioner>,
    sent: u64,
    of_key: BTreeMap<String, u64>,
    view: Vec<Seen>,
    brokers: Vec<i32>,
    placed: Vec<Vec<i32>>,
}

impl Stage {
    fn input(&mut self, line: &Line) -> Result<Vec<String>, Error> {
        Ok(match line.verb {
            "topic" => {
                self.partitions = vec![Vec::new(); line.number(0) as usize];
                (self.sent, self.of_key) = (0, BTreeMap::new());
                let batch = line.named("batch").unwrap_or(16_384) as u32;
                self.partitioner = Some(Partitioner::new(batch));
                self.size()
            }
            "send" => line.words.iter().map(|key| self.send(key, line)).collect(),
            "grow" => {
                self.partitions.resize(line.number(0) as usize, Vec::new());
                self.size()
            }
            "read" => {
                self.view = in_turn(&self.partitions, line.named("at_once").unwrap_or(10) as usize);
                seen(&self.view)
            }
            "sort" => {
                self.view = by_time(&self.view);
                seen(&self.view)
            }
            "compare" => {
                let of = line.named("of").unwrap_or(4) as u32;
                let compared = |key: &&str| {
                    let (ours, theirs) = (for_key(key.as_bytes(), of), librdkafka(key, of));
                    format!("{key}: Kafka {ours}, librdkafka {theirs}")
                };
                line.words.iter().map(compared).collect()
            }
            "moved" => {
                let count = line.named("keys").unwrap_or(1000);
                let keys: Vec<String> = (0..count).map(|n| format!("user-{n}")).collect();
                let keys: Vec<&[u8]> = keys.iter().map(|key| key.as_bytes()).collect();
                let moved = moved(&keys, line.number(0) as u32, line.number(1) as u32);
                vec![format!("{moved} of {count} keys belong elsewhere")]
            }
            "brokers" => {
                self.brokers = (0..line.words.len()).map(|n| line.number(n) as i32).collect();
                vec![]
            }
            "spread" => {
                let replicas = line.named("replicas").unwrap_or(1) as u16;
                let add = line.number(0) as u32;
                let added = spread(&self.brokers, &self.placed, add, replicas)?;
                let first = self.placed.len();
                let places = added.iter().zip(first..);
                let mut lines: Vec<String> =
                    places.map(|(replicas, n)| format!("partition {n}: {replicas:?}")).collect();
                self.placed.extend(added);
                let load = Load::of(&self.placed);
                lines.extend(self.brokers.iter().map(|&broker| {
                    let (leads, holds) = (load.leads(broker), load.holds(broker));
                    format!("broker {broker} leads {leads} and holds {holds}")
                }));
                lines
            }
            other => panic!("no such input: {other}"),
        })
    }

    fn size(&self) -> Vec<String> {
        vec![match self.partitions.len() {
            1 => "1 partition".to_owned(),
            n => format!("{n} partitions"),
        }]
    }

    fn send(&mut self, key: &str, line: &Line) -> String {
        let all: Vec<u32> = (0..self.partitions.len() as u32).collect();
        let bytes = line.named("bytes").unwrap_or(10) as u32;
        let partitioner = self.partitioner.as_mut().expect("the first line makes a topic");
        let given = (key != "-").then_some(key.as_bytes());
        let random = line.named("random").unwrap_or(0) as u32;
        let partition = partitioner.partition(given, bytes, all.len() as u32, &all, random);
        self.sent += 1;
        let name = match given {
            None => "-".to_owned(),
            Some(_) => {
                let number = self.of_key.entry(key.to_owned()).or_default();
                *number += 1;
                format!("{key} {number}")
            }
        };
        let log = self.partitions.get_mut(partition as usize);
        let log = log.unwrap_or_else(|| panic!("R2.2: {key} goes to partition {partition}"));
        let seen = Seen {
            partition,
            offset: log.len() as u64,
            time_ms: line.named("time").unwrap_or(line.now_ms) as i64,
            key: name,
            number: self.sent,
        };
        let line = format!("{}: partition {partition}, offset {}", said(&seen), seen.offset);
        log.push(seen);
        line
    }
}

fn said(seen: &Seen) -> String {
    format!("#{} {}", seen.number, seen.key)
}

/// A line for each record, and which came too late.
fn seen(view: &[Seen]) -> Vec<String> {
    let mut newest: Option<&Seen> = None;
    let mut lines = Vec::new();
    for seen in view {
        let late = newest.filter(|newest| newest.number > seen.number);
        let late = late.map_or_else(String::new, |newest| format!(", after #{}", newest.number));
        let Seen { partition, offset, time_ms, .. } = seen;
        lines.push(format!("@{time_ms} {partition}:{offset} {}{late}", said(seen)));
        if newest.is_none_or(|newest| newest.number < seen.number) {
            newest = Some(seen);
        }
    }
    let view: Vec<Seen> = view.iter().cloned().map(without_number).collect();
    let keys = overtaken_by_key(&view);
    let keys: Vec<String> = keys.iter().map(|(key, count)| format!("{key} {count}")).collect();
    let keys = if keys.is_empty() { "none".to_owned() } else { keys.join(", ") };
    lines.push(format!("overtaken: {} of {}; within a key: {keys}", overtaken(&view), view.len()));
    lines
}

/// `anna 2` is Anna's second record; its key is `anna`.
fn without_number(seen: Seen) -> Seen {
    let key = seen.key.split(' ').next().unwrap_or_default().to_owned();
    Seen { key, ..seen }
}
