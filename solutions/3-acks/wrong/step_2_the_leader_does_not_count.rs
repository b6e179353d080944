//! step_2 caught by step_2: forgets that the leader itself is one of those in sync (R3.4)
let mut slowest = if self.counted().next().is_some() { self.log_end } else { 0 };
for follower in self.counted() {
    match follower.log_end {
        Some(log_end) => slowest = slowest.min(log_end),
        None => return self.high_watermark,
    }
}
slowest.max(self.high_watermark)
