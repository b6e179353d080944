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
        todo!("step 2: find the batches from {offset} to {below}, {max_bytes} bytes of them")
    }
}
