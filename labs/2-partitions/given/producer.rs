//! What a producer does with each record: one with a key goes where the key says, one without goes
//! where the last one went, until a batch is full.

use crate::for_key;

/// Where records without a key go.
///
/// Invariant: `bytes` is what went to `current` since it was drawn.
#[derive(Clone, Debug)]
pub struct Sticky {
    /// How many bytes a partition gets before the next one is drawn: Kafka's `batch.size`.
    pub(crate) batch_size: u32,
    /// The partition of now; none before the first record.
    pub(crate) current: Option<u32>,
    pub(crate) bytes: u64,
}

impl Sticky {
    /// `batch_size` is in bytes, and at least 1.
    pub fn new(batch_size: u32) -> Self {
        Self { batch_size, current: None, bytes: 0 }
    }
}

/// The partitioner of one producer for one topic.
#[derive(Clone, Debug)]
pub struct Partitioner {
    sticky: Sticky,
}

impl Partitioner {
    pub fn new(batch_size: u32) -> Self {
        Self { sticky: Sticky::new(batch_size) }
    }

    /// The partition of one record, of `partitions` there are. `available` are those that have a
    /// leader right now, and never none: if none has, it is all of them. A key does not ask who is
    /// available: its partition is the only one where its order holds.
    pub fn partition(
        &mut self,
        key: Option<&[u8]>,
        bytes: u32,
        partitions: u32,
        available: &[u32],
        random: u32,
    ) -> u32 {
        match key {
            Some(key) => for_key(key, partitions),
            None => self.sticky.partition(bytes, available, random),
        }
    }
}
