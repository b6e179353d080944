//! What comes in with a request, and what the broker is to do next.

use crate::Error;

/// A JoinGroup request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Join {
    /// The member id that it was given, or empty if it has none yet.
    pub member: String,
    /// An id that nobody else has, in case it needs one: the group makes no random numbers. In Kafka
    /// it is the client id or the `group.instance.id`, a dash, and a UUID.
    pub new_id: String,
    /// `group.instance.id`: the member is static.
    pub instance_id: Option<String>,
    pub client_id: String,
    /// The client's address, for who looks at the group.
    pub host: String,
    /// `consumer`, or `connect`.
    pub protocol_type: String,
    /// The assignors that it can do, the one it likes best first, each with what it wants to read.
    /// Those bytes are for the leader; nobody here looks into them.
    pub protocols: Vec<(String, Vec<u8>)>,
    pub session_timeout_ms: u64,
    /// How long it needs to join again. (`max.poll.interval.ms`; version 0 has none and means the
    /// session timeout.)
    pub rebalance_timeout_ms: u64,
    /// Without an id it is to be given one first (from version 4 on, KIP-394).
    pub member_id_required: bool,
}

/// Who sends a request: a member id, and the `group.instance.id` if it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller<'a> {
    pub member: &'a str,
    pub instance_id: Option<&'a str>,
}

impl<'a> From<&'a str> for Caller<'a> {
    fn from(member: &'a str) -> Self {
        Caller { member, instance_id: None }
    }
}

impl<'a> From<&'a String> for Caller<'a> {
    fn from(member: &'a String) -> Self {
        Caller { member, instance_id: None }
    }
}

impl<'a> From<(&'a str, Option<&'a str>)> for Caller<'a> {
    fn from((member, instance_id): (&'a str, Option<&'a str>)) -> Self {
        Caller { member, instance_id }
    }
}

/// What the broker is to do next. Each ticket, of a join or a sync, is answered exactly once, unless
/// its connection is `gone` before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Answers a join: the round is over. `members` is empty but for the leader.
    Joined {
        ticket: u64,
        member: String,
        leader: String,
        generation: i32,
        protocol: String,
        members: Vec<Listed>,
    },
    /// Write the group's `metadata` to `__consumer_offsets`, and say `saved` once it is replicated,
    /// or `not_saved`. If the broker dies now, the next coordinator knows what was handed out.
    Save { generation: i32 },
    /// Answers a sync: the member's part of the plan, as the leader wrote it.
    Synced { ticket: u64, assignment: Vec<u8> },
    /// Answers either with an error.
    Refused { ticket: u64, error: Error },
}

/// A member, as the leader is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub member: String,
    pub instance_id: Option<String>,
    /// What it wants to read, in the bytes of the protocol that was chosen.
    pub metadata: Vec<u8>,
}
