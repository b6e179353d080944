//! Who is in sync: followers leave when they are too slow, and join when they have caught up.

use crate::{Follower, Leader};

impl Leader {
    /// Whether a follower has fallen behind: it does not have all that the leader has, and it is
    /// more than `replica.lag.time.max.ms` since it last had. (Kafka: `ReplicaState.isCaughtUp`.)
    pub(crate) fn lags(&self, follower: &Follower) -> bool {
        // STARTER: todo!("step 3: does it lag at {}? {follower:?}", self.now_ms)
        // ANCHOR: step_3_a
        if follower.log_end == Some(self.log_end) {
            return false;
        }
        match follower.caught_up_ms {
            Some(at_ms) => self.now_ms - at_ms > self.config.lag_time_max_ms,
            None => true,
        }
        // ANCHOR_END: step_3_a
    }

    /// Whether a follower that is not in sync may join: it has everything below the high watermark,
    /// and everything that the leader had when it was elected.
    /// (Kafka: `Partition.isFollowerInSync`.)
    pub(crate) fn may_join(&self, follower: &Follower) -> bool {
        // STARTER: todo!("step 3: may it join? {follower:?}")
        // ANCHOR: step_3_b
        match follower.log_end {
            Some(log_end) => log_end >= self.high_watermark && log_end >= self.epoch_start,
            None => false,
        }
        // ANCHOR_END: step_3_b
    }

    /// The in-sync set as it should be, in the order of `replicas`: the leader, who is in sync and
    /// does not lag, and who is joining.
    pub(crate) fn wanted(&self) -> Vec<i32> {
        // STARTER: todo!("step 3: who of {:?} should be in sync", self.replicas)
        // ANCHOR: step_3_c
        let mut out = Vec::new();
        for follower in &self.followers {
            let stays = self.in_sync.contains(&follower.id) && !self.lags(follower);
            if !stays && !follower.joining {
                out.push(follower.id);
            }
        }
        self.replicas.iter().copied().filter(|id| !out.contains(id)).collect()
        // ANCHOR_END: step_3_c
    }
}
