//! step_5_a caught by step_5: a second has 1000 milliseconds (R5.20)
let ms = last.at_ms.checked_sub(first.at_ms).filter(|ms| *ms > 0)?;
Some((last.offset as f64 - first.offset as f64) / ms as f64)
