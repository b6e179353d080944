//! What is known of one group: its organ, and how far it has read.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::BytesMut;
use wire::consumer_protocol::{self, ConsumerProtocolSubscription};
use wire::offsets_topic::{GroupMetadataValue, GroupRecord, MemberMetadata, OffsetCommitValue};

use crate::broker::Now;
use crate::labs::consumer_groups::{self, Config, Group, Metadata, State};
use crate::labs::{Broken, Organ};

/// Committed offsets, by topic and partition.
pub type Offsets = BTreeMap<Arc<str>, BTreeMap<i32, OffsetCommitValue>>;

pub struct Known {
    organ: Organ<Group>,
    /// Somebody was told that the organ has panicked.
    pub told_broken: bool,
    /// What is on every replica in sync of what it has committed.
    pub offsets: Offsets,
    /// So many of its records are not on every replica in sync yet.
    pub writing: usize,
    /// The timer that is set, in `mono_ms`.
    pub timer: Option<u64>,
    /// When its offsets are looked at, in `wall_ms`. They may have to go then; not before.
    pub look_at: Option<u64>,
    /// Whether there is a record of its members in the log.
    pub saved: bool,
    /// Since when it has had no members, in `wall_ms`, if it ever had any.
    pub empty_since: Option<u64>,
}

impl Known {
    pub fn new(now: Now, config: Config) -> Self {
        Self::with(Organ::made(|| Group::new(now.mono_ms, config)))
    }

    fn with(organ: Organ<Group>) -> Self {
        Self {
            organ,
            told_broken: false,
            offsets: Offsets::new(),
            writing: 0,
            timer: None,
            look_at: None,
            saved: false,
            empty_since: None,
        }
    }

    /// As its records say. Its members have a full session timeout to be heard of.
    pub fn restored(
        now: Now,
        config: Config,
        metadata: Option<GroupMetadataValue>,
        offsets: Offsets,
    ) -> Self {
        let Some(value) = metadata else {
            return Self { offsets, ..Self::new(now, config) };
        };
        let since = u64::try_from(value.current_state_timestamp).ok();
        let empty_since = since.filter(|_| value.members.is_empty());
        let restore = || Group::restore(now.mono_ms, now.mono_ms, config, metadata_of(value));
        Self { offsets, saved: true, empty_since, ..Self::with(Organ::made(restore)) }
    }

    pub fn call<R>(
        &mut self,
        now: Now,
        call: impl FnOnce(&mut Group, u64) -> R,
    ) -> Result<R, Broken> {
        self.organ.call(|group| call(group, now.mono_ms))
    }

    /// Something that does not change the group; `None` if its organ is broken.
    pub fn get<R>(&mut self, get: impl FnOnce(&mut Group) -> R) -> Option<R> {
        self.organ.call(get).ok()
    }

    /// Its records do not stand any more. Whoever joins now joins a new group.
    pub fn begin_anew(&mut self, now: Now, config: Config) {
        self.organ = Organ::made(|| Group::new(now.mono_ms, config));
    }

    /// Takes a record into account that is on every replica in sync.
    pub fn apply(&mut self, record: &GroupRecord) {
        match record {
            GroupRecord::OffsetCommit { .. } => fold(&mut self.offsets, record),
            GroupRecord::GroupMetadata { value: Some(value), .. } => {
                let since = u64::try_from(value.current_state_timestamp).ok();
                self.empty_since = since.filter(|_| value.members.is_empty());
                self.saved = true;
            }
            GroupRecord::GroupMetadata { value: None, .. } => {
                (self.saved, self.empty_since) = (false, None);
            }
        }
    }

    /// Whether nothing would be lost if it were forgotten.
    pub fn is_nothing(&mut self) -> bool {
        let bare = self.offsets.is_empty() && self.writing == 0 && !self.saved;
        bare && self.get(|group| group.is_unused()).unwrap_or(false)
    }

