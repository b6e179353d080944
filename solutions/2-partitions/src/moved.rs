//! What happens to the keys when a topic gets more partitions.

use crate::for_key;

/// How many of `keys` have another partition among `after` partitions than among `before`. A key
/// that stands in the list twice counts twice.
pub fn moved(keys: &[&[u8]], before: u32, after: u32) -> usize {
    // STARTER: let _ = for_key;
    // STARTER: todo!("step 3: count which of {} keys move from {before} to {after}", keys.len())
    // ANCHOR: step_3
    keys.iter().filter(|key| for_key(key, before) != for_key(key, after)).count()
    // ANCHOR_END: step_3
}
