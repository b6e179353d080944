//! step_1 caught by step_1: sends an empty key to partition 0, as if it were none (R2.2)
if key.is_empty() {
    return 0;
}
let positive = murmur2(key) & i32::MAX;
positive as u32 % partitions
