//! step_2 caught by step_2: waits for every replica, in sync or not (R3.4)
let mut slowest = self.log_end;
for follower in &self.followers {
    match follower.log_end {
        Some(log_end) => slowest = slowest.min(log_end),
        None => return self.high_watermark,
    }
}
slowest.max(self.high_watermark)
