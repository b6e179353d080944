//! All that is known of the experiment at a moment, and how it came about. It is told what was done,
//! what members said and where logs and commits stand, each with its time; it asks nobody.

use std::time::Duration;

use super::group::{Group, Life, NAMES, Owner};
use super::story::Deed;
use crate::cli::experiment::own_member::Said;

/// A curve's point is of so many samples.
const SMOOTH: usize = 4;

fn sum(lags: &[i64]) -> u64 {
    lags.iter().map(|lag| (*lag).max(0) as u64).sum()
}

/// What the cluster says: where the logs end, and what both groups have committed.
#[derive(Debug, Clone, Default)]
pub struct Looked {
    pub ends: Vec<i64>,
    pub shipping: Vec<i64>,
    pub billing: Vec<i64>,
}

/// A deed, and what came of it until the next one.
pub struct Act {
    pub at: Duration,
    pub deed: Deed,
    /// The generation before it.
    generation: i32,
    /// Records done and done again, until then.
    pub done: u64,
    pub doubled: u64,
    /// When all had heard of the next plan, and how many records were done by then.
    pub moved: Option<(Duration, u64)>,
    /// How it stood in the end.
    pub ended: Duration,
    pub owners: Vec<Owner>,
    pub lag: u64,
    pub done_then: u64,
    pub doubled_then: u64,
}

/// How it stood at a moment.
pub struct Sample {
    pub at: Duration,
    pub owners: Vec<Owner>,
    pub lag: u64,
    /// Done since the beginning: by the group, by each of its members, and by the second group.
    pub done: u64,
    pub done_by: Vec<u64>,
    pub billing_done: u64,
    pub billing_lag: u64,
}

pub struct Scene {
    pub shipping: Group,
    /// The second group has one member.
    pub billing: Group,
    /// Of each partition.
    pub lags: Vec<i64>,
    pub billing_lag: u64,
    pub acts: Vec<Act>,
    pub samples: Vec<Sample>,
    pub events: Vec<(Duration, String)>,
}

