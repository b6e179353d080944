//! step_2 caught by step_2: stays one below what all have (R3.4)
let mut slowest = self.log_end;
for follower in self.counted() {
    match follower.log_end {
        Some(log_end) => slowest = slowest.min(log_end.saturating_sub(1)),
        None => return self.high_watermark,
    }
}
slowest.max(self.high_watermark)
