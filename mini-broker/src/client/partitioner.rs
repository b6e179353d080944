//! Which partition takes a message? The organ of lab 2 decides, behind its fence.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

use super::Error;
use crate::labs::partitions::Partitioner as OrganPartitioner;
use crate::labs::{self, Organ};

/// Decides for one producer and one topic.
pub struct Partitioner {
    organ: Organ<OrganPartitioner>,
    /// Where a message without a key goes next is left to chance.
    chance: Pcg64,
    /// All partitions: of those without a leader the producer learns only when it sends.
    available: Vec<u32>,
}

impl Partitioner {
    /// Messages without a key stay with one partition for `batch_size` bytes.
    pub fn new(batch_size: usize, seed: u64) -> Self {
        let batch_size = u32::try_from(batch_size).unwrap_or(u32::MAX).max(1);
        Self {
            organ: Organ::new(OrganPartitioner::new(batch_size)),
            chance: Pcg64::new(seed.into(), 0x4b1d),
            available: Vec::new(),
        }
    }

    /// The partition, of `partitions`, for a message of `bytes` bytes.
    pub fn partition(
        &mut self,
        key: Option<&[u8]>,
        bytes: usize,
        partitions: u32,
    ) -> Result<i32, Error> {
        if self.available.len() != partitions as usize {
            self.available = (0..partitions).collect();
        }
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let (available, random) = (&self.available, self.chance.next_u32());
        let chosen = self
            .organ
            .call(|organ| organ.partition(key, bytes, partitions, available, random))
            .map_err(|broken| Error::Organ(labs::told("partitions", &broken)))?;
        if chosen >= partitions {
            return Err(Error::Organ(format!(
                "the lab partitions chose partition {chosen}; there are 0 to {}",
                partitions - 1
            )));
        }
        Ok(chosen as i32)
    }
}
