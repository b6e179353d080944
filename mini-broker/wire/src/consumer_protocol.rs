//! What the consumers of a group tell each other: the protocol inside the protocol.
//!
//! A consumer sends its subscription with JoinGroup; the leader of the group gets them all, shares out
//! the partitions, and sends the assignments with SyncGroup. A coordinator passes both on as bytes. It
//! looks into subscriptions only for their topics.
//!
//! Both messages begin with their version. A reader takes the fields it knows of a version that is
//! newer than itself, so new versions may only add fields at the end.

use bytes::BytesMut;

use crate::table::table;
use crate::versioned;

/// The protocol type of groups that use this. Groups of another type have bytes of their own.
pub const PROTOCOL_TYPE: &str = "consumer";

table! {
    /// What a consumer wants, and what it has. `ConsumerProtocolSubscription.json`.
    pub struct ConsumerProtocolSubscription (versions 0..=3, flexible ..0) {
        topics: Vec<String>,                              0..;
        /// The assignor's own.
        user_data: Option<BytesMut>,                      0.., null 0..;
        /// What it reads at the moment, so that it can keep it (KIP-429).
        owned_partitions: Vec<TopicPartition>,            1..;
        /// That in which it got them; −1: none (KIP-792).
        generation_id: i32 = -1,                          2..;
        /// Where the consumer is (KIP-881).
        rack_id: Option<String>,                          3.., null 3..;
    }

    /// What the leader gave a consumer. `ConsumerProtocolAssignment.json`.
    pub struct ConsumerProtocolAssignment (versions 0..=3, flexible ..0) {
        assigned_partitions: Vec<TopicPartition>,         0..;
        user_data: Option<BytesMut>,                      0.., null 0..;
    }

    /// Partitions of one topic.
    pub struct TopicPartition {
        topic: String,                                    0..;
        partitions: Vec<i32>,                             0..;
    }
}

impl ConsumerProtocolSubscription {
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, crate::Malformed> {
        versioned::read_newer(bytes)
    }

    /// The topics alone, without a look at what follows: there are clients that say version 1 and
    /// leave its field out. A coordinator reads no more. (`ClassicGroup.computeSubscribedTopics`.)
    pub fn topics_from_bytes(bytes: &[u8]) -> Result<Vec<String>, crate::Malformed> {
        versioned::read_first::<Self>(bytes).map(|subscription| subscription.topics)
    }

    /// # Panics
    /// If the table has no such version.
    pub fn to_bytes(&self, version: i16) -> BytesMut {
        versioned::write(self, version)
    }
}

impl ConsumerProtocolAssignment {
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, crate::Malformed> {
        versioned::read_newer(bytes)
    }

    /// # Panics
    /// If the table has no such version.
    pub fn to_bytes(&self, version: i16) -> BytesMut {
        versioned::write(self, version)
    }
}
