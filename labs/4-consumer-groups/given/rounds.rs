//! Rounds: from the event that begins one to the generation that it ends with; and the timers, which
//! end what does not end by itself.

use crate::table::act;
use crate::{Act, Error, Event, Group, Member, Next, State};

/// The first round of an empty group stays open for a while, and longer while others come.
/// (Kafka: `tryCompleteInitialRebalanceElseSchedule`.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FirstRound {
    /// When it is over, unless somebody has joined since.
    pub(crate) ends_ms: u64,
    delay_ms: u64,
    /// By how much it may become longer.
    left_ms: u64,
    pub(crate) somebody_joined: bool,
}

/// A static member that came back with a new id, and the leader that it is told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Replaced {
    pub(crate) member: String,
    pub(crate) leader: String,
}

impl Group {
    /// Does what the table says of a join or of a member that is gone.
    pub(crate) fn go_on(&mut self, act: Act) -> Vec<Next> {
        match act {
            Act::Rebalance => self.rebalance(),
            Act::Wait => self.end_round_if_all_joined(),
            other => panic!("R4.6: a join begins a round or waits for one, not {other:?}"),
        }
    }

    /// A member is gone: removes it, and does what the table says.
    pub(crate) fn remove_and_go_on(&mut self, id: &str) -> Result<Vec<Next>, Error> {
        let act = act(self.state, Event::Leaves); // step 3
        if let Act::Refuse(error) = act {
            return Err(error);
        }
        let mut next = self.remove(id);
        next.extend(self.go_on(act));
        Ok(next)
    }

    /// Removes a member. Whatever it waits for is answered with an error.
    pub(crate) fn remove(&mut self, id: &str) -> Vec<Next> {
        let Some(mut member) = self.members.remove(id) else { return Vec::new() };
        if self.leader.as_deref() == Some(id) {
            self.leader = self.members.keys().next().cloned();
        }
        let waiting = [member.joining.take(), member.syncing.take()].into_iter().flatten();
        let error = Error::UnknownMemberId { member: id.to_owned() };
        waiting.map(|ticket| Next::Refused { ticket, error: error.clone() }).collect()
    }

    /// A new round begins. (Kafka: `prepareRebalance`.)
    pub(crate) fn rebalance(&mut self) -> Vec<Next> {
        let mut next = Vec::new();
        if self.state == State::CompletingRebalance {
            self.members.values_mut().for_each(|member| member.assignment.clear());
            next.extend(self.refuse_syncs(&Error::RebalanceInProgress));
        }
        self.members.values_mut().for_each(|member| member.must_sync = false);
        (self.plan, self.sync_ends_ms) = (None, None);
        self.replaced.clear();
        let first = self.state == State::Empty;
        self.enter(State::PreparingRebalance);
        if first && self.config.initial_rebalance_delay_ms > 0 {
            let delay_ms = self.config.initial_rebalance_delay_ms;
            let left_ms = self.longest_rebalance_ms().saturating_sub(delay_ms);
            let ends_ms = self.now_ms.saturating_add(delay_ms);
            self.first_round =
                Some(FirstRound { ends_ms, delay_ms, left_ms, somebody_joined: false });
            return next;
        }
        self.round_ends_ms = Some(self.now_ms.saturating_add(self.longest_rebalance_ms()));
        next.extend(if first { self.end_round() } else { self.end_round_if_all_joined() });
        next
    }

    /// The members' own time to join again: the longest of them.
    fn longest_rebalance_ms(&self) -> u64 {
        let longest = self.members.values().map(|member| member.rebalance_timeout_ms).max();
        longest.unwrap_or(0).max(1)
    }

    pub(crate) fn end_round_if_all_joined(&mut self) -> Vec<Next> {
        let open = self.state == State::PreparingRebalance && self.first_round.is_none();
        // step 4
        if open && self.all_joined() { self.end_round() } else { Vec::new() }
    }

