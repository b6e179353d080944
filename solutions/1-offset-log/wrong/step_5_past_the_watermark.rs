//! step_5 caught by step_5: removes what followers may still need (R1.15)
let _ = high_watermark;
let mut left = self.size();
let mut count = 0;
for segment in &self.segments {
    let old = self.config.retention_ms.is_some_and(|ms| segment.is_older_than(ms, now_ms));
    let large = self.config.retention_bytes.is_some_and(|keep| left - segment.size >= keep);
    if !(old || large) || segment.size == 0 {
        break;
    }
    left -= segment.size;
    count += 1;
}
count
