//! A transcript: an input line, its outputs indented below. The grammar that all labs share is in labs/README.md;
//! the inputs of this lab are:
//!
//! ```text
//! topic window=N min=MS   another partition, empty, and another group that has read nothing of it. The monitor keeps the
//!                         last N commits (5) and ends (5); commits less than MS apart (0) count as one
//! produce N               so many records more
//! consume N               the group reads so many more, if there are, and commits
//! seek N                  it goes on at another offset, and commits that
//! retain N · cut N        the log starts there now, by retention; it ends there now
//! lag                     what an operator's tool shows
//! look                    the monitor looks at the log's end, and says what it makes of the group
//! each MS rounds=N produce=N consume=N     so many times: MS later, produce, look at the end, consume, and the verdict.
//!                         Without `consume` nobody commits; with `consume=0` the same offset is committed again
//! partition WORD lag=N complete=N          a partition of a group, its verdict, how full its window is in percent
//! group                   all of these together
//! late                    how old the oldest unread record is
//! drain                   when all will be read, by what was seen at the last looks
//! ```
//!
//! `@MS` before an input sets the clock.

use std::convert::Infallible;

use grammar::Line;
use lag::{
    PartitionStatus, Place, Samples, Status, Window, behind_ms, drain_ms, lag, place, rate, roll_up,
};

use crate::grader::during;

#[path = "../../../transcript.rs"]
mod grammar;

/// Runs a script and returns it with the outputs in place.
pub fn transcript(script: &str) -> String {
    let mut stage = Stage::new(5, 0);
    let text = grammar::run(script, |line| {
        let said = format!("{} {}", line.verb, line.words.join(" "));
        during(|| format!("the transcript's `{}`", said.trim()));
        Ok::<_, Infallible>(stage.input(line))
    });
    during(String::new);
    text
}

struct Stage {
    now_ms: u64,
    /// When each record was written.
    times: Vec<u64>,
    log_start: u64,
    committed: Option<u64>,
    window: Window,
    /// What the monitor has seen of the log's end, and of what is committed.
    ends: Samples,
    commits: Samples,
    partitions: Vec<PartitionStatus>,
}

impl Stage {
    fn new(intervals: usize, min_distance_ms: u64) -> Self {
        Self {
            now_ms: 0,
            times: Vec::new(),
            log_start: 0,
            committed: None,
            window: Window::new(intervals, min_distance_ms),
            ends: Samples::new(intervals),
            commits: Samples::new(intervals),
            partitions: Vec::new(),
        }
    }

    fn input(&mut self, line: &Line) -> Vec<String> {
        self.now_ms = line.at_ms.unwrap_or(self.now_ms);
        match line.verb {
            "topic" => {
                let intervals = line.named("window").unwrap_or(5) as usize;
                let now_ms = self.now_ms;
                *self = Self::new(intervals, line.named("min").unwrap_or(0));
                self.now_ms = now_ms;
            }
            "produce" => self.produce(line.number(0)),
            "consume" => self.consume(line.number(0)),
            "seek" => self.commit(line.number(0)),
            "retain" => self.log_start = line.number(0),
            "cut" => self.times.truncate(line.number(0) as usize),
            "lag" => return vec![self.lag()],
            "look" => {
                self.look();
                return vec![self.verdict()];
            }
            "each" => return self.each(line),
            "partition" => self.partitions.push(partition(line)),
            "group" => return vec![self.group()],
            "late" => return vec![self.late()],
            "drain" => return vec![self.drain()],
            other => panic!("no such input: {other}"),
        }
        vec![]
    }

    fn end(&self) -> u64 {
        self.times.len() as u64
    }

    fn produce(&mut self, records: u64) {
        self.times.extend((0..records).map(|_| self.now_ms));
    }

    /// From what retention has left.
    fn consume(&mut self, records: u64) {
        let from = self.committed.unwrap_or(0).max(self.log_start);
        self.commit((from + records).min(self.end().max(from)));
    }

