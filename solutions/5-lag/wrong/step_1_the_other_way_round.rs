//! step_1_a caught by step_1: it is end minus committed (R5.1)
Some(committed? as i64 - log_end as i64)
