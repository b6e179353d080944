//! step_5_a caught by step_5: without time between the looks there is no rate (R5.20)
let ms = last.at_ms.checked_sub(first.at_ms)?;
Some((last.offset as f64 - first.offset as f64) * 1000.0 / ms as f64)
