//! step_2 caught by step_2: takes followers that nobody has heard of for caught up (R3.6)
let mut slowest = self.log_end;
for follower in self.counted() {
    match follower.log_end {
        Some(log_end) => slowest = slowest.min(log_end),
        None => slowest = slowest.min(self.log_end),
    }
}
slowest.max(self.high_watermark)
