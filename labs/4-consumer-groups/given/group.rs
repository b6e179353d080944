//! A group, as its coordinator knows it, and what the broker asks of it.
//!
//! Each function here is one request, or one thing that happens. It finds out who asks, looks up in
//! your table (`src/table.rs`) what comes of it in this state, and does that. A join is long enough to
//! have a file of its own, `given/joining.rs`; what rounds and timers do is in `given/rounds.rs`.

use std::collections::{BTreeMap, VecDeque};

use crate::rounds::{FirstRound, Replaced};
use crate::table::act;
use crate::{Act, Caller, Config, Error, Event, Join, Member, Next, State};

/// One group: a sans-IO state machine. It has no clock, and makes no ids.
///
/// Invariants: a `leader` is one of the `members`, and there is one if there are any. In `Empty`
/// there are none. No id is both a member's and `pending`.
#[derive(Clone, Debug)]
pub struct Group {
    pub(crate) state: State,
    /// Each round that is over gives the next number. A request that names an old one comes from
    /// somebody who has missed a round.
    pub(crate) generation: i32,
    /// The member that makes the plan.
    pub(crate) leader: Option<String>,
    pub(crate) protocol_type: Option<String>,
    /// The assignor of this generation.
    pub(crate) protocol: Option<String>,
    /// By member id, so always in the same order.
    pub(crate) members: BTreeMap<String, Member>,
    /// Ids that were handed out with error 79 and have not come back, and until when they may.
    pub(crate) pending: BTreeMap<String, u64>,
    pub(crate) config: Config,
    /// The latest time that anybody has said.
    pub(crate) now_ms: u64,
    /// The last time that timers were looked at.
    pub(crate) ticked_ms: u64,
    /// Since when it is in its state.
    pub(crate) since_ms: u64,
    /// The leader's plan, while it is being saved.
    pub(crate) plan: Option<BTreeMap<String, Vec<u8>>>,
    pub(crate) first_round: Option<FirstRound>,
    /// When an open round is over, whoever is missing.
    pub(crate) round_ends_ms: Option<u64>,
    /// Until when all members must have asked for their part of the plan.
    pub(crate) sync_ends_ms: Option<u64>,
    /// Static members that came back with new ids; they are answered when that is saved.
    pub(crate) replaced: VecDeque<Replaced>,
}

impl Group {
    /// A group that nobody has joined.
    pub fn new(now_ms: u64, config: Config) -> Self {
        Group {
            state: State::Empty,
            generation: 0,
            leader: None,
            protocol_type: None,
            protocol: None,
            members: BTreeMap::new(),
            pending: BTreeMap::new(),
            config,
            now_ms,
            ticked_ms: now_ms,
            since_ms: now_ms,
            plan: None,
            first_round: None,
            round_ends_ms: None,
            sync_ends_ms: None,
            replaced: VecDeque::new(),
        }
    }

    /// Takes new settings. They count from the next request on.
    pub fn configure(&mut self, config: Config) {
        self.config = config;
    }

    /// JoinGroup: somebody wants to be, or to stay, a member. Most answers wait until the round is
    /// over. (Kafka: `GroupMetadataManager.classicGroupJoin`.)
    pub fn join(&mut self, now_ms: u64, ticket: u64, join: Join) -> Vec<Next> {
        self.time_is(now_ms);
        let joined = self.try_join(ticket, join);
        joined.unwrap_or_else(|error| vec![Next::Refused { ticket, error }])
    }

