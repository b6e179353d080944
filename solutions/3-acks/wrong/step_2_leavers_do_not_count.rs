//! step_2 caught by step_3: counts those that lag out before it is agreed (R3.7)
let mut slowest = self.log_end;
for follower in self.counted().filter(|follower| !self.lags(follower)) {
    match follower.log_end {
        Some(log_end) => slowest = slowest.min(log_end),
        None => return self.high_watermark,
    }
}
slowest.max(self.high_watermark)
