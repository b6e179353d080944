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
        let _ = (now_ms, leader_epoch, batch);
        todo!("step 1: give the batch the next offset, and write it")
    }
}
