//! A member of a consumer group: it joins, reads nothing, and commits all the same, one step after the
//! other from where the last owner of a partition has come. At times it leaves, or is not heard for a while.
//!
//! What must hold: in one generation a partition is given to one member only. Whoever commits goes on from
//! where others were told that they have come, or from behind that; and once somebody of a generation was
//! told that it has committed, nobody of an older one is.

use std::collections::BTreeMap;

use bytes::BytesMut;
use wire::committed_offsets::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
    OffsetFetchRequest, OffsetFetchRequestGroup,
};
use wire::groups::{
    FindCoordinatorRequest, HeartbeatRequest, JoinGroupRequest, JoinGroupRequestProtocol,
    LeaveGroupRequest, MemberIdentity, SyncGroupRequest, SyncGroupRequestAssignment,
};
use wire::{ErrorCode, Request, Response};

use crate::admin::{FICKLE, LOOSE, SAFE};
use crate::clients::Does;
use crate::world::World;

pub const GROUP: &str = "readers";
pub const OFFSETS: &str = "__consumer_offsets";

/// A partition that is to be read by one of the members.
pub type Unit = (&'static str, i32);

pub struct Member {
    /// It is started again under its name, and gets its part back.
    instance: Option<String>,
    coordinator: Option<usize>,
    id: String,
    generation: i32,
    phase: Phase,
    asked: Option<((u32, u32), Asked)>,
    owned: Vec<Unit>,
    positions: BTreeMap<Unit, Position>,
    rests_until_us: u64,
}

enum Phase {
    Out,
    /// In a generation, with the members if it leads.
    Joined(Vec<String>),
    Stable,
}

enum Asked {
    Coordinator,
    Join,
    Sync,
    Heartbeat,
    /// How far others were told that they have come, when it asked.
    Offsets(BTreeMap<Unit, i64>),
    /// With the latest generation of which somebody was told that it has committed.
    Commit(Unit, i64, i32),
    Leave,
}

/// Where it stands in a partition.
struct Position {
    next: i64,
    /// Where it began, and how far others had come by then, as they were told.
    began: (i64, i64),
}

/// What is known of the group.
#[derive(Default)]
pub struct Known {
    /// Which client has got what, by generation.
    owners: BTreeMap<(i32, Unit), usize>,
    /// The largest offset that somebody was told is committed.
    pub acknowledged: BTreeMap<Unit, i64>,
    /// And the generation of whoever was told so last.
    generations: BTreeMap<Unit, i32>,
}

impl Member {
    pub fn new(instance: Option<String>) -> Self {
        Self {
            instance,
            coordinator: None,
            id: String::new(),
            generation: -1,
            phase: Phase::Out,
            asked: None,
            owned: Vec::new(),
            positions: BTreeMap::new(),
            rests_until_us: 0,
        }
    }

    /// Its generation and what it has, once it has got it.
    pub fn part(&self) -> Option<(i32, &[Unit])> {
        matches!(self.phase, Phase::Stable).then_some((self.generation, &self.owned))
    }
}

impl World {
    fn member(&mut self, client: usize) -> &mut Member {
        match &mut self.clients[client].does {
            Does::Consume(member) => member,
            _ => unreachable!("it is a member"),
        }
    }

    /// All that the group reads.
    pub fn units(&self) -> Vec<Unit> {
        let of = |topic| (0..self.plan.partitions).map(move |index| (topic, index));
        of(SAFE).chain(of(LOOSE)).collect()
    }

    pub fn member_wakes(&mut self, client: usize) -> Option<u64> {
        let pause = self.dice.between(20_000, 120_000);
        let now = self.now_us;
        let known = self.checks.keys.contains_key(&(LOOSE.to_string(), 0));
        let it = self.member(client);
        if it.asked.is_some() || it.rests_until_us > now || !known {
            return Some(pause);
        }
        let Some(coordinator) = it.coordinator else {
            let request = FindCoordinatorRequest {
                coordinator_keys: vec![GROUP.into()],
                ..Default::default()
            };
            let broker = self.any_broker();
            self.asks(client, broker, request.into(), Asked::Coordinator);
            return Some(pause);
        };
        if !self.healed && self.dice.below(100) == 0 {
            self.vanish(client, coordinator);
            return Some(pause);
        }
        let (request, asked) = self.next_request(client);
        self.asks(client, coordinator, request, asked);
        Some(pause)
    }

    fn asks(&mut self, client: usize, broker: usize, request: Request, asked: Asked) {
        let key = self.ask(client, broker, request);
        let it = self.member(client);
        match key {
            Some(key) => it.asked = Some((key, asked)),
            None => it.coordinator = None,
        }
    }

    /// It is not heard for a while, as if it were dead; at times it is, and somebody else comes in its place.
    fn vanish(&mut self, client: usize, coordinator: usize) {
        if let Some(connection) = self.clients[client].connections.remove(&coordinator) {
            self.close(connection);
        }
        let (rest, again) = (self.dice.between(500_000, 6_000_000), self.dice.chance(500));
        let until = self.now_us + rest;
        self.counts.add("members that vanished", 1);
        let it = self.member(client);
        it.rests_until_us = until;
        if again {
            *it = Member { rests_until_us: until, ..Member::new(it.instance.clone()) };
        }
    }

    fn next_request(&mut self, client: usize) -> (Request, Asked) {
        let (all, healed) = (self.units(), self.healed);
        let dice = self.dice.below(40);
        let acknowledged = self.checks.group.acknowledged.clone();
        let generations = self.checks.group.generations.clone();
        let it = self.member(client);
        let (generation_id, member_id) = (it.generation, it.id.clone());
        let group_instance_id = it.instance.clone();
        let group_id = GROUP.to_string();
        let unread = it.owned.iter().any(|unit| !it.positions.contains_key(unit));
        match &it.phase {
            Phase::Out => (it.join(), Asked::Join),
            Phase::Joined(members) => {
                let assignments = planned(members, &all);
                let request = SyncGroupRequest {
                    group_id,
                    generation_id,
                    member_id,
                    group_instance_id,
                    protocol_type: Some("consumer".into()),
                    protocol_name: Some("each".into()),
                    assignments,
                };
                (request.into(), Asked::Sync)
            }
            Phase::Stable if unread => {
                let groups = vec![OffsetFetchRequestGroup { group_id, topics: None }];
                let request = OffsetFetchRequest { groups, ..Default::default() };
                (request.into(), Asked::Offsets(acknowledged))
            }
            Phase::Stable if dice == 0 && !healed => {
                let members = vec![MemberIdentity { member_id, group_instance_id }];
                let request = LeaveGroupRequest { group_id, members, ..Default::default() };
                (request.into(), Asked::Leave)
            }
            Phase::Stable if dice < 20 && !it.owned.is_empty() => {
                let unit = match dice {
                    1 => (FICKLE, 0), // of which nobody expects anything
                    _ => it.owned[dice as usize % it.owned.len()],
                };
                let next = it.positions.get(&unit).map_or(1, |at| at.next + 1 + dice as i64 % 3);
                let partition = OffsetCommitRequestPartition {
                    partition_index: unit.1,
                    committed_offset: next,
                    ..Default::default()
                };
                let topics = vec![OffsetCommitRequestTopic {
                    name: unit.0.into(),
                    partitions: vec![partition],
                }];
                let request = OffsetCommitRequest {
                    group_id,
                    generation_id_or_member_epoch: generation_id,
                    member_id,
                    group_instance_id,
                    topics,
                    ..Default::default()
                };
                let latest = generations.get(&unit).copied().unwrap_or(-1);
                (request.into(), Asked::Commit(unit, next, latest))
            }
            Phase::Stable => {
                let request =
                    HeartbeatRequest { group_id, generation_id, member_id, group_instance_id };
                (request.into(), Asked::Heartbeat)
            }
        }
    }

    pub fn member_answered(&mut self, client: usize, key: (u32, u32), body: Response) {
        let it = self.member(client);
        let Some((_, asked)) = it.asked.take_if(|(asked, _)| *asked == key) else { return };
        match (asked, body) {
            (Asked::Coordinator, Response::FindCoordinator(told)) => {
                let told = &told.coordinators[0];
                it.coordinator =
                    usize::try_from(told.node_id).ok().filter(|_| told.error_code.is_ok());
            }
            (Asked::Join, Response::JoinGroup(told)) => match told.error_code {
                ErrorCode::NONE => {
                    (it.id, it.generation) = (told.member_id, told.generation_id);
                    let members = told.members.into_iter().map(|member| member.member_id);
                    it.phase = Phase::Joined(members.collect());
                }
                ErrorCode::MEMBER_ID_REQUIRED => it.id = told.member_id,
                code => self.refused_member(client, code),
            },
            (Asked::Sync, Response::SyncGroup(told)) => match told.error_code {
                ErrorCode::NONE => self.member_got(client, &told.assignment),
                code => self.refused_member(client, code),
            },
            (Asked::Heartbeat, Response::Heartbeat(told)) if told.error_code.is_err() => {
                self.refused_member(client, told.error_code);
            }
            (Asked::Offsets(before), Response::OffsetFetch(told)) => {
                let told = &told.groups[0];
                if told.error_code.is_err() {
                    return self.refused_member(client, told.error_code);
                }
                for unit in it.owned.clone() {
                    let topic = told.topics.iter().find(|topic| topic.name == unit.0);
                    let partitions = topic.map_or(&[][..], |topic| &topic.partitions);
                    let found = partitions.iter().find(|it| it.partition_index == unit.1);
                    let next = found.map_or(0, |found| found.committed_offset);
                    let began = (next, before.get(&unit).copied().unwrap_or(0));
                    it.positions.insert(unit, Position { next, began });
                }
            }
            (Asked::Commit(unit, offset, latest), Response::OffsetCommit(told)) => {
                match told.topics[0].partitions[0].error_code {
                    _ if unit.0 == FICKLE => {}
                    ErrorCode::NONE => self.committed(client, unit, offset, latest),
                    code => self.refused_member(client, code),
                }
            }
            (Asked::Leave, _) => *it = Member::new(it.instance.clone()),
            _ => {}
        }
    }

    /// It has got its part of the plan.
    fn member_got(&mut self, client: usize, assignment: &[u8]) {
        let all = self.units();
        let owned: Vec<Unit> = assignment.iter().map(|place| all[usize::from(*place)]).collect();
        self.counts.add("parts handed out", 1);
        let excused = self.is_group_excused();
        let it = self.member(client);
        (it.phase, it.owned) = (Phase::Stable, owned.clone());
        it.positions.clear();
        let generation = it.generation;
        for unit in owned {
            let owner = *self.checks.group.owners.entry((generation, unit)).or_insert(client);
            if owner != client && !excused {
                return self.fail(format!(
                    "{unit:?} is given to clients {owner} and {client} in generation {generation}"
                ));
            }
        }
    }

    fn committed(&mut self, client: usize, unit: Unit, offset: i64, latest: i32) {
        self.counts.add("commits", 1);
        let excused = self.is_group_excused();
        let it = self.member(client);
        let generation = it.generation;
        let Some(position) = it.positions.get_mut(&unit) else { return };
        position.next = offset;
        let (began, others) = position.began;
        if generation < latest && !excused {
            return self.fail(format!(
                "{unit:?}: client {client} of generation {generation} has committed after {latest}"
            ));
        }
        if began < others && !excused {
            return self.fail(format!(
                "{unit:?}: client {client} has begun at {began}, and {others} was acknowledged"
            ));
        }
        let known = self.checks.group.acknowledged.entry(unit).or_default();
        *known = (*known).max(offset);
        let known = self.checks.group.generations.entry(unit).or_default();
        *known = (*known).max(generation);
    }

    fn refused_member(&mut self, client: usize, code: ErrorCode) {
        let rest = self.now_us + self.dice.between(20_000, 200_000);
        let it = self.member(client);
        match code {
            ErrorCode::REBALANCE_IN_PROGRESS => it.phase = Phase::Out,
            ErrorCode::ILLEGAL_GENERATION => it.phase = Phase::Out,
            ErrorCode::UNKNOWN_MEMBER_ID | ErrorCode::FENCED_INSTANCE_ID => {
                (it.phase, it.id) = (Phase::Out, String::new());
            }
            ErrorCode::COORDINATOR_LOAD_IN_PROGRESS => it.rests_until_us = rest,
            ErrorCode::NOT_COORDINATOR | ErrorCode::COORDINATOR_NOT_AVAILABLE => {
                (it.coordinator, it.rests_until_us) = (None, rest);
            }
            code => self.fail(format!("a member was told {code}")),
        }
    }

    pub fn member_lost(&mut self, client: usize, connection: u32) {
        let it = self.member(client);
        it.coordinator = None;
        it.asked.take_if(|((on, _), _)| *on == connection);
    }
}

impl Member {
    fn join(&self) -> Request {
        let protocols =
            vec![JoinGroupRequestProtocol { name: "each".into(), metadata: BytesMut::new() }];
        JoinGroupRequest {
            group_id: GROUP.into(),
            session_timeout_ms: 1_500,
            rebalance_timeout_ms: 1_500,
            member_id: self.id.clone(),
            group_instance_id: self.instance.clone(),
            protocol_type: "consumer".into(),
            protocols,
        }
        .into()
    }
}

/// The partitions one after the other, as their places among all.
fn planned(members: &[String], all: &[Unit]) -> Vec<SyncGroupRequestAssignment> {
    let each = members.iter().enumerate().map(|(place, member)| {
        let own = (0..all.len()).filter(|unit| unit % members.len() == place);
        let bytes: Vec<u8> = own.map(|unit| unit as u8).collect();
        SyncGroupRequestAssignment {
            member_id: member.clone(),
            assignment: BytesMut::from(&bytes[..]),
        }
    });
    each.collect()
}
