//! step_4_a caught by step_4: takes the leader alone for enough (R3.12)
1
