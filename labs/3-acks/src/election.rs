//! A leader dies: who is next? And how do the others notice that a leader is not one any more?

use crate::{Leader, Refused};

/// The next leader of a partition, or nobody.
///
/// It is the first of `replicas` that is alive and in sync: it has everything below the high
/// watermark. If there is none, and `unclean.leader.election.enable` says so, it is the first that
/// is alive at all, and what it does not have is lost. (Kafka:
/// `PartitionChangeBuilder.electLeader`.)
pub fn elect(replicas: &[i32], in_sync: &[i32], alive: &[i32], unclean: bool) -> Option<i32> {
    todo!("step 5: elect of {replicas:?}: {in_sync:?} in sync, {alive:?} alive, {unclean}")
}

impl Leader {
    /// The fence: whether somebody who knows this leader epoch may talk to this leader.
    ///
    /// With an older epoch it has missed an election. With a newer one it is this leader that has
    /// missed one: it leads no more, and does not know it yet. (KIP-320.)
    pub fn check_epoch(&self, epoch: i32) -> Result<(), Refused> {
        let (current, got) = (self.epoch, epoch);
        let fenced = Refused::FencedLeaderEpoch { current, got };
        let _ = (fenced, Refused::UnknownLeaderEpoch { current, got });
        todo!("step 5: {got}, and this leader has {current}")
    }
}
