//! step_1_a caught by step_1: it is a distance, whichever is greater (R5.3)
Some(log_end.abs_diff(committed?) as i64)
