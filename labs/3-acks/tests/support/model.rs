//! Histories that chance wrote: the leader must agree with a simple model of it after every event. The model keeps
//! all that ever happened and works out everything anew each time. It is slow, and right.
//!
//! What differs first is rarely what is wrong: a follower that should not have joined shows in the high watermark. So
//! what a decision rests on is compared before the decision, and how the two differ says which rule is broken (blame.rs).
//!
//! Each history has a seed, which a failure names. `SEED=17 cargo test -p acks any_history` repeats it alone.

use std::collections::BTreeMap;
use std::env;

use acks::{Acks, Answer, Config, Leader, Refused};
use fastrand::Rng;

use crate::grader::{check, during};

mod blame;

pub use blame::append_rule;

/// How much of a leader's life a history has. Each level adds to the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Watermark,
    InSync,
    Minimum,
    Fenced,
}

const EVENTS: usize = 150;

/// The seeds of this run: `SEED=17` chooses one of them alone.
pub fn seeds() -> Vec<u64> {
    match env::var("SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => vec![seed],
        None => (0..40).collect(),
    }
}

pub fn histories(level: Level) {
    for seed in seeds() {
        History::new(level, seed).run();
    }
    during(String::new);
}

/// A fetch: when, from which offset, and where the leader's log ended.
type Fetch = (u64, u64, u64);

#[derive(Clone, Debug, Default)]
struct Known {
    fetches: Vec<Fetch>,
    /// Fetches before this one do not tell any more when it had caught up.
    since: usize,
    /// When it counts as caught up without a fetch.
    begun_ms: Option<u64>,
    joining: bool,
    keeps_up: bool,
}

struct History {
    level: Level,
    seed: u64,
    rng: Rng,
    config: Config,
    leader: Leader,
    epoch: i32,
    replicas: Vec<i32>,
    in_sync: Vec<i32>,
    start: u64,
    end: u64,
    watermark: u64,
    /// Where the watermark was before the last event.
    before: u64,
    now_ms: u64,
    known: BTreeMap<i32, Known>,
}

impl History {
    fn new(level: Level, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut replicas: Vec<i32> = (1..=rng.i32(2..6)).collect();
        rng.shuffle(&mut replicas);
        let me = replicas[rng.usize(0..replicas.len())];
        let mut in_sync = vec![me];
        in_sync.extend(replicas.iter().copied().filter(|id| *id != me && rng.u8(0..4) > 0));
        rng.shuffle(&mut in_sync);
        let min_in_sync = if level >= Level::Minimum { rng.u32(1..5) } else { 1 };
        let config = Config { min_in_sync, lag_time_max_ms: rng.u64(20..200) };
        let (start, epoch, now_ms) = (rng.u64(0..50), rng.i32(0..9), rng.u64(0..1000));
        let watermark = rng.u64(0..=start);
        let leader = Leader::elected(
            me,
            epoch,
            &replicas,
            &in_sync,
            start,
            watermark,
            now_ms,
            config.clone(),
        );
        let others = replicas.iter().filter(|id| **id != me);
        let known = others.map(|id| {
            let begun_ms = in_sync.contains(id).then_some(now_ms);
            (*id, Known { begun_ms, ..Known::default() })
        });
        let known = known.collect();
        let mut history = History {
            level,
            seed,
            rng,
            config,
            leader,
            epoch,
            in_sync: Vec::new(),
            replicas,
            start,
            end: start,
            watermark,
            before: watermark,
            now_ms,
            known,
        };
        history.in_sync = history.in_order(&in_sync);
        history.settle();
        history
    }

    fn run(&mut self) {
        self.say(format!("elected with {:?} in sync, at {}", self.in_sync, self.start));
        self.compare();
        for _ in 0..EVENTS {
            self.now_ms += self.rng.u64(0..30);
            match self.rng.u8(0..10) {
                0..=2 => self.append(),
                3..=6 => self.fetch(),
                7..=8 if self.level >= Level::InSync => self.agree(),
                9 if self.level >= Level::Minimum => self.configure(),
                _ => self.fetch(),
            }
            if self.level >= Level::InSync {
                self.tick(); // an append does not tell the time
            }
            self.compare();
        }
    }

