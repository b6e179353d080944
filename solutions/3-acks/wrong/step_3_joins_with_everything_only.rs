//! step_3_b caught by step_3: lets a follower join only if it has all that the leader has (R3.10)
match follower.log_end {
    Some(log_end) => log_end >= self.log_end,
    None => false,
}
