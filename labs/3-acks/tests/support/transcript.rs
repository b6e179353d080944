//! A transcript: an input line, its outputs indented below. The grammar that all labs share is in labs/README.md;
//! the inputs of this lab are:
//!
//! ```text
//! leader ME of ID… in-sync ID…     a leader, the partition's replicas, and those in sync (all, unless said else);
//!                                  epoch=N end=N watermark=N, min=N (1), lag=MS (30,000)
//! settings min=N lag=MS            other settings for it
//! answer ACKS LAST                 when a batch is answered whose last record has this offset; ACKS is 0, 1 or all
//! produce ACKS RECORDS             a batch; those that wait are told of when their answer is known
//! fetch FOLLOWER FROM epoch=N      a follower's fetch, in the leader's epoch unless said else
//! tick                             time has passed
//! wanted                           the in-sync set as it should be
//! agreed ID…                       the coordinator says who is in sync
//! gone ID                          the coordinator says who is dead
//! elect ID… in-sync ID… alive ID…  the next leader; with `unclean`, if need be one that is not in sync
//! log BROKER RECORD…               a replica's log: `1c` is a record `c` that the leader of epoch 1 wrote
//! write BROKER RECORD…             more of it
//! cut BROKER END                   a replica cuts its log
//! follow FOLLOWER LEADER           it finds where the logs part, cuts, and copies the rest; with
//!                                  `end-only` as before KIP-279
//! copy FOLLOWER LEADER             it only copies what comes behind its log end
//! compare BROKER BROKER            whether the same records stand at the same offsets
//! batch PRODUCER RECORDS           an idempotent producer's batch; first=N epoch=N
//! expire                           producers that are not heard of for `producer.id.expiration.ms`, here 1,000, go
//! dies seed=N min=N                the loss matrix (matrix.rs): all of it, or the rows with this minimum; `clean` and
//!                                  `unclean` leave only those
//! ```
//!
//! `@MS` before an input sets the clock.

use std::collections::BTreeMap;

use super::matrix::{HEAD, matrix};
use acks::{Acks, Answer, Config, Epochs, Leader, Producers, Sequence, elect};
use grammar::Line;

#[path = "../../../transcript.rs"]
mod grammar;

/// Runs a script and returns it with the outputs in place.
pub fn transcript(script: &str) -> String {
    let mut stage = Stage::default();
    grammar::run(script, |line| stage.input(line))
}

struct Stage {
    leader: Option<Leader>,
    /// The offsets of batches that have not been answered.
    waiting: Vec<(u64, u64)>,
    logs: BTreeMap<i32, Vec<(i32, String)>>,
    producers: Producers,
    log_end: u64,
}

impl Default for Stage {
    fn default() -> Self {
        let (waiting, logs) = (Vec::new(), BTreeMap::new());
        Stage { leader: None, waiting, logs, producers: Producers::new(1000), log_end: 0 }
    }
}

type Error = Box<dyn std::error::Error>;

impl Stage {
    fn input(&mut self, line: &Line) -> Result<Vec<String>, Error> {
        match line.verb {
            "leader" => {
                self.waiting.clear();
                self.leader = Some(leader(line));
                Ok(vec![])
            }
            "elect" => {
                let lists = lists(line, &["in-sync", "alive", "unclean"]);
                let unclean = line.words.contains(&"unclean");
                Ok(vec![match elect(&lists[0], &lists[1], &lists[2], unclean) {
                    Some(id) => format!("broker {id} leads"),
                    None => "nobody leads".to_owned(),
                }])
            }
            "log" | "write" | "cut" | "follow" | "copy" | "compare" => Ok(self.logs(line)),
            "batch" => self.batch(line),
            "dies" => {
                let rows = matrix(line.named("seed").unwrap_or(0)).into_iter().filter(|row| {
                    let min = line.named("min").is_none_or(|min| min == u64::from(row.min_in_sync));
                    let other = if row.unclean { "clean" } else { "unclean" };
                    min && !line.words.contains(&other)
                });
                Ok([HEAD.to_owned()].into_iter().chain(rows.map(|row| row.to_string())).collect())
            }
            "expire" => {
                self.producers.expire(line.now_ms);
                Ok(vec![])
            }
            _ => self.leading(line),
        }
    }

