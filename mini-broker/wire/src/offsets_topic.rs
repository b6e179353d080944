//! The records of `__consumer_offsets`, in which a coordinator keeps its groups. Kafka's
//! `DumpLogSegments` prints them with `--offsets-decoder`.
//!
//! Keys and values begin with two bytes of version. A key's version tells the kind of the record, and
//! a record takes the place of all before it with the same key; without a value it ends them.

use bytes::BytesMut;
use uuid::Uuid;

use crate::table::table;
use crate::versioned;

table! {
    /// Whose offset. `OffsetCommitKey.json`; version 0 is `LegacyOffsetCommitKey.json`.
    pub struct OffsetCommitKey (versions 0..=1, flexible ..0) {
        group: String,                                    0..;
        topic: String,                                    0..;
        partition: i32,                                   0..;
    }

    /// How far the group has read. `OffsetCommitValue.json`.
    pub struct OffsetCommitValue (versions 0..=4, flexible 4..) {
        /// That of the next record to read.
        offset: i64,                                      0..;
        /// That of the last record read; −1: the client did not say.
        leader_epoch: i32 = -1,                           3..;
        /// A text of the client's own.
        metadata: String,                                 0..;
        /// In milliseconds, by the broker's clock.
        commit_timestamp: i64,                            0..;
        /// In milliseconds; −1: when the broker's settings say so.
        expire_timestamp: i64 = -1,                       1..=1;
    } tagged {
        /// Of the topic of this name at that time.
        0 = topic_id: Uuid,                               4..;
    }

    /// Which group. `GroupMetadataKey.json`.
    pub struct GroupMetadataKey (versions 2..=2, flexible ..0) {
        group: String,                                    2..;
    }

    /// A generation of a group, as it was when its leader had assigned, or when the last member had
    /// left. `GroupMetadataValue.json`.
    pub struct GroupMetadataValue (versions 0..=4, flexible 4..) {
        protocol_type: String,                            0..;
        generation: i32,                                  0..;
        /// The assignor. Null: the group is empty.
        protocol: Option<String>,                         0.., null 0..;
        /// The member id of the leader. Null: the group is empty.
        leader: Option<String>,                           0.., null 0..;
        /// In milliseconds; −1: not known.
        current_state_timestamp: i64 = -1,                2..;
        members: Vec<MemberMetadata>,                     0..;
    }

    /// A member of the generation.
    pub struct MemberMetadata {
        member_id: String,                                0..;
        group_instance_id: Option<String>,                3.., null 3..;
        client_id: String,                                0..;
        /// As Java prints it: `/127.0.0.1`.
        client_host: String,                              0..;
        /// In milliseconds; −1: as the session timeout.
        rebalance_timeout: i32 = -1,                      1..;
        /// In milliseconds.
        session_timeout: i32,                             0..;
        /// What it joined with, for the assignor that was chosen.
        subscription: BytesMut,                           0..;
        assignment: BytesMut,                             0..;
    }
}

/// The key versions written here. They stand for the kind of the record.
const OFFSET_COMMIT: i16 = 1;
const GROUP_METADATA: i16 = 2;
/// The version of values written here: the newest that Burrow 1.2 reads.
const VALUE: i16 = 3;
/// The only version with a time at which an offset ends. (`GroupCoordinatorRecordHelpers` does the same.)
const EXPIRING: i16 = 1;

/// A record of `__consumer_offsets`.
#[derive(Debug, Clone, PartialEq)]
pub enum GroupRecord {
    /// Without a value: nothing is committed any more.
    OffsetCommit { key: OffsetCommitKey, value: Option<OffsetCommitValue> },
    /// Without a value: there is no such group any more.
    GroupMetadata { key: GroupMetadataKey, value: Option<GroupMetadataValue> },
}

impl GroupRecord {
    /// `None`: a record of another kind. Kafka's newer groups (KIP-848, KIP-932) have keys of version
    /// 3 and above.
    pub fn decode(key: &[u8], value: Option<&[u8]>) -> Result<Option<Self>, crate::Malformed> {
        let version = versioned::version(key).map_err(|malformed| malformed.inside("key"))?;
        Ok(match version {
            0 | OFFSET_COMMIT => Some(GroupRecord::OffsetCommit {
                key: versioned::read(key)?,
                value: value.map(versioned::read).transpose()?,
            }),
            GROUP_METADATA => Some(GroupRecord::GroupMetadata {
                key: versioned::read(key)?,
                value: value.map(versioned::read).transpose()?,
            }),
            _ => None,
        })
    }

    /// The key and the value.
    pub fn encode(&self) -> (BytesMut, Option<BytesMut>) {
        match self {
            GroupRecord::OffsetCommit { key, value } => (
                versioned::write(key, OFFSET_COMMIT),
                value.as_ref().map(|value| match value.expire_timestamp {
                    -1 => versioned::write(value, VALUE),
                    _ => versioned::write(value, EXPIRING),
                }),
            ),
            GroupRecord::GroupMetadata { key, value } => (
                versioned::write(key, GROUP_METADATA),
                value.as_ref().map(|value| versioned::write(value, VALUE)),
            ),
        }
    }
}
