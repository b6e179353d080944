//! step_1 caught by step_1: gives whoever would be idle the first partition (R4.2 R4.3)
let (each, more) = (partitions / members, partitions % members);
let start = place * each + place.min(more);
let count = if place < more { each + 1 } else { each };
if count == 0 && partitions > 0 { 0..1 } else { start..start + count }
