//! step_2 caught by step_3: counts those that join only when it is agreed (R3.7)
let mut slowest = self.log_end;
for follower in self.counted().filter(|follower| self.in_sync.contains(&follower.id)) {
    match follower.log_end {
        Some(log_end) => slowest = slowest.min(log_end),
        None => return self.high_watermark,
    }
}
slowest.max(self.high_watermark)
