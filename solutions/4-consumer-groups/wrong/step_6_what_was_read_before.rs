//! step_6_a caught by step_6: commits the record before (R4.27)
last.saturating_sub(1)
