//! step_1_a caught by step_1: committed is the next offset, not the last one read (R5.1)
Some(log_end as i64 - committed? as i64 - 1)
