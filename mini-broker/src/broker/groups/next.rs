//! What a group wants done: answers to joins and syncs that waited, its records written, and to be called
//! again when its time has come.

use std::collections::VecDeque;

use bytes::BytesMut;
use wire::groups::{JoinGroupResponse, JoinGroupResponseMember, SyncGroupResponse};
use wire::offsets_topic::{GroupMetadataKey, GroupRecord};

use super::known::value_of;
use super::{GroupId, Known};
use crate::broker::offsets_topic::{For, told_by_log};
use crate::broker::waiting::Owner;
use crate::broker::{Answer, Broker, Now, Output, Refused, Ticket, of_connection};
use crate::labs::consumer_groups::{Error, Group, Listed, Next};

/// A join or a sync that waits for its group.
pub struct Waiting {
    id: GroupId,
    what: What,
}

enum What {
    /// With the member id that it came with.
    Join(String),
    Sync,
}

impl Waiting {
    pub fn join(id: GroupId, member: String) -> Self {
        Self { id, what: What::Join(member) }
    }

    pub fn sync(id: GroupId) -> Self {
        Self { id, what: What::Sync }
    }
}

/// A ticket, as a group knows it.
pub fn number(Ticket { connection, request }: Ticket) -> u64 {
    u64::from(connection) << 32 | u64::from(request)
}

fn ticket(number: u64) -> Ticket {
    Ticket { connection: (number >> 32) as u32, request: number as u32 }
}

impl Broker {
    /// Calls a group's organ and does what it wants done.
    pub(in crate::broker) fn call_and_go_on(
        &mut self,
        now: Now,
        id: &GroupId,
        out: &mut Vec<Output>,
        call: impl FnOnce(&mut Group, u64) -> Vec<Next>,
    ) {
        let next = self.call_group(now, id, out, call).unwrap_or_default();
        self.group_goes_on(now, id, next, out);
    }

    pub(in crate::broker) fn group_goes_on(
        &mut self,
        now: Now,
        id: &GroupId,
        next: Vec<Next>,
        out: &mut Vec<Output>,
    ) {
        let mut todo = VecDeque::from(next);
        while let Some(next) = todo.pop_front() {
            match next {
                Next::Save { generation } => todo.extend(self.save_group(now, id, generation, out)),
                Next::Joined { ticket: at, member, leader, generation, protocol, members } => {
                    let joined = JoinGroupResponse {
                        generation_id: generation,
                        protocol_type: self.protocol(id).0,
                        protocol_name: Some(protocol),
                        leader,
                        member_id: member,
                        members: members.into_iter().map(told).collect(),
                        ..Default::default()
                    };
                    self.waits_no_more(ticket(at), joined.into(), out);
                }
                Next::Synced { ticket: at, assignment } => {
                    let (protocol_type, protocol_name) = self.protocol(id);
                    let synced = SyncGroupResponse {
                        protocol_type,
                        protocol_name,
                        assignment: BytesMut::from(&assignment[..]),
                        ..Default::default()
                    };
                    self.waits_no_more(ticket(at), synced.into(), out);
                }
                Next::Refused { ticket: at, error } => {
                    let ticket = ticket(at);
                    if let Some(waiting) = self.groups.waiting.remove(&ticket) {
                        out.push(refusal(ticket, waiting, error));
                    }
                }
            }
        }
        self.tidy_group(now, id);
    }

    fn waits_no_more(&mut self, ticket: Ticket, answer: Answer, out: &mut Vec<Output>) {
        if self.groups.waiting.remove(&ticket).is_some() {
            out.push(Output::Answer { ticket, answer });
        }
    }

    fn protocol(&mut self, id: &GroupId) -> (Option<String>, Option<String>) {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let known = self.groups.known(id);
        let found = known.and_then(|known| {
            known.get(|group| (owned(group.protocol_type()), owned(group.protocol())))
        });
        found.unwrap_or_default()
    }

    /// Writes the group's members to the log. Where that is done at once, gives what comes of it.
    fn save_group(
        &mut self,
        now: Now,
        id: &GroupId,
        generation: i32,
        out: &mut Vec<Output>,
    ) -> Vec<Next> {
        let Ok(metadata) = self.call_group(now, id, out, |group, _| group.metadata()) else {
            return Vec::new();
        };
        let key = GroupMetadataKey { group: id.1.to_string() };
        let record = GroupRecord::GroupMetadata { key, value: Some(value_of(metadata, now)) };
        match self.write_group(now, id, vec![record], For::Saved { generation }, out) {
            None => Vec::new(), // it waits
            Some(done) => self.group_saved(now, id, generation, done, out),
        }
    }

    /// The group's members are in the log, on every replica in sync, or will not be.
    pub(in crate::broker) fn group_saved(
        &mut self,
        now: Now,
        id: &GroupId,
        generation: i32,
        done: Result<(), Refused>,
        out: &mut Vec<Output>,
    ) -> Vec<Next> {
        let next = self.call_group(now, id, out, |group, now_ms| match done {
            Ok(()) => group.saved(now_ms, generation),
            Err(_) => group.not_saved(now_ms, generation),
        });
        next.unwrap_or_default()
    }

