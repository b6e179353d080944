//! A group as it is written to `__consumer_offsets`, and read from there again; and as it is shown.

use std::collections::BTreeMap;

use crate::{Config, Group, Member, State};

/// What is saved of a group: all that the next coordinator must know. (Kafka: `GroupMetadataValue`.)
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    pub protocol_type: Option<String>,
    pub generation: i32,
    pub protocol: Option<String>,
    pub leader: Option<String>,
    pub members: Vec<MemberMetadata>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberMetadata {
    pub id: String,
    pub instance_id: Option<String>,
    pub client_id: String,
    pub host: String,
    pub rebalance_timeout_ms: u64,
    pub session_timeout_ms: u64,
    /// What it wants to read, in the bytes of the protocol that was chosen.
    pub subscription: Vec<u8>,
    /// Its part of the plan.
    pub assignment: Vec<u8>,
}

impl Group {
    /// What `Next::Save` asks to be written: the plan that is about to be handed out is in it.
    pub fn metadata(&self) -> Metadata {
        let saved = |member: &Member| {
            let planned = self.plan.as_ref().map(|plan| plan.get(&member.id));
            let protocol = self.protocol.as_deref().unwrap_or_default();
            MemberMetadata {
                id: member.id.clone(),
                instance_id: member.instance_id.clone(),
                client_id: member.client_id.clone(),
                host: member.host.clone(),
                rebalance_timeout_ms: member.rebalance_timeout_ms,
                session_timeout_ms: member.session_timeout_ms,
                subscription: member.metadata(protocol).to_vec(),
                assignment: match planned {
                    Some(planned) => planned.cloned().unwrap_or_default(),
                    None => member.assignment.clone(),
                },
            }
        };
        Metadata {
            protocol_type: self.protocol_type.clone(),
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            members: self.members.values().map(saved).collect(),
        }
    }

    /// A group that another coordinator has saved, or this one before it was started again. All
    /// members have a full session timeout to be heard. `since_ms` is when it was saved, if this
    /// clock ran then.
    pub fn restore(now_ms: u64, since_ms: u64, config: Config, metadata: Metadata) -> Self {
        let mut group = Group::new(now_ms, config);
        let protocol = metadata.protocol.clone().unwrap_or_default();
        let member = |saved: MemberMetadata| {
            let member = Member {
                id: saved.id.clone(),
                instance_id: saved.instance_id,
                client_id: saved.client_id,
                host: saved.host,
                session_timeout_ms: saved.session_timeout_ms,
                rebalance_timeout_ms: saved.rebalance_timeout_ms,
                protocols: vec![(protocol.clone(), saved.subscription)],
                assignment: saved.assignment,
                joining: None,
                syncing: None,
                must_sync: false,
                is_new: false,
                knows_id: true,
                heard_ms: now_ms,
            };
            (saved.id, member)
        };
        group.members = metadata.members.into_iter().map(member).collect::<BTreeMap<_, _>>();
        let known = metadata.leader.filter(|leader| group.members.contains_key(leader));
        group.leader = known.or_else(|| group.members.keys().next().cloned());
        (group.generation, group.protocol_type) = (metadata.generation, metadata.protocol_type);
        if !group.members.is_empty() {
            (group.state, group.protocol) = (State::Stable, metadata.protocol);
        }
        group.since_ms = since_ms.min(now_ms);
        group
    }

    pub fn state(&self) -> State {
        self.state
    }

    pub fn generation(&self) -> i32 {
        self.generation
    }

    /// The member that makes the plan.
    pub fn leader(&self) -> Option<&str> {
        self.leader.as_deref()
    }

    /// `consumer` for consumers. `None` until somebody has joined.
    pub fn protocol_type(&self) -> Option<&str> {
        self.protocol_type.as_deref()
    }

    /// The assignor of this generation.
    pub fn protocol(&self) -> Option<&str> {
        self.protocol.as_deref()
    }

    /// All members, in the order of their ids.
    pub fn members(&self) -> impl ExactSizeIterator<Item = &Member> {
        self.members.values()
    }

    /// Ids that were handed out and have not come back.
    pub fn pending(&self) -> impl ExactSizeIterator<Item = &str> {
        self.pending.keys().map(String::as_str)
    }

    /// Since when it is in its state.
    pub fn since_ms(&self) -> u64 {
        self.since_ms
    }

    /// Since when it has no members: the time from which committed offsets grow old.
    pub fn empty_since_ms(&self) -> Option<u64> {
        (self.state == State::Empty).then_some(self.since_ms)
    }

    /// Nobody was ever in it, and nobody is about to be. If there are no offsets either, it need not
    /// be kept.
    pub fn is_unused(&self) -> bool {
        self.state == State::Empty && self.generation == 0 && self.pending.is_empty()
    }
}
