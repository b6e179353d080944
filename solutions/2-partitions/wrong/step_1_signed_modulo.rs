//! step_1 caught by step_1: divides the hash with its sign, so half of the keys get no partition there is (R2.2)
(murmur2(key) % partitions as i32) as u32