    fn say(&self, what: String) {
        let (level, seed, now_ms) = (self.level, self.seed, self.now_ms);
        let (replicas, config) = (self.replicas.clone(), self.config.clone());
        let (me, end) = (self.leader.me(), self.end);
        during(move || {
            format!(
                "seed {seed} ({level:?}): {me} leads {replicas:?}, {config:?}, log end {end}; at {now_ms} {what}"
            )
        });
    }

    fn append(&mut self) {
        let acks = [Acks::None, Acks::Leader, Acks::All][self.rng.usize(0..3)];
        let records = self.rng.u64(1..6);
        self.say(format!("produce {acks:?}, {records} records"));
        let got = self.leader.may_append(acks);
        self.compare_append(acks, &got);
        if got.is_ok() {
            self.end += records;
            self.leader.appended(self.end);
            self.settle();
            self.compare_watermark();
        }
    }

    fn fetch(&mut self) {
        let ids: Vec<i32> = self.known.keys().copied().collect();
        let id = ids[self.rng.usize(0..ids.len())];
        if self.level == Level::Watermark && !self.in_sync.contains(&id) {
            return;
        }
        let before = self.known[&id].fetches.last().map_or(self.watermark, |(_, from, _)| *from);
        let from = match self.rng.u8(0..8) {
            0..=2 => self.end,
            3..=5 => self.rng.u64(before..=self.end),
            6 => self.rng.u64(self.watermark..=self.end),
            _ => self.rng.u64(before.saturating_sub(5)..=self.end),
        };
        let epoch = match self.rng.u8(0..6) {
            0 if self.level >= Level::Fenced => self.epoch + self.rng.i32(-2..3),
            _ => self.epoch,
        };
        self.say(format!("broker {id} fetches from {from} in epoch {epoch}"));
        let (current, got) = (self.epoch, epoch);
        let expected = match got {
            _ if got < current => Err(Refused::FencedLeaderEpoch { current, got }),
            _ if got > current => Err(Refused::UnknownLeaderEpoch { current, got }),
            _ => Ok(()),
        };
        let got = self.leader.fetched(self.now_ms, id, epoch, from);
        check("R3.16", "what the fence says", &got, &expected);
        if got.is_err() {
            return;
        }
        let (now_ms, end) = (self.now_ms, self.end);
        self.known.get_mut(&id).expect("known").fetches.push((now_ms, from, end));
        if !self.in_sync.contains(&id) {
            let joins = from >= self.watermark && from >= self.start;
            let joining = self.known[&id].joining || joins;
            let keeps_up = !joining && !self.lags(id);
            let known = self.known.get_mut(&id).expect("known");
            (known.joining, known.keeps_up) = (joining, keeps_up);
        }
        self.settle();
        self.compare_followers();
        self.compare_watermark();
    }

    fn tick(&mut self) {
        self.leader.tick(self.now_ms);
        let ids: Vec<i32> = self.known.keys().copied().collect();
        for id in ids {
            let keeps_up = self.known[&id].keeps_up && !self.lags(id);
            self.known.get_mut(&id).expect("known").keeps_up = keeps_up;
        }
        self.settle();
        self.compare_followers();
        self.compare_watermark();
    }

    /// The coordinator agrees, refuses, or has heard of a death.
    fn agree(&mut self) {
        self.say("time has passed".to_owned()); // the answer does not tell the time
        self.tick();
        let wanted = self.wanted();
        let mut told = match self.rng.u8(0..4) {
            0 => self.in_sync.clone(),
            _ => wanted,
        };
        if self.rng.u8(0..3) == 0 {
            let (me, one) = (self.leader.me(), self.rng.usize(0..self.replicas.len()));
            told.retain(|id| *id == me || *id != self.replicas[one]);
        }
        self.rng.shuffle(&mut told);
        self.say(format!("{told:?} are agreed to be in sync"));
        self.leader.in_sync_agreed(&told);
        for (id, known) in &mut self.known {
            let was = self.in_sync.contains(id);
            match told.contains(id) {
                true if !was => known.begun_ms = Some(self.now_ms),
                false if was || known.joining => {
                    (known.since, known.begun_ms) = (known.fetches.len(), None);
                }
                _ => {}
            }
            (known.joining, known.keeps_up) = (false, false);
        }
        self.in_sync = self.in_order(&told);
        self.settle();
    }

