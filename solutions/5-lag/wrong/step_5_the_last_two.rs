//! step_5_a caught by step_5: from the first look to the last (R5.20)
let _ = first;
let before = samples.get(samples.len().checked_sub(2)?)?;
let ms = last.at_ms.checked_sub(before.at_ms).filter(|ms| *ms > 0)?;
Some((last.offset as f64 - before.offset as f64) * 1000.0 / ms as f64)