    /// What happens to the leader, and what it changes.
    fn leading(&mut self, line: &Line) -> Result<Vec<String>, Error> {
        let leader = self.leader.as_mut().expect("the first line makes a leader");
        let watermark = leader.high_watermark();
        let mut lines = Vec::new();
        match line.verb {
            "settings" => leader.configure(config(line, leader.config())),
            "answer" => lines.push(said(leader.answer(acks(line.words[0]), line.number(1)))),
            "produce" => {
                let acks = acks(line.words[0]);
                leader.may_append(acks)?;
                let first = leader.log_end();
                let last = first + line.number(1) - 1;
                leader.appended(last + 1);
                let answer = leader.answer(acks, last);
                lines.push(format!("offsets {first} to {last}: {}", said(answer)));
                if answer == Answer::Wait {
                    self.waiting.push((first, last));
                }
            }
            "fetch" => {
                let epoch = line.named("epoch").map_or(leader.epoch(), |epoch| epoch as i32);
                leader.fetched(line.now_ms, line.number(0) as i32, epoch, line.number(1))?;
            }
            "tick" => leader.tick(line.now_ms),
            "wanted" => lines.push(match leader.wanted_in_sync() {
                Some(wanted) => format!("{wanted:?} should be in sync"),
                None => format!("as it is: {:?}", leader.in_sync()),
            }),
            "agreed" => {
                let ids: Vec<i32> = (0..line.words.len()).map(|n| line.number(n) as i32).collect();
                leader.in_sync_agreed(&ids);
            }
            "gone" => leader.gone(line.number(0) as i32),
            other => panic!("no such input: {other}"),
        }
        if leader.high_watermark() != watermark {
            lines.push(format!("high watermark {}", leader.high_watermark()));
        }
        if line.verb != "produce" {
            self.waiting.retain(|(first, last)| match leader.answer(Acks::All, *last) {
                Answer::Wait => true,
                answer => {
                    lines.push(format!("offsets {first} to {last}: {}", said(answer)));
                    false
                }
            });
        }
        Ok(lines)
    }

    fn logs(&mut self, line: &Line) -> Vec<String> {
        let broker = line.number(0) as i32;
        let records = || line.words[1..].iter().map(|word| record(word));
        match line.verb {
            "log" => drop(self.logs.insert(broker, records().collect())),
            "write" => self.log(broker).extend(records()),
            "cut" => self.log(broker).truncate(line.number(1) as usize),
            "follow" => return self.follow(broker, line.number(1) as i32, line),
            "copy" => return vec![self.copy(broker, line.number(1) as i32)],
            "compare" => return vec![self.compare(broker, line.number(1) as i32)],
            _ => unreachable!("`input` has chosen"),
        }
        vec![shown(self.log(broker))]
    }

    fn log(&mut self, broker: i32) -> &mut Vec<(i32, String)> {
        self.logs.get_mut(&broker).expect("this broker has a log")
    }

    /// A follower fetches until its log is a part of the leader's, and copies the rest.
    fn follow(&mut self, follower: i32, leader: i32, line: &Line) -> Vec<String> {
        let end_only = line.words.contains(&"end-only");
        let mut lines = Vec::new();
        loop {
            let (mine, its) = (epochs(&self.logs[&follower]), epochs(&self.logs[&leader]));
            let (end, its_end) =
                (self.logs[&follower].len() as u64, self.logs[&leader].len() as u64);
            let last = mine.latest().unwrap_or(-1);
            let Some((epoch, ends)) =
                mine.latest().and_then(|last| its.diverging(last, end, its_end))
            else {
                lines.push(format!("fetch from {end}, last epoch {last}: it goes on"));
                break;
            };
            let cut = if end_only { ends.min(end) } else { mine.truncate_to((epoch, ends), end) };
            lines.push(format!(
                "fetch from {end}, last epoch {last}: epoch {epoch} ends at {ends}, so cut to {cut}"
            ));
            self.log(follower).truncate(cut as usize);
            if end_only {
                break;
            }
        }
        lines.push(self.copy(follower, leader));
        lines
    }

