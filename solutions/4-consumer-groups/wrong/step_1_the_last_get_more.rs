//! step_1 caught by step_1: gives what is left over to the last members (R4.1)
let (each, more) = (partitions / members, partitions % members);
let even = members - more;
let start = place * each + place.saturating_sub(even);
let count = if place >= even { each + 1 } else { each };
start..start + count