impl Scene {
    pub fn new(partitions: usize) -> Self {
        Self {
            shipping: Group::new(partitions),
            billing: Group::new(partitions),
            lags: vec![0; partitions],
            billing_lag: 0,
            acts: Vec::new(),
            samples: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Something was done.
    pub fn act(&mut self, at: Duration, deed: Deed) {
        self.close(at);
        let tally = &self.shipping.tally;
        self.acts.push(Act {
            at,
            deed,
            generation: self.shipping.generation,
            done: tally.done,
            doubled: tally.doubled,
            moved: None,
            ended: at,
            owners: Vec::new(),
            lag: 0,
            done_then: 0,
            doubled_then: 0,
        });
        self.events.push((at, deed.to_string()));
        let mut live = |member: usize, life| self.shipping.members[member].life = life;
        match deed {
            Deed::Start(member) => self.shipping.start(NAMES[member]),
            Deed::Kill(member) => live(member, Life::Dead),
            Deed::Freeze(member) => live(member, Life::Frozen),
            Deed::Slow(member) => live(member, Life::Slow),
            Deed::Thaw(member) | Deed::Hurry(member) => live(member, Life::Runs),
            Deed::Second => self.billing.start("billing"),
        }
    }

    /// The last act is over.
    pub fn close(&mut self, at: Duration) {
        let (owners, lag) = (self.shipping.owners(), sum(&self.lags));
        if let Some(act) = self.acts.last_mut() {
            (act.ended, act.owners, act.lag) = (at, owners, lag);
            act.done_then = self.shipping.tally.done;
            act.doubled_then = self.shipping.tally.doubled;
        }
    }

    /// A member of the first group has said something.
    pub fn said(&mut self, at: Duration, member: usize, said: Said) {
        match said {
            Said::Done { partition, first, last } => {
                self.shipping.done(member, partition, first, last);
            }
            Said::Late => {
                let name = self.shipping.members[member].name;
                self.events
                    .push((at, format!("{name} finds out: too slow, it has left the group")));
            }
            Said::Assigned { generation, partitions } => {
                let was = &self.shipping.members[member];
                let thawed = self.acts.last().is_some_and(|act| act.deed == Deed::Thaw(member));
                if thawed && !self.shipping.is_in(was) && was.generation >= 0 {
                    let name = was.name;
                    self.events
                        .push((at, format!("{name} finds out: fenced, it has joined again")));
                }
                self.shipping.assigned(member, generation, partitions);
                self.settled(at);
            }
        }
    }

    fn settled(&mut self, at: Duration) {
        if !self.shipping.is_settled() {
            return;
        }
        self.events.push((at, self.shipping.to_string()));
        let done = self.shipping.tally.done;
        if let Some(act) = self.acts.last_mut()
            && act.moved.is_none()
            && self.shipping.generation > act.generation
        {
            act.moved = Some((at, done));
        }
    }

    /// The second group's member has said something.
    pub fn billing_said(&mut self, said: Said) {
        match said {
            Said::Done { partition, first, last } => self.billing.done(0, partition, first, last),
            Said::Assigned { generation, partitions } => {
                self.billing.assigned(0, generation, partitions);
            }
            Said::Late => {}
        }
    }

    pub fn looked(&mut self, looked: &Looked) {
        let lags = |committed: &[i64]| -> Vec<i64> {
            looked.ends.iter().zip(committed).map(|(end, committed)| end - committed).collect()
        };
        self.lags = lags(&looked.shipping);
        self.billing_lag = sum(&lags(&looked.billing));
    }

    pub fn sample(&mut self, at: Duration) {
        self.samples.push(Sample {
            at,
            owners: self.shipping.owners(),
            lag: sum(&self.lags),
            done: self.shipping.tally.done,
            done_by: self.shipping.members.iter().map(|member| member.done).collect(),
            billing_done: self.billing.tally.done,
            billing_lag: self.billing_lag,
        });
    }

    /// Records a second before a sample, of whatever is counted.
    pub fn rate(&self, sample: usize, count: impl Fn(&Sample) -> u64) -> u64 {
        let (before, now) = (&self.samples[sample.saturating_sub(SMOOTH)], &self.samples[sample]);
        let time = (now.at - before.at).as_secs_f64();
        match time > 0.0 {
            true => (count(now).saturating_sub(count(before)) as f64 / time).round() as u64,
            false => 0,
        }
    }

    /// The first group's lag, as it was on average. Commits come now and then, so it goes up and down.
    pub fn lag(&self, sample: usize) -> u64 {
        let some = &self.samples[(sample + 1).saturating_sub(SMOOTH)..=sample];
        some.iter().map(|sample| sample.lag).sum::<u64>() / some.len() as u64
    }

    pub fn rate_now(&self, count: impl Fn(&Sample) -> u64) -> u64 {
        self.samples.len().checked_sub(1).map_or(0, |last| self.rate(last, count))
    }
}

impl Act {
    /// Records a second until the plan had changed (if it has), and from then on.
    pub fn rates(&self) -> (Option<u64>, u64) {
        let rate = |records: u64, from: Duration, to: Duration| {
            (records as f64 / (to - from).as_secs_f64().max(0.001)).round() as u64
        };
        match self.moved {
            Some((moved, done)) => (
                Some(rate(done - self.done, self.at, moved)),
                rate(self.done_then - done, moved, self.ended),
            ),
            None => (None, rate(self.done_then - self.done, self.at, self.ended)),
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Two members, one of which dies after ten seconds. The other one takes over after three more, and
    /// does ten records again.
    pub fn scene() -> Scene {
        let mut scene = Scene::new(2);
        let at = Duration::from_millis;
        let assigned = |generation, partitions: &[i32]| Said::Assigned {
            generation,
            partitions: partitions.to_vec(),
        };
        let mut next = [0, 0];
        let looks = |scene: &mut Scene, ms: u64, committed: [i64; 2]| {
            let end = ms as i64 / 4;
            scene.looked(&Looked {
                ends: vec![end, end],
                shipping: committed.to_vec(),
                billing: vec![0, end / 2],
            });
            scene.sample(at(ms));
        };
        let mut does = |scene: &mut Scene, member: usize, partition: usize, count: i64| {
            let first = next[partition];
            next[partition] += count;
            let last = next[partition] - 1;
            scene.said(at(0), member, Said::Done { partition: partition as i32, first, last });
            next
        };
        scene.act(at(0), Deed::Start(0));
        scene.act(at(500), Deed::Start(1));
        scene.said(at(700), 0, assigned(1, &[0]));
        scene.said(at(900), 1, assigned(1, &[1]));
        for second in 1..=10 {
            does(&mut scene, 0, 0, 250);
            let committed = does(&mut scene, 1, 1, 250);
            looks(&mut scene, second * 1_000, committed);
        }
        scene.act(at(10_000), Deed::Kill(1));
        for second in 11..=13 {
            let committed = does(&mut scene, 0, 0, 250);
            looks(&mut scene, second * 1_000, committed);
        }
        scene.said(at(13_000), 0, assigned(2, &[0, 1]));
        scene.said(at(13_000), 0, Said::Done { partition: 1, first: 2_490, last: 2_499 });
        scene.act(at(14_000), Deed::Second);
        scene.billing_said(Said::Done { partition: 0, first: 0, last: 999 });
        for second in 14..=15 {
            does(&mut scene, 0, 0, 150);
            let committed = does(&mut scene, 0, 1, 150);
            looks(&mut scene, second * 1_000, committed);
        }
        scene.close(at(15_000));
        scene
    }

    #[test]
    fn an_act_knows_when_partitions_moved_and_what_was_done_meanwhile() {
        let scene = scene();
        let kill = &scene.acts[2];
        assert_eq!(kill.moved.map(|(at, _)| at), Some(Duration::from_secs(13)));
        assert_eq!(kill.rates(), (Some(250), 10));
        assert_eq!((kill.doubled, kill.doubled_then), (0, 10));
        assert_eq!(kill.owners, [Owner::Reads(0); 2]);
        assert_eq!(scene.acts[3].rates(), (None, 600));
        // Of the 7,500 that have come, 2,500 + 3 × 250 + 2 × 150 and 2,500 + 2 × 150 are committed.
        assert_eq!(scene.lags, [200, 950]);
        assert_eq!(scene.rate_now(|sample| sample.billing_done), 250);
        let events: Vec<&str> = scene.events.iter().map(|(_, event)| event.as_str()).collect();
        let expected = [
            "ann starts",
            "bob starts",
            "generation 1: ann 0, bob 1",
            "kill -9 bob",
            "generation 2: ann 0 1",
            "billing starts",
        ];
        assert_eq!(events, expected);
    }
}
