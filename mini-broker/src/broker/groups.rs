//! Consumer groups: members join, get their part, show that they live, and leave. What comes of it is
//! decided by lab 4's organ, one for each group, behind its fence. Here its requests come in; what it
//! wants done is done in `next`.
//!
//! A group lives with the leader of its partition of `__consumer_offsets`, and nowhere else: what is not
//! in that log is forgotten when another broker takes over.

mod known; // what is known of one group

mod next; // what a group wants done: answers, records, time

pub use known::{Known, Offsets, fold};
pub use next::Waiting;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rand_pcg::Pcg64;
use wire::ErrorCode;
use wire::groups::{
    HeartbeatRequest, HeartbeatResponse, JoinGroupRequest, LeaveGroupRequest, LeaveGroupResponse,
    MemberIdentity, MemberResponse, SyncGroupRequest,
};

use super::committed_expiry::Expiry;
use super::describe_groups::Deleting;
use super::find_coordinator::Search;
use super::offsets_topic::{Loading, Write};
use super::{Broker, Client, Event, Now, Output, Refused, Ticket};
use crate::coordinator::new_id;
use crate::labs::consumer_groups::{Config, Error, Group, Join, Next};

const LAB: &str = "consumer-groups";

/// From this version on a new member is given its id before it joins (KIP-394).
const ID_FIRST: i16 = 4;
/// From this version on several members may leave at once (KIP-345).
const SEVERAL_LEAVE: i16 = 3;
/// Of a client's own name, so many characters go into a member id.
const MOST_OF_NAME: usize = 255;

/// A group: the partition of `__consumer_offsets` that it lives in, and its name.
pub type GroupId = (i32, Arc<str>);

pub struct Groups {
    /// The partitions of `__consumer_offsets` that this broker leads.
    pub shards: BTreeMap<i32, Shard>,
    /// The leader epochs in which it does.
    pub epochs: BTreeMap<i32, i32>,
    /// Those of them that are still read.
    pub loading: BTreeSet<i32>,
    /// Groups that were read since somebody was told.
    pub loaded: usize,
    /// Joins and syncs that wait for their group.
    pub waiting: BTreeMap<Ticket, Waiting>,
    /// Records that are not on every replica in sync yet.
    pub writes: BTreeMap<u64, Write>,
    pub last_write: u64,
    pub deleting: BTreeMap<Ticket, Deleting>,
    pub expiry: Expiry,
    /// Who has asked for a coordinator when there was no `__consumer_offsets`. Somebody has: it is made.
    pub searching: Vec<Search>,
    ids: Pcg64,
}

/// One partition of `__consumer_offsets`, and the groups in it.
pub enum Shard {
    Loading(Loading),
    Loaded(BTreeMap<Arc<str>, Known>),
    /// It cannot be read.
    Failed(Refused),
}

impl Groups {
    pub fn new(ids: Pcg64) -> Self {
        Self {
            shards: BTreeMap::new(),
            epochs: BTreeMap::new(),
            loading: BTreeSet::new(),
            loaded: 0,
            waiting: BTreeMap::new(),
            writes: BTreeMap::new(),
            last_write: 0,
            deleting: BTreeMap::new(),
            expiry: Expiry::default(),
            searching: Vec::new(),
            ids,
        }
    }

    /// The groups in a partition, once it is read.
    pub fn of(&self, shard: i32) -> Option<&BTreeMap<Arc<str>, Known>> {
        match self.shards.get(&shard)? {
            Shard::Loaded(groups) => Some(groups),
            Shard::Loading(_) | Shard::Failed(_) => None,
        }
    }

    pub fn of_mut(&mut self, shard: i32) -> Option<&mut BTreeMap<Arc<str>, Known>> {
        match self.shards.get_mut(&shard)? {
            Shard::Loaded(groups) => Some(groups),
            Shard::Loading(_) | Shard::Failed(_) => None,
        }
    }

    pub fn known(&mut self, (shard, name): &GroupId) -> Option<&mut Known> {
        self.of_mut(*shard)?.get_mut(name)
    }
}

