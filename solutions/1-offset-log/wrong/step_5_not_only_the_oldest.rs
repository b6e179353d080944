//! step_5 caught by step_5: counts every segment that is old, so one that must stay goes in place of another (R1.13 R1.14)
let mut left = self.size();
let mut count = 0;
for segment in &self.segments {
    let old = self.config.retention_ms.is_some_and(|ms| segment.is_older_than(ms, now_ms));
    let large = self.config.retention_bytes.is_some_and(|keep| left - segment.size >= keep);
    if !(old || large) || segment.size == 0 || self.end_of(count) > high_watermark {
        continue;
    }
    left -= segment.size;
    count += 1;
}
count
