//! step_3_a caught by step_3: throws a follower out one millisecond late (R3.8)
if follower.log_end == Some(self.log_end) {
    return false;
}
match follower.caught_up_ms {
    Some(at_ms) => self.now_ms - at_ms > self.config.lag_time_max_ms + 1,
    None => true,
}