    /// The round is over: the next generation begins. (Kafka: `completeClassicGroupJoin`.)
    fn end_round(&mut self) -> Vec<Next> {
        (self.first_round, self.round_ends_ms) = (None, None);
        if self.members.values().any(|member| member.joining.is_none()) {
            let late = self.too_late(); // step 5
            for id in late {
                let missing = self.members.get(&id).is_some_and(|member| member.joining.is_none());
                assert!(missing, "R4.23: {id:?} has joined, and is removed as too late");
                self.remove(&id);
            }
        }
        if self.members.is_empty() {
            (self.generation, self.protocol) = (self.generation + 1, None);
            self.enter(State::Empty);
            return vec![Next::Save { generation: self.generation }];
        }
        let Some(leader) = self.next_leader() else {
            // Only static members are left, and all are away. They have their session timeouts.
            self.round_ends_ms = Some(self.now_ms.saturating_add(self.longest_rebalance_ms()));
            return Vec::new();
        };
        assert!(self.members.contains_key(&leader), "R4.13: {leader:?} leads, and is no member");
        (self.generation, self.leader) = (self.generation + 1, Some(leader));
        self.protocol = self.chosen_protocol();
        self.enter(State::CompletingRebalance);
        self.sync_ends_ms = Some(self.now_ms.saturating_add(self.longest_rebalance_ms()));
        let now_ms = self.now_ms;
        let tell = |member: &mut Member| {
            (member.must_sync, member.is_new, member.heard_ms) = (true, false, now_ms);
            member.joining.take().map(|ticket| (ticket, member.id.clone()))
        };
        let told: Vec<(u64, String)> = self.members.values_mut().filter_map(tell).collect();
        told.iter().map(|(ticket, id)| self.joined(*ticket, id)).collect()
    }

    /// The answer to a member's join: what is so in this generation.
    pub(crate) fn joined(&self, ticket: u64, id: &str) -> Next {
        Next::Joined {
            ticket,
            member: id.to_owned(),
            leader: self.leader.clone().unwrap_or_default(),
            generation: self.generation,
            protocol: self.protocol.clone().unwrap_or_default(),
            members: self.list_for(id), // step 4
        }
    }

    /// The answer to a member's sync, if it waits for one: its assignment. It is heard now, so that
    /// its session begins.
    pub(crate) fn synced(&mut self, id: &str) -> Option<Next> {
        let member = self.members.get_mut(id)?;
        let ticket = member.syncing.take()?;
        member.heard_ms = self.now_ms;
        Some(Next::Synced { ticket, assignment: member.assignment.clone() })
    }

    pub(crate) fn refuse_syncs(&mut self, error: &Error) -> Vec<Next> {
        let mut next = Vec::new();
        for member in self.members.values_mut() {
            if let Some(ticket) = member.syncing.take() {
                member.heard_ms = self.now_ms;
                next.push(Next::Refused { ticket, error: error.clone() });
            }
        }
        next
    }

    /// The new id of a static member is saved: it is told of the generation as it is.
    pub(crate) fn replacement_saved(&mut self) -> Vec<Next> {
        let Some(Replaced { member: id, leader }) = self.replaced.pop_front() else {
            return Vec::new();
        };
        let Some(member) = self.members.get_mut(&id) else { return Vec::new() };
        let Some(ticket) = member.joining.take() else { return Vec::new() };
        member.heard_ms = self.now_ms;
        let (generation, protocol) = (self.generation, self.protocol.clone().unwrap_or_default());
        vec![Next::Joined { ticket, member: id, leader, generation, protocol, members: Vec::new() }]
    }

    pub(crate) fn replacement_not_saved(&mut self) -> Vec<Next> {
        let Some(Replaced { member: id, .. }) = self.replaced.pop_front() else {
            return Vec::new();
        };
        let member = self.members.get_mut(&id);
        let ticket = member.and_then(|member| member.joining.take());
        crate::group::refused(ticket, Error::CoordinatorNotAvailable)
    }

