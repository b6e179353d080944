//! Who is in sync: followers leave when they are too slow, and join when they have caught up.

use crate::{Follower, Leader};

impl Leader {
    /// Whether a follower has fallen behind: it does not have all that the leader has, and it is
    /// more than `replica.lag.time.max.ms` since it last had. (Kafka: `ReplicaState.isCaughtUp`.)
    pub(crate) fn lags(&self, follower: &Follower) -> bool {
        todo!("step 3: does it lag at {}? {follower:?}", self.now_ms)
    }

    /// Whether a follower that is not in sync may join: it has everything below the high watermark,
    /// and everything that the leader had when it was elected.
    /// (Kafka: `Partition.isFollowerInSync`.)
    pub(crate) fn may_join(&self, follower: &Follower) -> bool {
        todo!("step 3: may it join? {follower:?}")
    }

    /// The in-sync set as it should be, in the order of `replicas`: the leader, who is in sync and
    /// does not lag, and who is joining.
    pub(crate) fn wanted(&self) -> Vec<i32> {
        todo!("step 3: who of {:?} should be in sync", self.replicas)
    }
}
