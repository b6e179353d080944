//! When a producer is told that its batch is written.

use crate::{Acks, Leader};

/// What the leader does with the answer to a batch that it has appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It goes out. (To `acks=0` nothing is sent; the producer has not waited.)
    Now,
    /// Not yet. The broker asks again whenever the high watermark or the in-sync set has changed.
    Wait,
    /// Kafka's NOT_ENOUGH_REPLICAS_AFTER_APPEND (20): the batch is in the log, but too few replicas
    /// are in sync by now.
    NotEnoughReplicasAfterAppend,
}

impl Leader {
    /// When to answer a batch that is appended. Its last record has the offset `last`.
    ///
    /// `acks=0` and `acks=1` do not wait. `acks=all` waits until the high watermark is past the
    /// last record. If then too few replicas are in sync, that is an error, not a success. (Kafka:
    /// `Partition.checkEnoughReplicasReachOffset`.)
    pub fn answer(&self, acks: Acks, last: u64) -> Answer {
        todo!("step 1: when to answer {acks:?} for offset {last}")
    }
}
