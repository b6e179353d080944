//! step_1 caught by step_1: gives all that is left over to the last one (R4.1)
let each = partitions / members;
let end = if place + 1 == members { partitions } else { (place + 1) * each };
place * each..end
