//! The sparse index: for some batches, where they stand, so that a search need not begin at the
//! front.

use crate::{Batch, Entry, Error, Index};

/// The index entry for a batch at `position` in the segment with base offset `base`, as it stands
/// in the file: four bytes for the batch's **last** offset, relative to the base, then four for its
/// position, both big-endian.
pub(crate) fn entry(base: u64, batch: &Batch, position: u64) -> [u8; 8] {
    // STARTER: todo!("step 4: the entry for {batch:?} at {position}, relative to {base}")
    // ANCHOR: step_4_a
    let mut entry = [0; 8];
    let relative = (batch.last_offset() - base) as u32;
    entry[..4].copy_from_slice(&relative.to_be_bytes());
    entry[4..].copy_from_slice(&(position as u32).to_be_bytes());
    entry
    // ANCHOR_END: step_4_a
}

/// The best entry to begin a search for `offset` with: the last one whose offset is not greater;
/// `None` if there is none.
///
/// `index.len()` entries, `index.get(n)?` is the n-th; their offsets grow.
pub(crate) fn nearest(index: &Index, offset: u64) -> Result<Option<Entry>, Error> {
    // STARTER: todo!("step 4: the last of {} entries at or before {offset}", index.len())
    // ANCHOR: step_4_b
    let (mut low, mut high) = (0, index.len());
    while low < high {
        let middle = (low + high) / 2;
        if index.get(middle)?.offset <= offset {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if low == 0 { Ok(None) } else { index.get(low - 1).map(Some) }
    // ANCHOR_END: step_4_b
}
