//! step_2 caught by step_2: goes back with a follower that has less than before (R3.5)
let mut slowest = self.log_end;
for follower in self.counted() {
    match follower.log_end {
        Some(log_end) => slowest = slowest.min(log_end),
        None => return self.high_watermark,
    }
}
slowest
