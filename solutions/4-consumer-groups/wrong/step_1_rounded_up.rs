//! step_1 caught by step_1: gives as many as can be to the first ones, so that the last get too little (R4.1)
let each = partitions.div_ceil(members);
(place * each).min(partitions)..((place + 1) * each).min(partitions)
