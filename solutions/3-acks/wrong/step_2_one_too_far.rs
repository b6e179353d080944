//! step_2 caught by step_2: takes the offset that a follower fetches from for one that it has (R3.4)
let mut slowest = self.log_end;
for follower in self.counted() {
    match follower.log_end {
        Some(log_end) => slowest = slowest.min(log_end + 1),
        None => return self.high_watermark,
    }
}
slowest.max(self.high_watermark)
