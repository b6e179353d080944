//! Records without a key stay together, so that batches get full.

use crate::Sticky;

impl Sticky {
    /// The partition for the next record without a key, which takes `bytes` bytes.
    ///
    /// Records go to one partition until at least `batch_size` bytes went there. The record after
    /// that goes to a new one: `random` draws it from `available`, which is never empty. It may draw
    /// the same partition again. Whoever calls gives a fresh random number each time; it counts only
    /// when a partition is drawn. (KIP-794, which has refined KIP-480.)
    pub fn partition(&mut self, bytes: u32, available: &[u32], random: u32) -> u32 {
        // STARTER: todo!("step 2: a partition for {bytes} bytes, of {available:?} by {random}")
        // ANCHOR: step_2
        let full = self.bytes >= u64::from(self.batch_size);
        let partition = match self.current {
            Some(current) if !full => current,
            _ => {
                self.bytes = 0;
                available[random as usize % available.len()]
            }
        };
        self.current = Some(partition);
        self.bytes += u64::from(bytes);
        partition
        // ANCHOR_END: step_2
    }
}
