//! step_3 caught by step_3: a group is never better than OK (R5.14)
let worst = partitions.iter().map(|partition| partition.status).max();
let mut max_lag = None;
for (at, partition) in partitions.iter().enumerate() {
    if max_lag.is_none_or(|most: usize| partition.lag > partitions[most].lag) {
        max_lag = Some(at);
    }
}
let status = worst.unwrap_or(Status::Ok).min(Status::Err);
let total_lag = partitions.iter().map(|partition| partition.lag).sum();
GroupStatus { status, total_lag, max_lag, complete }
