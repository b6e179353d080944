//! What a leader has done, and what follows once other replicas have done it too: parts of requests are
//! answered, and groups go on.

use super::{Partition, Turn};
use crate::broker::produce::not_enough_any_more;
use crate::broker::{Refused, Ticket};
use crate::coordinator::Cluster;
use crate::labs::acks::{Acks, Answer};

/// Somebody who waits for a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Awaited {
    pub waiter: Waiter,
    pub until: Until,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiter {
    /// A part of a client's request.
    Part(Part),
    /// A group, with records of its own.
    Write(u64),
    /// All groups in a partition of `__consumer_offsets`, which is led in this epoch, and is read.
    Loading { epoch: i32 },
}

/// Which part of a request it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    pub ticket: Ticket,
    /// Counted over the partitions of all its topics.
    pub place: usize,
}

/// What it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// The record at this offset, the last of a batch, is on every replica in sync. (`DelayedProduce`.)
    Replicated(u64),
    /// The log starts at this offset, or later, on every replica that is alive. (`DelayedDeleteRecords`.)
    Deleted(u64),
}

impl Partition {
    /// What has come of it: the high watermark, or the low one, that it has waited for. `None`: it waits.
    pub fn fulfilled(
        &mut self,
        turn: &mut Turn,
        cluster: &Cluster,
        until: Until,
    ) -> Option<Result<u64, Refused>> {
        match until {
            Until::Replicated(last) => match self.answer(turn, Acks::All, last) {
                Ok(Answer::Wait) => None,
                Ok(Answer::Now) => Some(Ok(self.high_watermark)),
                Ok(Answer::NotEnoughReplicasAfterAppend) => Some(Err(not_enough_any_more())),
                Err(refused) => Some(Err(refused)),
            },
            Until::Deleted(before) => match self.low_watermark(turn, cluster) {
                Ok(low) => low.filter(|low| *low >= before).map(Ok),
                Err(refused) => Some(Err(refused)),
            },
        }
    }
}
