//! step_5 caught by step_5: removes a segment while the log is larger than the limit, so less than the limit is left (R1.14)
let mut left = self.size();
let mut count = 0;
for segment in &self.segments {
    let old = self.config.retention_ms.is_some_and(|ms| segment.is_older_than(ms, now_ms));
    let large = self.config.retention_bytes.is_some_and(|keep| left > keep);
    if !(old || large) || segment.size == 0 || self.end_of(count) > high_watermark {
        break;
    }
    left -= segment.size;
    count += 1;
}
count