    fn copy(&mut self, follower: i32, leader: i32) -> String {
        let end = self.log(follower).len();
        let rest: Vec<_> = self.logs[&leader].iter().skip(end).cloned().collect();
        self.log(follower).extend(rest);
        shown(self.log(follower))
    }

    fn compare(&self, one: i32, other: i32) -> String {
        let (a, b) = (&self.logs[&one], &self.logs[&other]);
        match a.iter().zip(b).position(|(a, b)| a != b) {
            Some(at) => {
                format!("offset {at} is {} on {one} and {} on {other}", a[at].1, b[at].1)
            }
            None if a.len() == b.len() => "the same".to_owned(),
            None => "the same, as far as the shorter one goes".to_owned(),
        }
    }

    fn batch(&mut self, line: &Line) -> Result<Vec<String>, Error> {
        let (producer, count) = (line.number(0) as i64, line.number(1) as u32);
        let epoch = line.named("epoch").unwrap_or(0) as i16;
        let first = line.named("first").unwrap_or(0) as i32;
        Ok(vec![match self.producers.check(producer, epoch, first, count)? {
            Sequence::Next => {
                let (offset, time_ms) = (self.log_end, line.now_ms as i64);
                self.producers.appended(producer, epoch, first, count, offset, time_ms);
                self.log_end += u64::from(count);
                format!("offsets {offset} to {}", self.log_end - 1)
            }
            Sequence::Again(stored) => {
                format!("again: offsets {} to {}", stored.first_offset, stored.last_offset)
            }
        }])
    }
}

fn leader(line: &Line) -> Leader {
    let lists = lists(line, &["of", "in-sync"]);
    let in_sync = if line.words.contains(&"in-sync") { &lists[2] } else { &lists[1] };
    let number = |name| line.named(name).unwrap_or(0);
    Leader::elected(
        lists[0][0],
        number("epoch") as i32,
        &lists[1],
        in_sync,
        number("end"),
        number("watermark"),
        line.now_ms,
        config(line, &Config::default()),
    )
}

fn config(line: &Line, now: &Config) -> Config {
    Config {
        min_in_sync: line.named("min").map_or(now.min_in_sync, |min| min as u32),
        lag_time_max_ms: line.named("lag").unwrap_or(now.lag_time_max_ms),
    }
}

/// The numbers before and behind each of some words, which come in this order.
fn lists(line: &Line, words: &[&str]) -> Vec<Vec<i32>> {
    let mut lists = vec![Vec::new(); words.len() + 1];
    let mut at = 0;
    for word in &line.words {
        match words.iter().position(|other| other == word) {
            Some(found) => at = found + 1,
            None => lists[at].push(word.parse().expect("the id of a broker")),
        }
    }
    lists
}

fn acks(word: &str) -> Acks {
    match word {
        "0" => Acks::None,
        "1" => Acks::Leader,
        "all" => Acks::All,
        other => panic!("no such acks: {other}"),
    }
}

fn said(answer: Answer) -> String {
    match answer {
        Answer::Now => "answered",
        Answer::Wait => "waits",
        Answer::NotEnoughReplicasAfterAppend => "not enough replicas after append",
    }
    .to_owned()
}

/// `1c` is a record `c` of epoch 1.
fn record(word: &str) -> (i32, String) {
    let name = word.trim_start_matches(|c: char| c.is_ascii_digit());
    let epoch = &word[..word.len() - name.len()];
    (epoch.parse().expect("an epoch, then a name"), name.to_owned())
}

fn shown(log: &[(i32, String)]) -> String {
    let records: Vec<String> = log.iter().map(|(epoch, name)| format!("{epoch}{name}")).collect();
    format!("[{}]", records.join(" "))
}

fn epochs(log: &[(i32, String)]) -> Epochs {
    Epochs::from_entries(log.iter().zip(0..).map(|((epoch, _), offset)| (*epoch, offset)))
}
