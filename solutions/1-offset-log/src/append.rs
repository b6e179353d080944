//! A batch comes in, and gets its offset.

use crate::{Appended, Error, OffsetLog};

impl OffsetLog {
    /// Gives the batch the next offset and writes it at the end of the log.
    ///
    /// A producer does not know where its records will stand: it sends every batch with base offset 0. The log sets
    /// the batch's base offset (bytes 0 to 7) and its leader epoch (bytes 12 to 15), both big-endian. All other
    /// bytes stay as they came. If the write fails, the log is as it was.
    pub fn append(
        &mut self,
        now_ms: u64,
        leader_epoch: i32,
        batch: &mut [u8],
    ) -> Result<Appended, Error> {
        // STARTER: let _ = (now_ms, leader_epoch, batch);
        // STARTER: todo!("step 1: give the batch the next offset, and write it")
        // ANCHOR: step_1
        let header = crate::Batch::parse_whole(batch)?;
        let first = self.log_end;
        let last = first + u64::from(header.last_offset_delta);
        batch[0..8].copy_from_slice(&first.to_be_bytes());
        batch[12..16].copy_from_slice(&leader_epoch.to_be_bytes());
        let sealed = self.write(now_ms, batch)?;
        self.log_end = last + 1;
        Ok(Appended { first, last, sealed })
        // ANCHOR_END: step_1
    }
}
