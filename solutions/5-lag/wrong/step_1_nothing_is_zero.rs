//! step_1_a caught by step_1: where nothing is committed there is no lag, and not 0 (R5.2)
Some(committed.map_or(0, |committed| log_end as i64 - committed as i64))
