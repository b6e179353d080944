//! step_6_a caught by step_6: commits one too many (R4.27)
last + 2
