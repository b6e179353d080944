//! The log is cut into segments, so that old records can go by removing a file.

use crate::{Error, OffsetLog};

impl OffsetLog {
    /// Begins a new active segment whose first batch will have offset `next`, and returns the base
    /// offset of the segment that is sealed by that.
    ///
    /// Called when a batch does not fit into `segment.bytes` any more (and when `segment.ms` is
    /// over).
    pub(crate) fn roll(&mut self, next: u64) -> Result<u64, Error> {
        // STARTER: todo!("step 3: begin a new segment at {next}")
        // ANCHOR: step_3_a
        let sealed = self.active().base;
        self.seal()?;
        let segment = crate::Segment::new(next);
        for file in segment.files() {
            self.dir.append(file, &[])?;
        }
        self.segments.push(segment);
        Ok(sealed)
        // ANCHOR_END: step_3_a
    }

    /// The number (in `self.segments`, which is in order) of the segment in which to look for an
    /// offset: the last one that does not begin after it.
    pub(crate) fn find(&self, offset: u64) -> usize {
        if self.segments.len() == 1 {
            return 0;
        }
        // STARTER: todo!("step 3: find the segment for {offset}")
        // ANCHOR: step_3_b
        let after = self.segments.partition_point(|segment| segment.base <= offset);
        after.saturating_sub(1)
        // ANCHOR_END: step_3_b
    }
}
