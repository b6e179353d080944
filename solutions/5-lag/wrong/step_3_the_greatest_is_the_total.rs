//! step_3 caught by step_3: the total is the sum (R5.15)
let worst = partitions.iter().map(|partition| partition.status).max();
let mut max_lag = None;
for (at, partition) in partitions.iter().enumerate() {
    if max_lag.is_none_or(|most: usize| partition.lag > partitions[most].lag) {
        max_lag = Some(at);
    }
}
let status = worst.unwrap_or(Status::Ok).clamp(Status::Ok, Status::Err);
let total_lag = partitions.iter().map(|partition| partition.lag).max().unwrap_or(0);
GroupStatus { status, total_lag, max_lag, complete }
