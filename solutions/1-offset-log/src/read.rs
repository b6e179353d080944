//! A consumer names an offset, and learns where the bytes are.

use crate::{Error, OffsetLog, Slice};

impl OffsetLog {
    /// Where to find the batches from `offset` on: whole batches, in one segment, as many as fit
    /// into `max_bytes`.
    ///
    /// The first batch is the one that holds `offset`, or the next after it if there is a gap. It
    /// comes even if it is larger than `max_bytes`. Only offsets before `below`, the high
    /// watermark, are given out. No bytes are copied: whoever asked sends them from the file.
    ///
    /// `self.batches(offset)?` gives the batches in order, each as `Result<(Slice, Batch), Error>`
    /// with its own place. It begins somewhere at or before `offset`, and goes on into the next
    /// segments.
    pub fn read(&self, offset: u64, below: u64, max_bytes: u32) -> Result<Slice, Error> {
        // STARTER: todo!("step 2: find the batches from {offset} to {below}, {max_bytes} bytes of them")
        // ANCHOR: step_2
        let (log_start, log_end) = (self.log_start, self.log_end);
        if offset < log_start || offset > log_end {
            return Err(Error::OffsetOutOfRange { offset, log_start, log_end });
        }
        let mut slice = Slice::empty(offset);
        for found in self.batches(offset)? {
            let (place, batch) = found?;
            if batch.last_offset() < offset {
                continue;
            }
            let fits = place.segment == slice.segment && slice.len + place.len <= max_bytes;
            if batch.last_offset() >= below || (slice.len > 0 && !fits) {
                break;
            }
            slice =
                if slice.len == 0 { place } else { Slice { len: slice.len + place.len, ..slice } };
        }
        Ok(slice)
        // ANCHOR_END: step_2
    }
}