    fn commit(&mut self, offset: u64) {
        self.committed = Some(offset);
        let end = self.ends.all().last().map(|seen| seen.offset);
        self.window.committed(self.now_ms, offset, end);
    }

    fn look(&mut self) {
        self.ends.seen(self.now_ms, self.end());
        if let Some(committed) = self.committed {
            self.commits.seen(self.now_ms, committed);
        }
    }

    fn lag(&self) -> String {
        let shown = |number: Option<i64>| number.map_or("-".to_owned(), |it| it.to_string());
        let committed = shown(self.committed.map(|committed| committed as i64));
        let lag = shown(lag(self.end(), self.committed));
        let place = match place(self.log_start, self.end(), self.committed) {
            Place::Nowhere => ", nothing is committed".to_owned(),
            Place::Overtaken { lost } => format!(", of them {lost} are deleted"),
            Place::Within => String::new(),
            Place::Beyond { by } => format!(", beyond the end by {by}"),
        };
        format!("{} to {}, committed {committed}: lag {lag}{place}", self.log_start, self.end())
    }

    fn verdict(&self) -> String {
        let ends = self.ends.offsets();
        let status = match self.window.commits() {
            [] => Status::Ok,
            _ => self.window.status(self.now_ms, &ends),
        };
        let committed = self.committed.map_or("-".to_owned(), |committed| committed.to_string());
        let (end, lag) = (self.end(), self.window.lag(&ends));
        format!("@{} end {end}, committed {committed}, lag {lag}: {status}", self.now_ms)
    }

    fn each(&mut self, line: &Line) -> Vec<String> {
        let round = |_| {
            self.now_ms += line.number(0);
            self.produce(line.named("produce").unwrap_or(0));
            self.look();
            if let Some(records) = line.named("consume") {
                self.consume(records);
            }
            self.verdict()
        };
        (0..line.named("rounds").unwrap_or(1)).map(round).collect()
    }

    fn group(&mut self) -> String {
        let group = roll_up(&self.partitions);
        let most = group.max_lag.map_or("no partition".to_owned(), |at| format!("partition {at}"));
        let percent = (group.complete * 100.0).round();
        self.partitions.clear();
        let (status, total) = (group.status, group.total_lag);
        format!("{status}, lag {total}, most of it in {most}; {percent} % have a full window")
    }

    /// The time of the oldest record that is there and not read.
    fn late(&self) -> String {
        let from = self.committed.unwrap_or(0).max(self.log_start) as usize;
        let unread: Vec<i64> = self.times.iter().skip(from).take(1).map(|&ms| ms as i64).collect();
        let oldest =
            unread.first().map_or("all is read".to_owned(), |ms| format!("unread since @{ms}"));
        match behind_ms(self.now_ms, &unread) {
            Some(ms) => format!("{oldest}: {ms} ms late"),
            None => format!("{oldest}: not known how late"),
        }
    }

    fn drain(&self) -> String {
        let (Some(come), Some(go)) = (rate(self.ends.all()), rate(self.commits.all())) else {
            return "not seen for long enough".to_owned();
        };
        let lag = self.end().saturating_sub(self.committed.unwrap_or(0));
        let when = match drain_ms(lag, come, go) {
            Some(ms) => format!("done in {ms} ms"),
            None => "never done".to_owned(),
        };
        format!("lag {lag}, {come:.1} a second come, {go:.1} are read: {when}")
    }
}

fn partition(line: &Line) -> PartitionStatus {
    let word = line.words[0];
    let status = Status::ALL.into_iter().find(|status| status.name() == word);
    PartitionStatus {
        status: status.unwrap_or_else(|| panic!("no such verdict: {word}")),
        lag: line.named("lag").unwrap_or(0),
        complete: line.named("complete").unwrap_or(100) as f32 / 100.0,
    }
}
