//! step_3_a caught by step_3: throws a follower out that has everything, because nothing new came for long (R3.8)
match follower.caught_up_ms {
    Some(at_ms) => self.now_ms - at_ms > self.config.lag_time_max_ms,
    None => true,
}
