//! step_3_a caught by step_3_a_batch: begins the new segment and leaves the old one without the last entry of its time index (R1.8)
let sealed = self.active().base;
let segment = crate::Segment::new(next);
for file in segment.files() {
    self.dir.append(file, &[])?;
}
self.segments.push(segment);
Ok(sealed)
