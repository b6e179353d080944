//! What a join asks before the table does: ids, assignors, sizes, and static members.

use std::collections::BTreeMap;

use crate::group::refused;
use crate::rounds::Replaced;
use crate::table::act;
use crate::{Act, Caller, Error, Event, Group, Join, Member, Next, State};

/// How many ids are remembered that were handed out and have not come back. If somebody asks for ids
/// in a loop, the oldest are forgotten; whoever is honest comes back in milliseconds.
const MAX_PENDING: usize = 1_000;

impl Group {
    pub(crate) fn try_join(&mut self, ticket: u64, join: Join) -> Result<Vec<Next>, Error> {
        let (min, max) = (self.config.min_session_timeout_ms, self.config.max_session_timeout_ms);
        let got = join.session_timeout_ms;
        if got < min || got > max {
            return Err(Error::InvalidSessionTimeout { min, max, got });
        }
        self.check_size(&join)?;
        self.check_protocols(&join)?;
        if join.member.is_empty() || self.pending.contains_key(&join.member) {
            return self.join_new(ticket, join);
        }
        self.join_again(ticket, join)
    }

    fn join_new(&mut self, ticket: u64, join: Join) -> Result<Vec<Next>, Error> {
        let act = act(self.state, Event::Joins); // step 3
        if let Act::Refuse(error) = act {
            return Err(error);
        }
        if !join.member.is_empty() {
            return Ok(self.add(ticket, join.member.clone(), &join, act));
        }
        let id = join.new_id.clone();
        assert!(!id.is_empty() && !self.members.contains_key(&id), "{id:?} is no new member id");
        let instance = join.instance_id.as_deref();
        if let Some(old) = instance.and_then(|instance| self.static_member(instance)) {
            return Ok(self.replace(ticket, &old, id, &join));
        }
        if join.member_id_required && join.instance_id.is_none() {
            self.expect(id.clone(), self.now_ms.saturating_add(join.session_timeout_ms));
            return Err(Error::MemberIdRequired { member: id });
        }
        Ok(self.add(ticket, id, &join, act))
    }

    /// An id is handed out. Rounds wait for it until it comes back, or until its time is over.
    pub(crate) fn expect(&mut self, id: String, until_ms: u64) {
        if self.pending.len() >= MAX_PENDING {
            let oldest = self.pending.iter().min_by_key(|(_, until_ms)| **until_ms);
            let oldest = oldest.map(|(id, _)| id.clone());
            oldest.and_then(|id| self.pending.remove(&id));
        }
        self.pending.insert(id, until_ms);
    }

    fn add(&mut self, ticket: u64, id: String, join: &Join, act: Act) -> Vec<Next> {
        self.pending.remove(&id);
        if self.members.is_empty() {
            self.protocol_type = Some(join.protocol_type.clone());
        }
        let mut member = Member::new(id.clone(), join, self.now_ms);
        member.joining = Some(ticket);
        self.leader.get_or_insert(id.clone());
        self.members.insert(id, member);
        if let Some(first) = &mut self.first_round {
            first.somebody_joined = true;
        }
        self.go_on(act)
    }

    fn join_again(&mut self, ticket: u64, join: Join) -> Result<Vec<Next>, Error> {
        let caller = Caller { member: &join.member, instance_id: join.instance_id.as_deref() };
        let id = self.known(caller)?;
        let leader = self.leader.as_ref() == Some(&id);
        let changed = self.members[&id].protocols != join.protocols;
        let act = act(self.state, Event::JoinsAgain { leader, changed }); // step 3
        match act {
            Act::Refuse(error) => Err(error),
            Act::Answer => Ok(vec![self.joined(ticket, &id)]),
            act => {
                let mut next = self.update(ticket, &id, &join);
                next.extend(self.go_on(act));
                Ok(next)
            }
        }
    }

    /// A member joins again, perhaps with other wishes. A join of it that still waits is answered.
    fn update(&mut self, ticket: u64, id: &str, join: &Join) -> Vec<Next> {
        let member = self.members.get_mut(id).expect("a known member");
        member.protocols = join.protocols.clone();
        member.session_timeout_ms = join.session_timeout_ms;
        member.rebalance_timeout_ms = join.rebalance_timeout_ms;
        let before = member.joining.replace(ticket);
        refused(before, Error::RebalanceInProgress)
    }

