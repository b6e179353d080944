//! After a crash: what is whole stays, what is torn goes.

use crate::{Error, OffsetLog, Recovery, Scan};

impl OffsetLog {
    /// Takes the batches of segment number `at` one by one, until one is damaged or the file ends.
    /// What is behind the last good batch is cut off, and so are the segments after it.
    ///
    /// `scan` gives a batch and its bytes as long as there is something of the shape of a whole
    /// batch. It cannot know whether the bytes are the ones that were written: the batch's CRC
    /// does. It is the CRC-32C of all bytes from `Batch::CRC_FROM` on. `keep` takes a good batch:
    /// it moves `self.log_end` and the segment's `size`.
    pub(crate) fn recover(
        &mut self,
        at: usize,
        mut scan: Scan,
        recovery: &mut Recovery,
    ) -> Result<(), Error> {
        // STARTER: let _ = (&mut scan, recovery);
        // STARTER: todo!("step 6: keep what is whole in segment number {at}, cut off the rest")
        // ANCHOR: step_6
        while let Some((batch, bytes)) = scan.next(&*self.dir)? {
            let crc = crc32c::crc32c(&bytes[crate::Batch::CRC_FROM..]);
            if crc != batch.crc || batch.base_offset < self.log_end {
                break;
            }
            self.keep(at, &batch);
            recovery.checked += 1;
        }
        let end = self.segments[at].size;
        if end < scan.len {
            self.dir.truncate(&scan.file, end)?;
            recovery.cut_bytes += scan.len - end;
            recovery.cut_bytes += self.remove_from(at + 1)?;
        }
        Ok(())
        // ANCHOR_END: step_6
    }
}
