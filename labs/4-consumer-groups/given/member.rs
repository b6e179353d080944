//! What a group knows of one member.

use crate::{Join, Listed};

/// One member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub id: String,
    /// `group.instance.id`. Such a member is static: it may be away for its session timeout and
    /// nobody takes its partitions.
    pub instance_id: Option<String>,
    pub client_id: String,
    pub host: String,
    pub session_timeout_ms: u64,
    pub rebalance_timeout_ms: u64,
    /// The assignors that it can do, the one it likes best first, each with what it wants to read.
    pub protocols: Vec<(String, Vec<u8>)>,
    /// Its part of the plan.
    pub assignment: Vec<u8>,
    /// The join that waits for the round's end: its ticket. Whoever has one has joined this round.
    pub(crate) joining: Option<u64>,
    /// The sync that waits for the plan: its ticket.
    pub(crate) syncing: Option<u64>,
    /// It was told of this generation, and has not asked for its part of the plan.
    pub(crate) must_sync: bool,
    /// It has not been in any generation.
    pub(crate) is_new: bool,
    /// It was given its id before it joined, so that it can come back as the same.
    pub(crate) knows_id: bool,
    /// When it was last heard.
    pub(crate) heard_ms: u64,
}

impl Member {
    pub(crate) fn new(id: String, join: &Join, now_ms: u64) -> Self {
        Member {
            knows_id: id == join.member,
            id,
            instance_id: join.instance_id.clone(),
            client_id: join.client_id.clone(),
            host: join.host.clone(),
            session_timeout_ms: join.session_timeout_ms,
            rebalance_timeout_ms: join.rebalance_timeout_ms,
            protocols: join.protocols.clone(),
            assignment: Vec::new(),
            joining: None,
            syncing: None,
            must_sync: false,
            is_new: true,
            heard_ms: now_ms,
        }
    }

    /// Whether it is we who owe it an answer. Then it is silent because it waits: a client sends no
    /// heartbeats while it joins or syncs.
    pub fn is_waiting(&self) -> bool {
        self.joining.is_some() || self.syncing.is_some()
    }

    /// What it wants to read, for an assignor.
    pub fn metadata(&self, protocol: &str) -> &[u8] {
        let known = self.protocols.iter().find(|(name, _)| name == protocol);
        known.map_or(&[], |(_, metadata)| metadata)
    }

    pub(crate) fn listed(&self, protocol: &str) -> Listed {
        let metadata = self.metadata(protocol).to_vec();
        Listed { member: self.id.clone(), instance_id: self.instance_id.clone(), metadata }
    }
}
