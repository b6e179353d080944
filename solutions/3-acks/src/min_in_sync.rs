//! `min.insync.replicas`: how many replicas must be in sync for `acks=all`.

use crate::{Acks, Leader, Refused};

impl Leader {
    /// The effective minimum: `min.insync.replicas`, but not more than there are replicas.
    ///
    /// Three ask for it: `may_append` below, `settle` in `given/leader.rs` before it moves the high
    /// watermark, and your `answer` of step 1. (Kafka: `Partition.effectiveMinIsr`.)
    pub(crate) fn effective_min(&self) -> usize {
        // STARTER: todo!("step 4: the minimum of {} for {:?}", self.config.min_in_sync, self.replicas)
        // ANCHOR: step_4_a
        let min = self.config.min_in_sync as usize;
        min.min(self.replicas.len())
        // ANCHOR_END: step_4_a
    }

    /// Whether a batch may be appended at all.
    ///
    /// If `acks=all` cannot be kept, it is better to say so before: then the batch is nowhere.
    /// `acks=0` and `acks=1` have not asked for it.
    pub fn may_append(&self, acks: Acks) -> Result<(), Refused> {
        if self.config.min_in_sync <= 1 {
            return Ok(()); // the leader itself is enough
        }
        // STARTER: let _ = Refused::NotEnoughReplicas { in_sync: self.in_sync.len(), min: 0 };
        // STARTER: todo!("step 4: may {acks:?} be appended with {:?} in sync?", self.in_sync)
        // ANCHOR: step_4_b
        let (in_sync, min) = (self.in_sync.len(), self.effective_min());
        if acks == Acks::All && in_sync < min {
            return Err(Refused::NotEnoughReplicas { in_sync, min });
        }
        Ok(())
        // ANCHOR_END: step_4_b
    }
}