    /// The topics that its members read. `None`: nobody can tell, because it is no group of consumers,
    /// has members without a plan, or one with a subscription that cannot be read.
    /// (`ClassicGroup.computeSubscribedTopics`.)
    fn subscribed(&mut self) -> Option<Vec<String>> {
        self.get(|group| {
            let (kind, protocol) = (group.protocol_type()?, group.protocol());
            if kind != consumer_protocol::PROTOCOL_TYPE {
                return None;
            }
            if group.members().len() == 0 {
                return Some(Vec::new());
            }
            let protocol = protocol?;
            let of = |member: &consumer_groups::Member| {
                ConsumerProtocolSubscription::topics_from_bytes(member.metadata(protocol)).ok()
            };
            let topics: Option<Vec<Vec<String>>> = group.members().map(of).collect();
            Some(topics?.into_iter().flatten().collect())
        })?
    }

    /// Whether its members read this topic, as far as one can tell.
    pub fn reads(&mut self, topic: &str) -> bool {
        let consumers =
            self.get(|group| group.protocol_type() == Some(consumer_protocol::PROTOCOL_TYPE));
        match self.subscribed() {
            Some(topics) => topics.iter().any(|known| known == topic),
            None => consumers.unwrap_or(true),
        }
    }

    /// When the offset of a partition is too old, in `wall_ms`; `None`: not as things are (KIP-211).
    pub fn expires(&mut self, topic: &str, value: &OffsetCommitValue, keep_ms: u64) -> Option<u64> {
        if let Ok(at) = u64::try_from(value.expire_timestamp) {
            return Some(at);
        }
        let committed = value.commit_timestamp.max(0) as u64;
        let (state, kind) =
            self.get(|group| (group.state(), group.protocol_type().map(str::to_owned)))?;
        let since = match (state, kind) {
            (_, None) => committed,
            (State::Empty, Some(_)) => self.empty_since.unwrap_or(committed),
            (State::Stable, Some(_)) if !self.reads(topic) => committed,
            _ => return None,
        };
        Some(since.saturating_add(keep_ms))
    }
}

/// Takes an offset's record into account; a later one takes the place of an earlier one.
pub fn fold(offsets: &mut Offsets, record: &GroupRecord) {
    let GroupRecord::OffsetCommit { key, value } = record else { return };
    match value {
        Some(value) => {
            let topic = match offsets.get_mut(key.topic.as_str()) {
                Some(topic) => topic,
                None => offsets.entry(key.topic.as_str().into()).or_default(),
            };
            topic.insert(key.partition, value.clone());
        }
        None => {
            if let Some(topic) = offsets.get_mut(key.topic.as_str()) {
                topic.remove(&key.partition);
                if topic.is_empty() {
                    offsets.remove(key.topic.as_str());
                }
            }
        }
    }
}

/// A group as it is written.
pub fn value_of(metadata: Metadata, now: Now) -> GroupMetadataValue {
    let bytes = |bytes: Vec<u8>| BytesMut::from(&bytes[..]);
    let ms = |ms: u64| i32::try_from(ms).unwrap_or(i32::MAX);
    let members = metadata.members.into_iter().map(|member| MemberMetadata {
        member_id: member.id,
        group_instance_id: member.instance_id,
        client_id: member.client_id,
        client_host: member.host,
        rebalance_timeout: ms(member.rebalance_timeout_ms),
        session_timeout: ms(member.session_timeout_ms),
        subscription: bytes(member.subscription),
        assignment: bytes(member.assignment),
    });
    let members: Vec<_> = members.collect();
    GroupMetadataValue {
        protocol_type: metadata.protocol_type.unwrap_or_default(),
        generation: metadata.generation,
        protocol: metadata.protocol,
        leader: metadata.leader.filter(|_| !members.is_empty()),
        current_state_timestamp: now.wall_ms as i64,
        members,
    }
}

fn metadata_of(value: GroupMetadataValue) -> Metadata {
    let members = value.members.into_iter().map(|member| {
        let session_timeout_ms = member.session_timeout.max(0) as u64;
        consumer_groups::MemberMetadata {
            id: member.member_id,
            instance_id: member.group_instance_id,
            client_id: member.client_id,
            host: member.client_host,
            rebalance_timeout_ms: match member.rebalance_timeout {
                -1 => session_timeout_ms,
                ms => ms.max(0) as u64,
            },
            session_timeout_ms,
            subscription: member.subscription.to_vec(),
            assignment: member.assignment.to_vec(),
        }
    });
    Metadata {
        protocol_type: Some(value.protocol_type).filter(|kind| !kind.is_empty()),
        generation: value.generation,
        protocol: value.protocol,
        leader: value.leader,
        members: members.collect(),
    }
}
