//! step_1_a caught by step_1: a lag may be below zero (R5.3)
Some(log_end.saturating_sub(committed?) as i64)
