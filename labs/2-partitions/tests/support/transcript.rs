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
use std::fmt::Write;

use partitions::{
    Error, Load, Partitioner, Seen, by_time, for_key, in_turn, moved, overtaken, overtaken_by_key,
    spread,
};

use super::librdkafka;

/// Runs a script and returns it with the outputs in place.
pub fn transcript(script: &str) -> String {
    let mut stage = Stage::default();
    let mut text = String::new();
    for line in script.trim().lines().map(str::trim) {
        writeln!(text, "{line}").expect("a string takes all");
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let outputs = stage.input(line).unwrap_or_else(|error| vec![format!("error: {error}")]);
        for output in outputs {
            writeln!(text, "  {output}").expect("a string takes all");
        }
    }
    text
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
    now_ms: u64,
}

struct Words<'a> {
    plain: Vec<&'a str>,
    named: BTreeMap<&'a str, u64>,
}

impl Words<'_> {
    fn number(&self, n: usize) -> u64 {
        self.plain[n].parse().unwrap_or_else(|_| panic!("`{}` is no number", self.plain[n]))
    }

    fn named(&self, name: &str, usual: u64) -> u64 {
        self.named.get(name).copied().unwrap_or(usual)
    }
}

impl Stage {
    fn input(&mut self, line: &str) -> Result<Vec<String>, Error> {
        let mut words = Words { plain: Vec::new(), named: BTreeMap::new() };
        for word in line.split_whitespace() {
            if let Some(now_ms) = word.strip_prefix('@') {
                self.now_ms = now_ms.parse().expect("@ and milliseconds");
            } else if let Some((name, value)) = word.split_once('=') {
                words.named.insert(name, value.parse().expect("a number after ="));
            } else {
                words.plain.push(word);
            }
        }
        Ok(match words.plain[0] {
            "topic" => {
                self.partitions = vec![Vec::new(); words.number(1) as usize];
                (self.sent, self.of_key) = (0, BTreeMap::new());
                let batch = words.named("batch", 16_384) as u32;
                self.partitioner = Some(Partitioner::new(batch));
                self.size()
            }
            "send" => words.plain[1..].iter().map(|key| self.send(key, &words)).collect(),
            "grow" => {
                self.partitions.resize(words.number(1) as usize, Vec::new());
                self.size()
            }
            "read" => {
                self.view = in_turn(&self.partitions, words.named("at_once", 10) as usize);
                seen(&self.view)
            }
            "sort" => {
                self.view = by_time(&self.view);
                seen(&self.view)
            }
            "compare" => {
                let of = words.named("of", 4) as u32;
                let line = |key: &&str| {
                    let (ours, theirs) = (for_key(key.as_bytes(), of), librdkafka(key, of));
                    format!("{key}: Kafka {ours}, librdkafka {theirs}")
                };
                words.plain[1..].iter().map(line).collect()
            }
            "moved" => {
                let count = words.named("keys", 1000);
                let keys: Vec<String> = (0..count).map(|n| format!("user-{n}")).collect();
                let keys: Vec<&[u8]> = keys.iter().map(|key| key.as_bytes()).collect();
                let moved = moved(&keys, words.number(1) as u32, words.number(2) as u32);
                vec![format!("{moved} of {count} keys belong elsewhere")]
            }
            "brokers" => {
                self.brokers = (1..words.plain.len()).map(|n| words.number(n) as i32).collect();
                vec![]
            }
            "spread" => {
                let replicas = words.named("replicas", 1) as u16;
                let add = words.number(1) as u32;
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

    fn send(&mut self, key: &str, words: &Words) -> String {
        let all: Vec<u32> = (0..self.partitions.len() as u32).collect();
        let bytes = words.named("bytes", 10) as u32;
        let partitioner = self.partitioner.as_mut().expect("the first line makes a topic");
        let given = (key != "-").then_some(key.as_bytes());
        let random = words.named("random", 0) as u32;
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
            time_ms: words.named("time", self.now_ms) as i64,
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
