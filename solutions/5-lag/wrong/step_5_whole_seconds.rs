//! step_5_a caught by step_5: less than a second is time, too (R5.20)
let s = last.at_ms.checked_sub(first.at_ms).map(|ms| ms / 1000).filter(|s| *s > 0)?;
Some((last.offset as f64 - first.offset as f64) / s as f64)
