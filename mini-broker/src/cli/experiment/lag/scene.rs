//! What has happened so far: what was done, and what the checker has said at each look.

use std::time::Duration;

use super::story::{DRAINED_FROM, Deed, FASTER};
use crate::labs::lag::Status;
use crate::labs::told;
use crate::monitor::view::{Drain, GroupView};

/// What the checker has said at one look. `None`: the step for it is not written yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    pub at: Duration,
    pub lag: u64,
    pub status: Option<Status>,
    pub drain: Option<Drain>,
    pub behind_ms: Option<u64>,
}

/// How many records have come, and how many are done, at some time.
#[derive(Debug, Clone, Copy)]
pub struct Count {
    pub at: Duration,
    pub come: u64,
    pub done: u64,
}

#[derive(Debug, Default)]
pub struct Scene {
    pub acts: Vec<(Duration, Deed)>,
    pub looks: Vec<Look>,
    pub counts: Vec<Count>,
    /// The step of the lab that is missing, in words.
    pub unfinished: Option<String>,
}

/// What a deed has led to.
#[derive(Debug, PartialEq)]
pub struct Outcome {
    /// The verdicts until the next deed, one after the other.
    pub verdicts: Vec<Option<Status>>,
    /// After how long the last of them was there for good.
    pub after: Option<Duration>,
    pub lag: u64,
    pub drain: Option<Drain>,
}

impl Scene {
    pub fn looked(&mut self, at: Duration, group: Option<&GroupView>) {
        // Before its first commit a group is not known.
        let Some(view) = group.and_then(|group| group.partitions.first()) else { return };
        let lag = match (view.log, view.committed) {
            (Some((_, end)), Some(committed)) => end.saturating_sub(committed),
            _ => 0,
        };
        if let Err(broken) = &view.status {
            self.unfinished = Some(told("lag", broken));
        }
        self.looks.push(Look {
            at,
            lag,
            status: view.status.clone().ok(),
            drain: view.drain.clone().ok(),
            behind_ms: view.behind_ms.clone().ok().flatten(),
        });
    }

    /// For each deed what came of it.
    pub fn outcomes(&self) -> Vec<(Duration, Deed, Outcome)> {
        let end = Duration::MAX;
        let ends = self.acts.iter().skip(1).map(|(at, _)| *at).chain([end]);
        let outcome = |(&(at, deed), end): (&(Duration, Deed), Duration)| {
            let until: Vec<&Look> =
                self.looks.iter().filter(|look| look.at >= at && look.at < end).collect();
            let last = until.last();
            let verdict = last.and_then(|last| last.status);
            let since = until.iter().rev().take_while(|look| look.status == verdict).last();
            let after = since.map(|look| look.at - at);
            let mut verdicts: Vec<_> = until.iter().map(|look| look.status).collect();
            verdicts.dedup();
            let (lag, drain) = last.map_or((0, None), |last| (last.lag, last.drain));
            (at, deed, Outcome { verdicts, after, lag, drain })
        };
        self.acts.iter().zip(ends).map(outcome).collect()
    }

    /// P5.2: how long after the consumer's death the first STOP was seen.
    pub fn noticed(&self) -> Option<Duration> {
        let dead = self.acts.iter().find(|(_, deed)| *deed == Deed::Kill)?.0;
        let mut later = self.looks.iter().filter(|look| look.at >= dead);
        later.find(|look| look.status == Some(Status::Stop)).map(|look| look.at - dead)
    }

    /// P5.3: how long it took to work off a lag of 600.
    pub fn drained(&self) -> Option<Duration> {
        let faster = self.acts.iter().find(|(_, deed)| *deed == Deed::Does(FASTER))?.0;
        let later = self.counts.iter().skip_while(|count| count.at < faster);
        let lag = |count: &Count| count.come.saturating_sub(count.done);
        let begin = later.clone().find(|count| lag(count) <= DRAINED_FROM)?;
        // A record that has just come is on its way.
        let end = later.skip_while(|count| count.at < begin.at).find(|count| lag(count) <= 10)?;
        Some(end.at - begin.at)
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    fn look(s: u64, lag: u64, status: Status) -> Look {
        let drain = Some(if lag > 500 { Drain::Never } else { Drain::In { ms: lag * 5 } });
        let behind_ms = Some(lag * 10);
        Look { at: Duration::from_secs(s), lag, status: Some(status), drain, behind_ms }
    }

    pub fn scene() -> Scene {
        let s = Duration::from_secs;
        let mut scene = Scene {
            acts: vec![(s(0), Deed::Start), (s(5), Deed::Does(FASTER)), (s(20), Deed::Kill)],
            ..Scene::default()
        };
        scene.looks.extend((1..20).map(|at| look(at, 10 + at, Status::Ok)));
        scene.looks.extend((20..28).map(|at| look(at, (at - 19) * 100, Status::Ok)));
        scene.looks.extend((28..33).map(|at| look(at, (at - 19) * 100, Status::Stop)));
        let count = |at: u64| Count { at: s(at), come: 1_140 + at * 100, done: at * 160 };
        scene.counts.extend((0..20).map(count));
        scene
    }

    #[test]
    fn what_a_deed_has_led_to() {
        let scene = scene();
        let outcomes = scene.outcomes();
        assert_eq!(outcomes[0].2.verdicts, [Some(Status::Ok)]);
        assert_eq!(outcomes[0].2.lag, 14);
        assert_eq!(outcomes[2].2.verdicts, [Some(Status::Ok), Some(Status::Stop)]);
        assert_eq!(outcomes[2].2.after, Some(Duration::from_secs(8)));
        assert_eq!(outcomes[2].2.drain, Some(Drain::Never));
        assert_eq!(scene.noticed(), Some(Duration::from_secs(8)));
        // At 9 s the lag is 600, and at 19 s it is gone.
        assert_eq!(scene.drained(), Some(Duration::from_secs(10)));
    }
}
