//! step_1 caught by step_1: counts partitions from 1 (R2.2)
let positive = murmur2(key) & i32::MAX;
positive as u32 % partitions + 1
