//! step_1 caught by step_1: gives all that is left over to the first one (R4.1)
let (each, more) = (partitions / members, partitions % members);
let start = if place == 0 { 0 } else { place * each + more };
start..(place + 1) * each + more