impl Broker {
    pub(super) fn join_group(
        &mut self,
        now: Now,
        ticket: Ticket,
        client: &Client,
        request: JoinGroupRequest,
        out: &mut Vec<Output>,
    ) {
        let id = match self.coordinates_named(&request.group_id) {
            Ok(id) => id,
            Err(refused) => {
                return out.push(next::join_refused(ticket, request.member_id, &refused));
            }
        };
        self.known_or_new(now, &id);
        let member = request.member_id.clone();
        self.groups.waiting.insert(ticket, Waiting::join(id.clone(), member));
        let join = self.join(client, request);
        self.call_and_go_on(now, &id, out, |group, now_ms| {
            group.join(now_ms, next::number(ticket), join)
        });
    }

    fn join(&mut self, client: &Client, request: JoinGroupRequest) -> Join {
        let client_id = client.id.clone().unwrap_or_default();
        let name = request.group_instance_id.as_ref().unwrap_or(&client_id);
        let name: String = name.chars().take(MOST_OF_NAME).collect();
        let new_id = format!("{name}-{}", new_id(&mut self.groups.ids));
        let natural = |ms: i32| ms.max(0) as u64;
        let session_timeout_ms = natural(request.session_timeout_ms);
        let protocols = request.protocols.into_iter();
        Join {
            member: request.member_id,
            new_id,
            instance_id: request.group_instance_id,
            client_id,
            host: format!("/{}", client.host),
            protocol_type: request.protocol_type,
            protocols: protocols.map(|it| (it.name, it.metadata.to_vec())).collect(),
            session_timeout_ms,
            rebalance_timeout_ms: match request.rebalance_timeout_ms {
                -1 => session_timeout_ms,
                ms => natural(ms),
            },
            member_id_required: client.api_version >= ID_FIRST,
        }
    }

    pub(super) fn sync_group(
        &mut self,
        now: Now,
        ticket: Ticket,
        request: SyncGroupRequest,
        out: &mut Vec<Output>,
    ) {
        let known = self.coordinates_named(&request.group_id);
        let known = known.and_then(|id| match self.groups.known(&id) {
            Some(_) => Ok(id),
            None => Err(unknown_member(&request.member_id)),
        });
        let id = match known {
            Ok(id) => id,
            Err(refused) => return out.push(next::sync_refused(ticket, &refused)),
        };
        self.groups.waiting.insert(ticket, Waiting::sync(id.clone()));
        self.call_and_go_on(now, &id, out, |group, now_ms| sync(group, now_ms, ticket, request));
    }

    pub(super) fn group_heartbeat(
        &mut self,
        now: Now,
        request: &HeartbeatRequest,
        out: &mut Vec<Output>,
    ) -> HeartbeatResponse {
        let HeartbeatRequest { group_id, generation_id, member_id, group_instance_id } = request;
        let caller = (member_id.as_str(), group_instance_id.as_deref());
        let heard = self.coordinates_named(group_id).and_then(|id| {
            self.groups.known(&id).ok_or_else(|| unknown_member(member_id))?;
            // Its death only comes later by this: the timer that is set finds that nothing is due.
            let heard = self.call_group(now, &id, out, |group, now_ms| {
                group.heartbeat(now_ms, caller, *generation_id)
            })?;
            Ok(heard?)
        });
        let error_code = heard.err().map_or(ErrorCode::NONE, |refused: Refused| refused.code);
        HeartbeatResponse { error_code, ..Default::default() }
    }

    pub(super) fn leave_group(
        &mut self,
        now: Now,
        version: i16,
        request: LeaveGroupRequest,
        out: &mut Vec<Output>,
    ) -> LeaveGroupResponse {
        let LeaveGroupRequest { group_id, member_id, members } = request;
        let alone = version < SEVERAL_LEAVE;
        let members = match alone {
            true => vec![MemberIdentity { member_id, ..Default::default() }],
            false => members,
        };
        let id = match self.coordinates_named(&group_id) {
            Ok(id) => id,
            Err(Refused { code: error_code, .. }) => {
                return LeaveGroupResponse { error_code, ..Default::default() };
            }
        };
        let mut response = LeaveGroupResponse::default();
        for MemberIdentity { member_id, group_instance_id } in members {
            let left = self.leaves(now, &id, &member_id, group_instance_id.as_deref(), out);
            let error_code = left.err().map_or(ErrorCode::NONE, |refused| refused.code);
            if alone {
                response.error_code = error_code;
            } else {
                response.members.push(MemberResponse { member_id, group_instance_id, error_code });
            }
        }
        response
    }

