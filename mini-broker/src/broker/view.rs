//! What a broker knows, for whoever only looks: tests, and pages that show it.

use uuid::Uuid;

use super::Broker;
use crate::coordinator::{Assignment, Cluster};

/// One partition, as this broker knows it.
pub struct PartitionView<'a> {
    pub topic: &'a str,
    pub index: i32,
    pub topic_id: Uuid,
    pub assignment: &'a Assignment,
    /// This broker leads it, as far as it knows.
    pub leads: bool,
    /// Everything below is on every replica in sync, as far as this broker has heard.
    pub high_watermark: u64,
    /// Its log starts here, in the middle of a segment; 0 if it starts where its oldest segment does.
    pub deleted_before: u64,
}

impl Broker {
    /// What the cluster has agreed on, as far as this broker has read.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Whether this broker coordinates a group, and knows what there is to know about it.
    pub fn knows_group(&self, group: &str) -> bool {
        self.coordinates(group).is_ok()
    }

    /// How far a group has read, if this broker coordinates it.
    pub fn committed_offset(&self, group: &str, topic: &str, index: i32) -> Option<i64> {
        let (shard, name) = self.coordinates(group).ok()?;
        let known = self.groups.of(shard)?.get(&name)?;
        Some(known.offsets.get(topic)?.get(&index)?.offset)
    }

    pub fn partitions(&self) -> impl Iterator<Item = PartitionView<'_>> {
        self.topics.values().flatten().map(|partition| PartitionView {
            topic: &partition.topic,
            index: partition.index,
            topic_id: partition.topic_id,
            assignment: &partition.assignment,
            leads: partition.leads(),
            high_watermark: partition.known_high_watermark(),
            deleted_before: partition.deleted_before().unwrap_or(0),
        })
    }
}
