//! What a group promises, whatever its clients do. A message names the rule that is broken, so that its reader looks in
//! the right place.

use std::collections::BTreeSet;

use consumer_groups::{Error, Next, State};

use super::{Client, Doing, Level, World};
use crate::grader::check;

impl World {
    /// A tick before the deadline changes nothing.
    pub(super) fn idle_tick(&mut self, at_ms: u64) {
        if self.group.deadline().is_some_and(|deadline| deadline <= at_ms) {
            return;
        }
        let before = (self.group.state(), self.group.metadata(), self.group.deadline());
        let members: Vec<String> = self.members().into_iter().map(str::to_owned).collect();
        let next = self.group.tick(at_ms);
        if let Some(gone) = members.iter().find(|id| !self.members().contains(&id.as_str())) {
            let waits = |me: &Client| matches!(me.doing, Doing::Joining(_) | Doing::Syncing(_));
            let waits = self.clients.values().any(|me| me.id == *gone && waits(me));
            let rule = if waits { "R4.22" } else { "R4.21" };
            check(rule, format!("whether {gone} is a member after a tick at {at_ms}"), false, true);
        }
        let after = (self.group.state(), self.group.metadata(), self.group.deadline());
        check("R4.26", "what a tick before the deadline makes the broker do", next, Vec::new());
        check("R4.26", "the group after a tick before the deadline", after, before);
    }

    /// When a generation begins, all its members are told.
    pub(super) fn round_is_over(&self, next: &[Next]) {
        let joined = next.iter().filter_map(|next| match next {
            Next::Joined { member, generation, .. } if *generation > self.generation => {
                Some(member.as_str())
            }
            _ => None,
        });
        let joined: Vec<&str> = joined.collect();
        if joined.is_empty() {
            return;
        }
        let rule = if self.level == Level::Rounds { "R4.12" } else { "R4.23" };
        check(rule, "who has joined when the round is over", &joined, &self.members());
        if self.level == Level::Rounds {
            // Nobody is ever late, so nobody is left out.
            let there = self.clients.values().filter(|me| me.doing != Doing::Nothing);
            let mut ids = there.map(|me| me.id.as_str()).filter(|id| !id.is_empty());
            let missing = ids.find(|id| !joined.contains(id));
            check("R4.12", "who has not joined, and the round is over", missing, None);
        }
    }

    pub(super) fn members(&self) -> Vec<&str> {
        self.group.members().map(|member| member.id.as_str()).collect()
    }

    /// What a request of somebody with this id and generation is told, if nothing else is wrong.
    pub(super) fn known(&self, id: &str, generation: i32) -> Result<(), Error> {
        let current = self.group.generation();
        if !self.group.members().any(|member| member.id == id) {
            return Err(Error::UnknownMemberId { member: id.to_owned() });
        }
        match generation == current {
            true => Ok(()),
            false => Err(Error::IllegalGeneration { current, got: generation }),
        }
    }

    /// What is always so.
    pub(super) fn compare(&mut self) {
        let generation = self.group.generation();
        check("R4.16", "whether the generation goes back", generation < self.generation, false);
        self.generation = generation;
        let empty = self.group.members().len() == 0;
        if self.group.state() != State::PreparingRebalance {
            check("R4.12", "whether it is empty", self.group.state() == State::Empty, empty);
        }
        // Who was heard within its session timeout is a member; who was not, and waits for nothing, is not.
        for (name, me) in &self.clients {
            let known = self.group.members().any(|member| member.id == me.id);
            if let Doing::Joining(_) | Doing::Syncing(_) = me.doing
                && !me.id.is_empty()
            {
                let pending = self.group.pending().any(|id| id == me.id);
                check(
                    "R4.22",
                    format!("whether {name}, which waits, is a member"),
                    known || pending,
                    true,
                );
            }
        }
        for (name, me) in self.clients.iter().filter(|_| self.group.state() == State::Stable) {
            let waits = matches!(me.doing, Doing::Syncing(_));
            check(
                "R4.15",
                format!("whether {name} waits for its part in a stable group"),
                waits,
                false,
            );
        }
        let mut readers = BTreeSet::new();
        for (name, me) in &self.clients {
            if let Doing::Reading(theirs) = &me.doing
                && me.generation == generation
            {
                for one in theirs {
                    let once = readers.insert(one.clone());
                    check("R4.15", format!("whether {name} alone reads {one:?}"), once, true);
                }
            }
            if self.level >= Level::Commits {
                let expected = match self.known(&me.id, me.generation) {
                    Ok(()) if self.group.state() == State::CompletingRebalance => {
                        Err(Error::RebalanceInProgress)
                    }
                    Err(_) if empty && me.generation < 0 && self.group.state() == State::Empty => {
                        Ok(())
                    }
                    known => known,
                };
                let what = format!("whether {name} of generation {} may commit", me.generation);
                let open = self.group.state() != State::Stable;
                let current = open && self.known(&me.id, me.generation).is_ok();
                let rule = if current { "R4.29" } else { "R4.28" };
                check(rule, what, self.group.may_commit(&me.id, me.generation), expected);
            }
        }
    }

    /// All is quiet: who lives is a member or is out, and all that they want is read.
    pub(super) fn settled(&mut self) {
        self.say("all has been quiet for 15 seconds");
        let mut members: Vec<String> = Vec::new();
        let mut read = BTreeSet::new();
        for me in self.clients.values() {
            if let Doing::Reading(theirs) = &me.doing {
                members.push(me.id.clone());
                read.extend(theirs.iter().cloned());
            }
        }
        members.sort();
        let known: Vec<String> = self.group.members().map(|member| member.id.clone()).collect();
        // Where nobody dies, whoever is no member waits for a round that does not end.
        let rule = if self.level == Level::Rounds { "R4.12" } else { "R4.21" };
        check(rule, "the members", known, members.clone());
        let state = if members.is_empty() { State::Empty } else { State::Stable };
        check("R4.12", "the state", self.group.state(), state);
        check("R4.18", "requests without an answer", self.open.len(), 0);
        let wanted = self.clients.values().filter(|me| members.contains(&me.id));
        let wanted: BTreeSet<&String> = wanted.flat_map(|me| &me.topics).collect();
        let all = wanted
            .into_iter()
            .flat_map(|topic| (0..self.topics[topic]).map(move |n| (topic.clone(), n)));
        check("R4.15", "what is read", read, all.collect());
    }
}
