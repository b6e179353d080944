//! step_5_a caught by step_5: takes nobody for dead: a timer that never fires (R4.21)
let _ = member;
false
