//! step_3_a caught by step_3: throws nobody out (R3.8)
let _ = follower;
false
