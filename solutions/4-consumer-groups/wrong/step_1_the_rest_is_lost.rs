//! step_1 caught by step_1: forgets what does not come out even (R4.1 R4.2)
let each = partitions / members;
place * each..(place + 1) * each
