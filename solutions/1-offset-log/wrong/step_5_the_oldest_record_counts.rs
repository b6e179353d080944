//! step_5 caught by step_5_the_newest: takes a segment's age from its first record, so young records go with it (R1.14)
let mut left = self.size();
let mut count = 0;
for segment in &self.segments {
    let age_ms = now_ms as i64 - segment.begun_ms.unwrap_or(now_ms as i64);
    let old = self.config.retention_ms.is_some_and(|ms| age_ms > ms as i64);
    let large = self.config.retention_bytes.is_some_and(|keep| left - segment.size >= keep);
    if !(old || large) || segment.size == 0 || self.end_of(count) > high_watermark {
        break;
    }
    left -= segment.size;
    count += 1;
}
count
