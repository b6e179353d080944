//! One word for a whole group.

use crate::{GroupStatus, PartitionStatus, Status};

/// Sums up the partitions of a group. (Burrow: `ConsumerGroupStatus`.)
///
/// The group's status is the worst of its partitions', but `Err` stands for all that is worse than `Warn`. Of
/// several partitions with the greatest lag the first one counts.
pub fn roll_up(partitions: &[PartitionStatus]) -> GroupStatus {
    let full = partitions.iter().filter(|partition| partition.complete == 1.0).count();
    let complete = full as f32 / partitions.len().max(1) as f32;
    todo!("step 3: sum up {partitions:?}, {complete} of them full; at worst {}", Status::Err)
}