    /// A group's time has come.
    pub(in crate::broker) fn tick_group(&mut self, now: Now, id: &GroupId, out: &mut Vec<Output>) {
        if let Some(known) = self.groups.known(id) {
            known.timer = None;
            self.call_and_go_on(now, id, out, |group, now_ms| group.tick(now_ms));
        }
    }

    /// Sets a group's timers, or forgets the group if there is nothing to know about it.
    pub(in crate::broker) fn tidy_group(&mut self, now: Now, id: &GroupId) {
        let keep_ms = self.keep_offsets_ms();
        let Broker { groups, timers, .. } = self;
        let Some(known) = groups.known(id) else { return };
        let owner = || Owner::Group(id.clone());
        if known.is_nothing() {
            if let Some(at) = known.timer {
                timers.clear(at, owner());
            }
            let look_at = known.look_at;
            groups.expiry.forget(look_at, id);
            groups.of_mut(id.0).map(|groups| groups.remove(&id.1));
            return;
        }
        let next = known.get(|group| group.deadline()).flatten();
        let next = next.map(|at| at.max(now.mono_ms + 1));
        if next != known.timer {
            if let Some(at) = known.timer {
                timers.clear(at, owner());
            }
            if let Some(at) = next {
                timers.set(at, owner());
            }
            known.timer = next;
        }
        let look_at = look_at(known, now, keep_ms);
        if let Some(at) = look_at {
            self.look_at_offsets(now, id, at);
        }
    }

    /// A connection is gone: nobody waits at it.
    pub(in crate::broker) fn gone_from_groups(
        &mut self,
        now: Now,
        connection: u32,
        out: &mut Vec<Output>,
    ) {
        for ticket in of_connection(&self.groups.waiting, connection) {
            let Some(Waiting { id, .. }) = self.groups.waiting.remove(&ticket) else { continue };
            self.call_and_go_on(now, &id, out, |group, now_ms| group.gone(now_ms, number(ticket)));
        }
        for ticket in of_connection(&self.groups.deleting, connection) {
            self.groups.deleting.remove(&ticket);
        }
        self.groups.searching.retain(|search| search.ticket.connection != connection);
    }

    /// Whoever waits for a group is refused.
    pub(in crate::broker) fn nobody_waits_for(
        &mut self,
        id: &GroupId,
        refused: &Refused,
        out: &mut Vec<Output>,
    ) {
        self.refuse_waiting(|of| of == id, refused, out);
    }

    /// Whoever waits for one of a partition's groups is refused.
    pub(in crate::broker) fn nobody_waits_in(
        &mut self,
        shard: i32,
        refused: &Refused,
        out: &mut Vec<Output>,
    ) {
        self.refuse_waiting(|(of, _)| *of == shard, refused, out);
    }

    fn refuse_waiting(
        &mut self,
        refuse: impl Fn(&GroupId) -> bool,
        refused: &Refused,
        out: &mut Vec<Output>,
    ) {
        let waiting = std::mem::take(&mut self.groups.waiting);
        let (of_group, others) = waiting.into_iter().partition(|(_, waiting)| refuse(&waiting.id));
        self.groups.waiting = others;
        for (ticket, Waiting { what, .. }) in of_group {
            out.push(match what {
                What::Join(member) => join_refused(ticket, member, refused),
                What::Sync => sync_refused(ticket, refused),
            });
        }
    }
}

/// When its offsets have to be looked at next, at the latest, if not before.
fn look_at(known: &mut Known, now: Now, keep_ms: u64) -> Option<u64> {
    let empty = known.get(|group| group.members().len() == 0).unwrap_or(false);
    match known.offsets.is_empty() {
        // A group that has nothing at all goes with the next look.
        true => (empty && known.saved && known.writing == 0).then_some(now.wall_ms),
        false => known.look_at.or(Some(now.wall_ms.saturating_add(keep_ms))),
    }
}

fn told(listed: Listed) -> JoinGroupResponseMember {
    JoinGroupResponseMember {
        member_id: listed.member,
        group_instance_id: listed.instance_id,
        metadata: BytesMut::from(&listed.metadata[..]),
    }
}

fn refusal(ticket: Ticket, waiting: Waiting, error: Error) -> Output {
    match waiting.what {
        What::Join(member) => {
            let member = match &error {
                Error::MemberIdRequired { member } => member.clone(),
                Error::GroupMaxSizeReached { .. } => String::new(),
                _ => member,
            };
            join_refused(ticket, member, &error.into())
        }
        What::Sync => sync_refused(ticket, &error.into()),
    }
}

pub fn join_refused(ticket: Ticket, member_id: String, refused: &Refused) -> Output {
    let error_code = told_by_log(refused.code);
    let answer = JoinGroupResponse { error_code, member_id, ..Default::default() };
    Output::Answer { ticket, answer: answer.into() }
}

pub fn sync_refused(ticket: Ticket, refused: &Refused) -> Output {
    let error_code = told_by_log(refused.code);
    let answer = SyncGroupResponse { error_code, ..Default::default() };
    Output::Answer { ticket, answer: answer.into() }
}
