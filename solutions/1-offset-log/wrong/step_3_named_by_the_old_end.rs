//! step_3_a caught by step_3: names the segment by where the log ended, not by the first batch in it (R1.8)
let sealed = self.active().base;
self.seal()?;
let segment = crate::Segment::new(next.min(self.log_end));
for file in segment.files() {
    self.dir.append(file, &[])?;
}
self.segments.push(segment);
Ok(sealed)
