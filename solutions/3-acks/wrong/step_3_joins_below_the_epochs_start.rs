//! step_3_b caught by step_3: lets a follower join that lacks what the leader had when it was elected (R3.10)
match follower.log_end {
    Some(log_end) => log_end >= self.high_watermark,
    None => false,
}
