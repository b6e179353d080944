//! step_1 caught by step_1: counts places from 1 (R4.1 R4.2)
let (each, more) = (partitions / members, partitions % members);
let place = place + 1;
let start = place * each + place.min(more);
let count = if place < more { each + 1 } else { each };
start..start + count
