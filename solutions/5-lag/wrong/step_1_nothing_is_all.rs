//! step_1_a caught by step_1: where nothing is committed there is no lag, and not the whole log (R5.2)
Some(log_end as i64 - committed.unwrap_or(0) as i64)
