//! step_3_b caught by step_3: lets anybody join who fetches (R3.10)
follower.log_end.is_some()
