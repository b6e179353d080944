//! step_5_a caught by step_5: without time between the looks there is no rate, and not 0 (R5.20)
let ms = last.at_ms.saturating_sub(first.at_ms).max(1);
if last.at_ms <= first.at_ms {
    return Some(0.0);
}
Some((last.offset as f64 - first.offset as f64) * 1000.0 / ms as f64)