    /// When `tick` has something to do.
    pub fn deadline(&self) -> Option<u64> {
        let deaths = self.members.values().map(|member| self.silent_until_ms(member));
        // What was due at the last tick, and is there all the same, is not looked at again and again.
        let deaths = deaths.filter(|at_ms| *at_ms > self.ticked_ms);
        let others = [self.round_ends_ms, self.sync_ends_ms];
        let others =
            others.into_iter().chain([self.first_round.as_ref().map(|first| first.ends_ms)]);
        let pending = self.pending.values().copied();
        deaths.chain(others.flatten()).chain(pending).min()
    }

    /// Until when a member may be silent. Whoever waits for an answer may be, for as long as it waits.
    fn silent_until_ms(&self, member: &Member) -> u64 {
        match member.is_waiting() && !member.is_new {
            true => u64::MAX,
            false => member.heard_ms.saturating_add(self.patience_ms(member)),
        }
    }

    /// How long a member may be silent. A newcomer has no session yet, and waits in its first round.
    fn patience_ms(&self, member: &Member) -> u64 {
        let ms = match member.is_new {
            true => self.config.new_member_join_timeout_ms,
            false => member.session_timeout_ms,
        };
        ms.max(1)
    }

    /// Time has passed.
    pub fn tick(&mut self, now_ms: u64) -> Vec<Next> {
        self.time_is(now_ms);
        self.ticked_ms = self.now_ms;
        let now_ms = self.now_ms;
        let mut next = Vec::new();
        self.pending.retain(|_, until_ms| *until_ms > now_ms);
        next.extend(self.end_round_if_all_joined());
        next.extend(self.tick_members());
        if self.sync_ends_ms.is_some_and(|at_ms| at_ms <= now_ms) {
            next.extend(self.sync_is_over());
        }
        if self.first_round.as_ref().is_some_and(|first| first.ends_ms <= now_ms) {
            next.extend(self.first_round_is_over());
        }
        if self.round_ends_ms.is_some_and(|at_ms| at_ms <= now_ms) {
            next.extend(self.end_round());
        }
        next
    }

    fn tick_members(&mut self) -> Vec<Next> {
        let silent_for = |member: &Member, ms| member.heard_ms.saturating_add(ms) <= self.now_ms;
        // Clients send three heartbeats in a session. Whoever was heard so lately need not be asked.
        let silent = self.members.values();
        let silent = silent.filter(|member| silent_for(member, self.patience_ms(member) / 3));
        let dead = silent.filter(|member| match member.is_new {
            true => silent_for(member, self.patience_ms(member)),
            false => self.is_dead(member), // step 5
        });
        let dead: Vec<String> = dead.map(|member| member.id.clone()).collect();
        let next = dead.iter().map(|id| self.remove_and_go_on(id).unwrap_or_default());
        next.flatten().collect()
    }

    fn first_round_is_over(&mut self) -> Vec<Next> {
        let delay_ms = self.config.initial_rebalance_delay_ms;
        match &mut self.first_round {
            Some(first) if first.somebody_joined && first.left_ms > 0 => {
                let longer_ms = delay_ms.min(first.left_ms);
                first.left_ms = first.left_ms.saturating_sub(first.delay_ms);
                first.delay_ms = longer_ms;
                first.ends_ms = self.now_ms.saturating_add(longer_ms.max(1));
                first.somebody_joined = false;
                Vec::new()
            }
            _ => self.end_round(),
        }
    }

    /// Whoever has not asked for its part of the plan by now, perhaps the leader, is removed.
    /// (Kafka: `expirePendingSync`.)
    fn sync_is_over(&mut self) -> Vec<Next> {
        self.sync_ends_ms = None;
        if !self.members.values().any(|member| member.must_sync) {
            return Vec::new();
        }
        let mut next = Vec::new();
        let late = self.too_late(); // step 5
        for id in &late {
            let missing = self.members.get(id).is_some_and(|member| member.must_sync);
            assert!(missing, "R4.24: {id:?} has asked for its part, and is removed as too late");
            next.extend(self.remove(id));
        }
        if !late.is_empty() {
            next.extend(self.rebalance());
        }
        next
    }
}
