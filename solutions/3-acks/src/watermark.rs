//! The high watermark: the offset below which every replica in sync has everything.

use crate::Leader;

impl Leader {
    /// Where the high watermark belongs now: at the smallest log end among the leader and the
    /// followers that count. Never before where it is.
    ///
    /// A follower that has not fetched yet may have as little as the watermark says, so the
    /// watermark stays. (Kafka: `Partition.maybeIncrementLeaderHW`.)
    pub(crate) fn watermark(&self) -> u64 {
        // STARTER: todo!("step 2: the high watermark, with {:?}", self.counted().collect::<Vec<_>>())
        // ANCHOR: step_2
        let mut slowest = self.log_end;
        for follower in self.counted() {
            match follower.log_end {
                Some(log_end) => slowest = slowest.min(log_end),
                None => return self.high_watermark,
            }
        }
        slowest.max(self.high_watermark)
        // ANCHOR_END: step_2
    }
}
