//! step_6_a caught by step_6: commits the last record that was read instead of the next one (R4.27)
last
