//! step_3_a caught by step_3: looks at when a follower last fetched, not at what it got (R3.8)
if follower.log_end == Some(self.log_end) {
    return false;
}
let last = follower.last_fetch.map(|(at_ms, _)| at_ms).or(follower.caught_up_ms);
last.is_none_or(|at_ms| self.now_ms - at_ms > self.config.lag_time_max_ms)