    fn leaves(
        &mut self,
        now: Now,
        id: &GroupId,
        member: &str,
        instance: Option<&str>,
        out: &mut Vec<Output>,
    ) -> Result<(), Refused> {
        self.groups.known(id).ok_or_else(|| unknown_member(member))?;
        let left =
            self.call_group(now, id, out, |group, now_ms| group.leave(now_ms, (member, instance)))?;
        let next = left?;
        self.group_goes_on(now, id, next, out);
        Ok(())
    }

    /// Where a group lives that must have a name, if it is here.
    pub(super) fn coordinates_named(&self, group: &str) -> Result<GroupId, Refused> {
        match group.is_empty() {
            true => Err(Refused::new(ErrorCode::INVALID_GROUP_ID, "a group needs a name")),
            false => self.coordinates(group),
        }
    }

    /// Calls a group's organ behind its fence. A panic is told of, and whoever waits for the group is
    /// answered: it will not.
    pub(super) fn call_group<R>(
        &mut self,
        now: Now,
        id: &GroupId,
        out: &mut Vec<Output>,
        call: impl FnOnce(&mut Group, u64) -> R,
    ) -> Result<R, Refused> {
        let Some(known) = self.groups.known(id) else {
            return Err(Refused::new(ErrorCode::NOT_COORDINATOR, "the group is not here any more"));
        };
        match known.call(now, call) {
            Ok(result) => Ok(result),
            Err(broken) => {
                if !std::mem::replace(&mut known.told_broken, true) {
                    let (what, broken) = (format!("group {}", id.1), broken.clone());
                    let so = "answers UNKNOWN_SERVER_ERROR";
                    out.push(Output::Tell(Event::OrganBroke { lab: LAB, what, so, broken }));
                }
                let refused = Refused::from(broken);
                self.nobody_waits_for(id, &refused, out);
                Err(refused)
            }
        }
    }

    /// A group, which begins now if there is none of its name. `None`: this broker does not coordinate it.
    pub(super) fn known_or_new(&mut self, now: Now, id: &GroupId) -> Option<&mut Known> {
        if !self.groups.of(id.0)?.contains_key(&id.1) {
            let new = Known::new(now, self.groups_config());
            self.groups.of_mut(id.0)?.insert(Arc::clone(&id.1), new);
        }
        self.groups.known(id)
    }

    /// The settings that groups go by.
    pub(super) fn groups_config(&self) -> Config {
        let natural = |name: &str| self.config.number(name).max(0) as u64;
        Config {
            min_session_timeout_ms: natural("group.min.session.timeout.ms"),
            max_session_timeout_ms: natural("group.max.session.timeout.ms"),
            max_size: natural("group.max.size") as usize,
            initial_rebalance_delay_ms: natural("group.initial.rebalance.delay.ms"),
            ..Config::default()
        }
    }
}

/// A sync that names another assignor than the group has is refused, after what makes every request of a
/// member wrong.
fn sync(group: &mut Group, now_ms: u64, ticket: Ticket, request: SyncGroupRequest) -> Vec<Next> {
    let SyncGroupRequest { generation_id, member_id, group_instance_id, .. } = request;
    let (kind, name) = (request.protocol_type.as_deref(), request.protocol_name.as_deref());
    if let Err(error) = group.check_protocol(kind, name)
        && generation_id == group.generation()
        && group.members().any(|known| known.id == member_id)
    {
        let ticket = next::number(ticket);
        return vec![Next::Refused { ticket, error }];
    }
    let plan = request.assignments.into_iter();
    let plan = plan.map(|it| (it.member_id, it.assignment.to_vec())).collect();
    let caller = (member_id.as_str(), group_instance_id.as_deref());
    group.sync(now_ms, next::number(ticket), caller, generation_id, plan)
}

/// There is no such group, so nobody is a member.
pub fn unknown_member(member: &str) -> Refused {
    Error::UnknownMemberId { member: member.into() }.into()
}
