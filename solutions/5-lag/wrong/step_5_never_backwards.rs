//! step_5_a caught by step_5: a rate may be below zero (R5.20)
let ms = last.at_ms.checked_sub(first.at_ms).filter(|ms| *ms > 0)?;
Some(last.offset.saturating_sub(first.offset) as f64 * 1000.0 / ms as f64)
