//! A key decides on the partition, and nothing else does.

use crate::murmur2;

/// The partition of a record with a key, of `partitions` there are (at least 1): numbers from 0 on.
///
/// The key's hash, its sign bit cleared, modulo the number of partitions. So equal keys meet in one
/// partition, whoever sends them, as long as all take this hash and know the same number.
/// An empty key is a key like any other. (Kafka: `BuiltInPartitioner.partitionForKey`.)
pub fn for_key(key: &[u8], partitions: u32) -> u32 {
    todo!("step 1: the partition of {key:?} among {partitions}, by {}", murmur2(key))
}
