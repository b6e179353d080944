//! step_1 caught by step_1: takes the length of the key for its hash (R2.2)
let _ = murmur2(key);
key.len() as u32 % partitions
