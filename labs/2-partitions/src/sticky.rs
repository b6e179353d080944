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
        todo!("step 2: a partition for {bytes} bytes, of {available:?} by {random}")
    }
}