    /// SyncGroup: a member of this generation asks for its part of the plan. The leader brings the
    /// plan; what others bring is ignored. (Kafka: `classicGroupSync`.)
    pub fn sync<'a>(
        &mut self,
        now_ms: u64,
        ticket: u64,
        caller: impl Into<Caller<'a>>,
        generation: i32,
        plan: Vec<(String, Vec<u8>)>,
    ) -> Vec<Next> {
        self.time_is(now_ms);
        let synced = self.try_sync(ticket, caller.into(), generation, plan);
        synced.unwrap_or_else(|error| vec![Next::Refused { ticket, error }])
    }

    fn try_sync(
        &mut self,
        ticket: u64,
        caller: Caller,
        generation: i32,
        plan: Vec<(String, Vec<u8>)>,
    ) -> Result<Vec<Next>, Error> {
        let id = self.current(caller, generation)?;
        let leader = self.leader.as_ref() == Some(&id);
        let act = act(self.state, Event::Syncs { leader }); // step 3
        let member = self.members.get_mut(&id).expect("`current` has found it");
        match act {
            Act::Refuse(error) => Err(error),
            Act::Answer => {
                member.must_sync = false;
                Ok(vec![Next::Synced { ticket, assignment: member.assignment.clone() }])
            }
            Act::Wait | Act::Save => {
                member.must_sync = false;
                let before = member.syncing.replace(ticket);
                let mut next = refused(before, Error::RebalanceInProgress);
                if act == Act::Save {
                    self.plan = Some(plan.into_iter().collect());
                    next.push(Next::Save { generation });
                }
                Ok(next)
            }
            Act::Rebalance => panic!("R4.8: a sync in {} begins no new round", self.state),
        }
    }

    /// The group's metadata is written and replicated: the plan may be handed out.
    ///
    /// If the group has moved on since, nobody waits for it any more.
    pub fn saved(&mut self, now_ms: u64, generation: i32) -> Vec<Next> {
        self.time_is(now_ms);
        if generation != self.generation {
            return Vec::new();
        }
        match self.state {
            State::CompletingRebalance => {
                let Some(plan) = self.plan.take() else { return Vec::new() };
                self.enter(State::Stable);
                self.hand_out(&plan) // step 4
            }
            State::Stable => self.replacement_saved(),
            _ => Vec::new(),
        }
    }

    /// It could not be written. Whoever waits for it is told to try again, and a new round begins.
    pub fn not_saved(&mut self, now_ms: u64, generation: i32) -> Vec<Next> {
        self.time_is(now_ms);
        if generation != self.generation {
            return Vec::new();
        }
        match self.state {
            State::CompletingRebalance if self.plan.take().is_some() => {
                let mut next = self.refuse_syncs(&Error::CoordinatorNotAvailable);
                next.extend(self.rebalance());
                next
            }
            State::Stable => self.replacement_not_saved(),
            _ => Vec::new(),
        }
    }

    /// Heartbeat: a member says that it is alive, and hears whether it must join again.
    /// (Kafka: `classicGroupHeartbeat`.)
    pub fn heartbeat<'a>(
        &mut self,
        now_ms: u64,
        caller: impl Into<Caller<'a>>,
        generation: i32,
    ) -> Result<(), Error> {
        self.time_is(now_ms);
        let id = self.current(caller.into(), generation)?;
        self.heard(now_ms, &id);
        match act(self.state, Event::Heartbeat) {
            Act::Answer => Ok(()),
            Act::Refuse(error) => Err(error),
            other => panic!("R4.9: a heartbeat in {} is answered, not {other:?}", self.state),
        }
    }

    /// A member has shown in another way that it is alive: it has committed an offset.
    pub fn heard(&mut self, now_ms: u64, member: &str) {
        self.time_is(now_ms);
        let now_ms = self.now_ms;
        if let Some(member) = self.members.get_mut(member) {
            member.heard_ms = now_ms;
        }
    }

    /// LeaveGroup: a member says goodbye. An administrator names a static member by its
    /// `group.instance.id` alone. (Kafka: `classicGroupLeave`.)
    pub fn leave<'a>(
        &mut self,
        now_ms: u64,
        caller: impl Into<Caller<'a>>,
    ) -> Result<Vec<Next>, Error> {
        self.time_is(now_ms);
        let caller = caller.into();
        if self.pending.remove(caller.member).is_some() {
            return Ok(self.end_round_if_all_joined());
        }
        let by_instance = caller.instance_id.filter(|_| caller.member.is_empty());
        let id = match by_instance.and_then(|instance| self.static_member(instance)) {
            Some(id) => id,
            None => self.known(caller)?,
        };
        self.remove_and_go_on(&id)
    }

    /// The connection of a join or a sync that waits is gone, and so is its ticket. Kafka does not
    /// look; here it keeps the memory small when clients join and vanish in a loop.
    pub fn gone(&mut self, now_ms: u64, ticket: u64) -> Vec<Next> {
        self.time_is(now_ms);
        let now_ms = self.now_ms;
        let mut members = self.members.values_mut();
        let Some(member) =
            members.find(|known| known.joining == Some(ticket) || known.syncing == Some(ticket))
        else {
            return Vec::new();
        };
        // From now on we wait for it: it has its session timeout to come back.
        (member.joining, member.syncing, member.heard_ms) = (None, None, now_ms);
        let (id, is_new, knows_id) = (member.id.clone(), member.is_new, member.knows_id);
        if !is_new {
            return Vec::new();
        }
        // It has never been in a generation. If it does not know its id, nobody will come as it.
        let until_ms = now_ms.saturating_add(member.session_timeout_ms);
        self.remove(&id);
        if knows_id {
            self.expect(id, until_ms);
        }
        self.end_round_if_all_joined()
    }

    /// The group is not here any more: another broker coordinates it, or it is deleted.
    pub fn unload(&mut self) -> Vec<Next> {
        let waiting = self.members.values_mut();
        let tickets: Vec<u64> = waiting
            .flat_map(|known| [known.joining.take(), known.syncing.take()])
            .flatten()
            .collect();
        (self.plan, self.first_round) = (None, None);
        (self.round_ends_ms, self.sync_ends_ms) = (None, None);
        self.pending.clear();
        self.replaced.clear();
        self.enter(State::Dead);
        let refuse = |ticket| Next::Refused { ticket, error: Error::NotCoordinator };
        tickets.into_iter().map(refuse).collect()
    }

    /// Who asks: the id of a member. Whoever has a `group.instance.id` that somebody else has taken
    /// over is fenced. (Kafka: `ClassicGroup.validateMember`.)
    pub(crate) fn known(&self, caller: Caller) -> Result<String, Error> {
        let got = caller.member.to_owned();
        if let Some(instance) = caller.instance_id {
            match self.static_member(instance) {
                Some(current) if current == got => {}
                Some(current) => {
                    let instance = instance.to_owned();
                    return Err(Error::FencedInstanceId { instance, current, got });
                }
                None => return Err(Error::UnknownMemberId { member: got }),
            }
        }
        match self.members.contains_key(&got) {
            true => Ok(got),
            false => Err(Error::UnknownMemberId { member: got }),
        }
    }

    /// Who asks, and whether it has missed a round.
    fn current(&self, caller: Caller, generation: i32) -> Result<String, Error> {
        let id = self.known(caller)?;
        match generation == self.generation {
            true => Ok(id),
            false => Err(Error::IllegalGeneration { current: self.generation, got: generation }),
        }
    }

    /// The member that has a `group.instance.id`.
    pub(crate) fn static_member(&self, instance: &str) -> Option<String> {
        let mut members = self.members.values();
        let found = members.find(|known| known.instance_id.as_deref() == Some(instance));
        found.map(|known| known.id.clone())
    }

    pub(crate) fn time_is(&mut self, now_ms: u64) {
        self.now_ms = self.now_ms.max(now_ms);
    }

    pub(crate) fn enter(&mut self, state: State) {
        (self.state, self.since_ms) = (state, self.now_ms);
    }
}

/// A request that waited is answered with an error.
pub(crate) fn refused(ticket: Option<u64>, error: Error) -> Vec<Next> {
    ticket.map(|ticket| Next::Refused { ticket, error }).into_iter().collect()
}
