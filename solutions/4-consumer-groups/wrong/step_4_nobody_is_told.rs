//! step_4_c caught by step_4: tells nobody who is in the group (R4.14)
let _ = (member, all);
Vec::new()