    fn configure(&mut self) {
        self.config.min_in_sync = self.rng.u32(1..5);
        self.say("other settings".to_owned());
        self.leader.configure(self.config.clone());
        self.settle();
    }

    fn compare(&mut self) {
        let got = self.leader.may_append(Acks::All);
        self.compare_append(Acks::All, &got);
        self.compare_watermark();
        let last = self.rng.u64(0..self.end + 2);
        for acks in [Acks::None, Acks::Leader, Acks::All] {
            self.compare_answer(acks, last);
        }
        if self.level >= Level::InSync {
            self.compare_wanted();
        }
    }

    fn may_append(&self, acks: Acks) -> Result<(), Refused> {
        let (in_sync, min) = (self.in_sync.len(), self.min());
        match acks {
            Acks::All if in_sync < min => Err(Refused::NotEnoughReplicas { in_sync, min }),
            _ => Ok(()),
        }
    }

    fn answer(&self, acks: Acks, last: u64) -> Answer {
        let joining = self.known.values().filter(|known| known.joining).count();
        match acks {
            Acks::None | Acks::Leader => Answer::Now,
            Acks::All if last >= self.watermark => Answer::Wait,
            Acks::All if self.in_sync.len() + joining >= self.min() => Answer::Now,
            Acks::All => Answer::NotEnoughReplicasAfterAppend,
        }
    }

    fn min(&self) -> usize {
        self.replicas.len().min(self.config.min_in_sync as usize).max(1)
    }

    fn in_order(&self, ids: &[i32]) -> Vec<i32> {
        self.replicas.iter().copied().filter(|id| ids.contains(id)).collect()
    }

    fn caught_up_ms(&self, id: i32) -> Option<u64> {
        let known = &self.known[&id];
        let mut caught_up_ms = known.begun_ms;
        for (at, (time_ms, from, end)) in known.fetches.iter().enumerate().skip(known.since) {
            if from >= end {
                caught_up_ms = caught_up_ms.max(Some(*time_ms));
            }
            if at > 0 && *from >= known.fetches[at - 1].2 {
                caught_up_ms = caught_up_ms.max(Some(known.fetches[at - 1].0));
            }
        }
        caught_up_ms
    }

    fn lags(&self, id: i32) -> bool {
        let at_the_end = self.known[&id].end() == Some(self.end);
        let limit_ms = self.config.lag_time_max_ms;
        !at_the_end && self.caught_up_ms(id).is_none_or(|ms| ms + limit_ms < self.now_ms)
    }

    fn wanted(&self) -> Vec<i32> {
        let mut ids = vec![self.leader.me()];
        for (id, known) in &self.known {
            if known.joining || self.in_sync.contains(id) && !self.lags(*id) {
                ids.push(*id);
            }
        }
        self.in_order(&ids)
    }

    fn settle(&mut self) {
        if self.in_sync.len() < self.min() {
            return;
        }
        let counted = self.known.iter().filter(|(id, known)| self.counts(**id, known));
        let ends = counted.map(|(_, known)| known.end().unwrap_or(0));
        self.watermark = self.watermark.max(ends.min().unwrap_or(self.end).min(self.end));
    }

    /// Whether the watermark waits for a follower.
    fn counts(&self, id: i32, known: &Known) -> bool {
        self.in_sync.contains(&id) || known.joining || known.keeps_up
    }
}

impl Known {
    /// Where it fetched from last.
    fn end(&self) -> Option<u64> {
        self.fetches.last().map(|(_, from, _)| *from)
    }
}
