//! step_1 caught by step_1: counts the sign bit as a large number (R2.2)
murmur2(key) as u32 % partitions
