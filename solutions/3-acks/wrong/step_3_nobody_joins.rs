//! step_3_b caught by step_3: lets nobody join (R3.10)
let _ = follower;
false
