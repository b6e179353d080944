//! Which partition takes a message? The same answer as Kafka's own producers give.

/// A message with a key: `toPositive(murmur2(key)) % partitions`, so equal keys meet again.
pub fn for_key(key: &[u8], partitions: u32) -> u32 {
    (murmur2(key) & 0x7fff_ffff) as u32 % partitions
}

/// Messages without a key stay with one partition until about a batch's worth has gone there
/// (KIP-794): full batches instead of many small ones.
#[derive(Debug)]
pub struct Sticky {
    partition: u32,
    bytes: usize,
    batch_size: usize,
}

impl Sticky {
    pub fn new(first: u32, batch_size: usize) -> Self {
        Sticky { partition: first, bytes: 0, batch_size }
    }

    /// The partition for the next message of `bytes`.
    pub fn partition(&mut self, bytes: usize, partitions: u32) -> u32 {
        if self.bytes >= self.batch_size {
            self.partition = self.partition.wrapping_add(1);
            self.bytes = 0;
        }
        self.bytes += bytes;
        self.partition % partitions
    }
}

/// The hash of Kafka's Java clients: `Utils.murmur2`.
pub fn murmur2(bytes: &[u8]) -> i32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c ^ bytes.len() as u32;
    let mut words = bytes.chunks_exact(4);
    for word in &mut words {
        let mut word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(M);
        word = (word ^ (word >> 24)).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ word;
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        for (index, &byte) in rest.iter().enumerate() {
            hash ^= u32::from(byte) << (8 * index);
        }
        hash = hash.wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    (hash ^ (hash >> 15)) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded from `org.apache.kafka.common.utils.Utils` 4.1.1.
    #[test]
    fn keys_go_where_kafka_sends_them() {
        for (key, hash, of_four) in [
            ("21", -973_932_308, 0),
            ("foobar", -790_332_482, 2),
            ("a-little-bit-long-string", -985_981_536, 0),
            ("", 275_646_681, 1),
            ("user-1", 1_404_122_828, 0),
        ] {
            assert_eq!(murmur2(key.as_bytes()), hash, "{key}");
            assert_eq!(for_key(key.as_bytes(), 4), of_four, "{key}");
        }
    }

    #[test]
    fn messages_without_a_key_move_on_after_a_batch() {
        let mut sticky = Sticky::new(0, 100);
        let partitions: Vec<u32> = (0..8).map(|_| sticky.partition(40, 3)).collect();
        assert_eq!(partitions, [0, 0, 0, 1, 1, 1, 2, 2]);
    }
}
