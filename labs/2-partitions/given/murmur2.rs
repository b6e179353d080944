//! The hash of Kafka's Java clients, `Utils.murmur2`: any bytes become 32 bits that look like chance
//! and are the same on every machine, today and in ten years.

/// The hash of a key. Half of all hashes are negative, as in Java.
///
/// It is MurmurHash2 by Austin Appleby, with the seed that Kafka has chosen. Four bytes at a time are
/// multiplied and mixed; every bit of the key changes about half of the bits of the result.
pub fn murmur2(key: &[u8]) -> i32 {
    const SEED: u32 = 0x9747_b28c;
    const M: u32 = 0x5bd1_e995;
    let mut hash = SEED ^ key.len() as u32;
    let mut words = key.chunks_exact(4);
    for word in &mut words {
        let mut word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(M);
        word = (word ^ (word >> 24)).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ word;
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        for (n, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * n);
        }
        hash = hash.wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    (hash ^ (hash >> 15)) as i32
}