    /// A static member comes back with no id, because it was started again: it takes the place of its
    /// old self, which is fenced from now on. If nothing else changes, no round is needed.
    /// (Kafka: `updateStaticMemberThenRebalanceOrCompleteJoin`, KIP-345.)
    fn replace(&mut self, ticket: u64, old: &str, new: String, join: &Join) -> Vec<Next> {
        let mut member = self.members.remove(old).expect("a known static member");
        let instance = member.instance_id.clone().unwrap_or_default();
        let (current, got) = (new.clone(), old.to_owned());
        let fenced = Error::FencedInstanceId { instance, current, got };
        let mut next = refused(member.joining.take(), fenced.clone());
        next.extend(refused(member.syncing.take(), fenced));
        self.replaced.retain(|waiting| waiting.member != old);
        member.id = new.clone();
        (member.knows_id, member.heard_ms) = (false, self.now_ms);
        self.members.insert(new.clone(), member);
        let leader_before = self.leader.clone();
        if leader_before.as_deref() == Some(old) {
            self.leader = Some(new.clone());
        }
        next.extend(self.update(ticket, &new, join));
        match self.state {
            State::Stable if self.chosen_protocol() == self.protocol => {
                // Its old self may have been the leader. It is told so, and not that it is: it is to
                // take its part of the plan, and not to make another one.
                let leader = leader_before.unwrap_or_default();
                self.replaced.push_back(Replaced { member: new, leader });
                next.push(Next::Save { generation: self.generation });
            }
            State::Stable | State::CompletingRebalance => next.extend(self.rebalance()),
            _ => next.extend(self.end_round_if_all_joined()),
        }
        next
    }

    /// The group is full. Who has joined an open round, or is in this generation, stays.
    /// (Kafka: `acceptJoiningMember`.)
    fn check_size(&mut self, join: &Join) -> Result<(), Error> {
        let max = self.config.max_size;
        let member = self.members.get(&join.member);
        let accepted = match self.state {
            State::Empty | State::Dead => true,
            // Most groups are so far from full that nobody has to be counted.
            State::PreparingRebalance if self.members.len() < max => true,
            State::PreparingRebalance => {
                let joined = self.members.values().filter(|known| known.joining.is_some()).count();
                member.is_some_and(|known| known.joining.is_some()) || joined < max
            }
            State::CompletingRebalance | State::Stable => {
                member.is_some() || self.members.len() < max
            }
        };
        if accepted {
            return Ok(());
        }
        self.remove(&join.member);
        self.pending.remove(&join.member);
        Err(Error::GroupMaxSizeReached { max })
    }

    /// All members must be able to do one of the assignors that it offers.
    /// (Kafka: `ClassicGroup.supportsProtocols`.)
    fn check_protocols(&self, join: &Join) -> Result<(), Error> {
        let names = |of: &[(String, Vec<u8>)]| -> Vec<String> {
            of.iter().map(|(name, _)| name.clone()).collect()
        };
        let got = names(&join.protocols);
        let fits = match self.state {
            State::Empty => !join.protocol_type.is_empty() && !got.is_empty(),
            _ if self.protocol_type.as_ref() != Some(&join.protocol_type) => false,
            // Members always have one in common. Whoever offers the same as one of them has it too, and
            // mostly all offer the same: then a round of many is not one look at all for each.
            _ => self.members.values().next().is_none_or(|one| {
                names(&one.protocols) == got
                    || self.common_protocols().iter().any(|name| got.contains(name))
            }),
        };
        match fits {
            true => Ok(()),
            false => Err(Error::InconsistentGroupProtocol { all: self.common_protocols(), got }),
        }
    }

    /// The assignors that all members can do, in the order of their names.
    fn common_protocols(&self) -> Vec<String> {
        let mut count: BTreeMap<&str, usize> = BTreeMap::new();
        for (name, _) in self.members.values().flat_map(|known| &known.protocols) {
            *count.entry(name).or_default() += 1;
        }
        let common = count.into_iter().filter(|(_, count)| *count == self.members.len());
        common.map(|(name, _)| name.to_owned()).collect()
    }

    /// The assignor of the next generation: each member votes for what it likes best of those that
    /// all can do. (Kafka: `ClassicGroup.selectProtocol`.)
    pub(crate) fn chosen_protocol(&self) -> Option<String> {
        let common = self.common_protocols();
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for member in self.members.values() {
            let liked = member.protocols.iter().find(|(name, _)| common.contains(name));
            if let Some((name, _)) = liked {
                *votes.entry(name).or_default() += 1;
            }
        }
        let most = votes.values().copied().max()?;
        votes.into_iter().find(|(_, count)| *count == most).map(|(name, _)| name.to_owned())
    }

    /// SyncGroup names the type and the assignor from version 5 on: they must be the group's.
    pub fn check_protocol(
        &self,
        protocol_type: Option<&str>,
        protocol: Option<&str>,
    ) -> Result<(), Error> {
        let same = |got: Option<&str>, ours: &Option<String>| {
            got.is_none() || ours.is_none() || got == ours.as_deref()
        };
        if same(protocol_type, &self.protocol_type) && same(protocol, &self.protocol) {
            return Ok(());
        }
        let words =
            |words: [Option<&str>; 2]| words.into_iter().flatten().map(str::to_owned).collect();
        Err(Error::InconsistentGroupProtocol {
            all: words([self.protocol_type.as_deref(), self.protocol.as_deref()]),
            got: words([protocol_type, protocol]),
        })
    }
}
