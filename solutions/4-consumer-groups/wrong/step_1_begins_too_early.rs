//! step_1 caught by step_1: forgets that those before have one more (R4.1 R4.2)
let (each, more) = (partitions / members, partitions % members);
let start = place * each;
let count = if place < more { each + 1 } else { each };
start..start + count
