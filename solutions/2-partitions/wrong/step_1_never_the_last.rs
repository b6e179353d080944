//! step_1 caught by step_1: divides by one too few, so the last partition stays empty (R2.2)
let positive = murmur2(key) & i32::MAX;
positive as u32 % (partitions - 1).max(1)
