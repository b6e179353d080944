//! step_2 caught by step_3: does not wait for those that keep up, so that a leader under load stays alone (R3.7)
let mut slowest = self.log_end;
for follower in self.counted().filter(|follower| !follower.keeps_up) {
    match follower.log_end {
        Some(log_end) => slowest = slowest.min(log_end),
        None => return self.high_watermark,
    }
}
slowest.max(self.high_watermark)
