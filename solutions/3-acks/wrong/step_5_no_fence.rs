//! step_5_b caught by step_5: lets everybody pass (R3.16)
let _ = epoch;
Ok(())
