//! step_1 caught by step_1: gives the one more to one member too many (R4.1 R4.2)
let (each, more) = (partitions / members, partitions % members);
let start = place * each + place.min(more);
let count = if place <= more { each + 1 } else { each };
start..start + count
