//! Where the leader and its model differ: which rule is broken. A message that names another one sends its reader to the
//! wrong step.

use acks::{Acks, Answer, Refused};

use super::{History, Known, Level};
use crate::grader::check;

/// The rule that a wrong answer to "may it be appended" breaks. A refusal tells its minimum.
pub fn append_rule(got: &Result<(), Refused>, effective_min: usize) -> &'static str {
    match got {
        Err(Refused::NotEnoughReplicas { min, .. }) if *min != effective_min => "R3.11",
        _ => "R3.12",
    }
}

impl History {
    pub(super) fn compare_append(&self, acks: Acks, got: &Result<(), Refused>) {
        let what = format!("whether {acks:?} may be appended with {:?} in sync", self.in_sync);
        check(append_rule(got, self.min()), what, got, &self.may_append(acks));
    }

    pub(super) fn compare_answer(&self, acks: Acks, last: u64) {
        let (got, expected) = (self.leader.answer(acks, last), self.answer(acks, last));
        let rule = match (acks, expected, got) {
            (Acks::All, Answer::Wait, _) | (Acks::All, _, Answer::Wait) => "R3.2",
            (_, _, Answer::Wait) => "R3.1",
            _ => "R3.3",
        };
        let what = format!("{acks:?}, the last offset {last}, watermark {}", self.watermark);
        check(rule, what, got, expected);
    }

    /// What the leader thinks of those that are not in the set.
    pub(super) fn compare_followers(&self) {
        if self.level < Level::InSync {
            return;
        }
        for follower in self.leader.followers() {
            let (id, known) = (follower.id, &self.known[&follower.id]);
            let what = format!("broker {id}, not in {:?}: whether it may join", self.in_sync);
            check("R3.10", what, follower.joining, known.joining);
            let what = format!("broker {id}, not in {:?}: whether it keeps up", self.in_sync);
            check("R3.8", what, follower.keeps_up, known.keeps_up);
        }
    }

    pub(super) fn compare_watermark(&mut self) {
        let (got, expected) = (self.leader.high_watermark(), self.watermark);
        if got != expected {
            check(self.watermark_rule(got), "the high watermark", got, expected);
        }
        self.before = self.watermark;
    }

    /// The rule that a wrong watermark breaks: is it where it would be if others counted?
    fn watermark_rule(&self, got: u64) -> &'static str {
        let counted = || self.known.iter().filter(|(id, known)| self.counts(**id, known));
        let agreed = |id: i32| self.in_sync.contains(&id);
        let with = |counts: &dyn Fn(i32, &Known) -> bool| {
            let ends = self.known.iter().filter(|(id, known)| counts(**id, known));
            let slowest = ends.map(|(_, known)| known.end().unwrap_or(0)).min();
            self.before.max(slowest.unwrap_or(self.end).min(self.end))
        };
        let others = [
            with(&|id, _| agreed(id)),
            with(&|id, known| agreed(id) || known.keeps_up),
            with(&|id, known| agreed(id) || known.joining),
            with(&|id, known| self.counts(id, known) && (known.joining || !self.lags(id))),
        ];
        let fetched = with(&|id, known| self.counts(id, known) && known.end().is_some());
        if self.in_sync.len() < self.min() {
            "R3.13"
        } else if counted().any(|(_, known)| known.end().is_none()) && got == fetched {
            "R3.6"
        } else if self.level >= Level::InSync && others.contains(&got) {
            "R3.7"
        } else {
            "R3.4"
        }
    }

    pub(super) fn compare_wanted(&self) {
        let wanted = self.wanted();
        let expected = (wanted != self.in_sync).then(|| wanted.clone());
        let got = self.leader.wanted_in_sync();
        let is = got.as_ref().unwrap_or(&self.in_sync);
        let differs = |id: &&i32| is.contains(id) != wanted.contains(id);
        let (rule, why) = match self.replicas.iter().find(differs) {
            None => ("R3.20", "in the order of the replicas".to_owned()),
            Some(id) if *id == self.leader.me() => ("R3.20", format!("{id} is the leader")),
            Some(id) if self.in_sync.contains(id) && is.contains(id) => {
                ("R3.8", format!("{id} should leave"))
            }
            Some(id) if self.in_sync.contains(id) => ("R3.8", format!("{id} should stay")),
            // It would join with a fetch like its last one: it was refused since.
            Some(id)
                if is.contains(id)
                    && self.known[id].end() >= Some(self.watermark.max(self.start)) =>
            {
                ("R3.7", format!("{id} may not join before its next fetch"))
            }
            Some(id) if is.contains(id) => ("R3.10", format!("{id} may not join")),
            Some(id) => ("R3.10", format!("{id} should join")),
        };
        let what = format!("who of {:?}, with {:?} in sync: {why}", self.replicas, self.in_sync);
        check(rule, what, got, expected);
    }
}
