//! One word for a whole group.

use crate::{GroupStatus, PartitionStatus, Status};

/// Sums up the partitions of a group. (Burrow: `ConsumerGroupStatus`.)
///
/// The group's status is the worst of its partitions', but `Err` stands for all that is worse than `Warn`. Of
/// several partitions with the greatest lag the first one counts.
pub fn roll_up(partitions: &[PartitionStatus]) -> GroupStatus {
    let full = partitions.iter().filter(|partition| partition.complete == 1.0).count();
    let complete = full as f32 / partitions.len().max(1) as f32;
    // STARTER: todo!("step 3: sum up {partitions:?}, {complete} of them full; at worst {}", Status::Err)
    // ANCHOR: step_3
    let worst = partitions.iter().map(|partition| partition.status).max();
    let mut max_lag = None;
    for (at, partition) in partitions.iter().enumerate() {
        if max_lag.is_none_or(|most: usize| partition.lag > partitions[most].lag) {
            max_lag = Some(at);
        }
    }
    let status = worst.unwrap_or(Status::Ok).clamp(Status::Ok, Status::Err);
    let total_lag = partitions.iter().map(|partition| partition.lag).sum();
    GroupStatus { status, total_lag, max_lag, complete }
    // ANCHOR_END: step_3
}
