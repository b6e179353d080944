//! When will it be over?

use crate::Sample;

/// Records a second, from the first look to the last. `None` as long as no time has passed between them. It may be
/// below zero: a group goes back, a log is cut.
pub fn rate(samples: &[Sample]) -> Option<f64> {
    let (first, last) = (samples.first()?, samples.last()?);
    // STARTER: todo!("step 5: records a second from {first:?} to {last:?}")
    // ANCHOR: step_5_a
    let ms = last.at_ms.checked_sub(first.at_ms).filter(|ms| *ms > 0)?;
    let records = last.offset as f64 - first.offset as f64;
    Some(records * 1000.0 / ms as f64)
    // ANCHOR_END: step_5_a
}

/// How many milliseconds until `lag` records are read, if `in_per_s` records a second come and `out_per_s` are read;
/// rounded up. `None` if it will never be: no more are read than come.
pub fn drain_ms(lag: u64, in_per_s: f64, out_per_s: f64) -> Option<u64> {
    // STARTER: todo!("step 5: how long for {lag} records at {in_per_s} in and {out_per_s} out")
    // ANCHOR: step_5_b
    let gain_per_s = out_per_s - in_per_s;
    match lag {
        0 => Some(0),
        _ if gain_per_s > 0.0 => Some((lag as f64 * 1000.0 / gain_per_s).ceil() as u64),
        _ => None,
    }
    // ANCHOR_END: step_5_b
}
