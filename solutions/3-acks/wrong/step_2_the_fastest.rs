//! step_2 caught by step_2: takes the fastest follower (R3.4)
let mut fastest = self.high_watermark;
for follower in self.counted() {
    match follower.log_end {
        Some(log_end) => fastest = fastest.max(log_end),
        None => return self.high_watermark,
    }
}
if self.counted().next().is_none() { self.log_end } else { fastest }
