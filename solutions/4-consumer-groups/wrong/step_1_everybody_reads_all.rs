//! step_1 caught by step_1: gives everybody everything (R4.1 R4.2)
let _ = (members, place);
0..partitions
