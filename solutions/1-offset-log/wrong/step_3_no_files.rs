//! step_3_a caught by step_3_a_batch: makes no files, so nobody who looks at the directory sees that a segment has begun (R1.8)
let sealed = self.active().base;
self.seal()?;
let segment = crate::Segment::new(next);
self.segments.push(segment);
Ok(sealed)
