//! step_5 caught by step_5_an_empty: removes the segment into which the next batch is to be written (R1.13)
let mut left = self.size();
let mut count = 0;
for segment in &self.segments {
    let old = self.config.retention_ms.is_some_and(|ms| segment.is_older_than(ms, now_ms));
    let large = self.config.retention_bytes.is_some_and(|keep| left - segment.size >= keep);
    if !(old || large) || self.end_of(count) > high_watermark {
        break;
    }
    left -= segment.size;
    count += 1;
}
count
