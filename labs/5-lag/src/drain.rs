//! When will it be over?

use crate::Sample;

/// Records a second, from the first look to the last. `None` as long as no time has passed between them. It may be
/// below zero: a group goes back, a log is cut.
pub fn rate(samples: &[Sample]) -> Option<f64> {
    let (first, last) = (samples.first()?, samples.last()?);
    todo!("step 5: records a second from {first:?} to {last:?}")
}

/// How many milliseconds until `lag` records are read, if `in_per_s` records a second come and `out_per_s` are read;
/// rounded up. `None` if it will never be: no more are read than come.
pub fn drain_ms(lag: u64, in_per_s: f64, out_per_s: f64) -> Option<u64> {
    todo!("step 5: how long for {lag} records at {in_per_s} in and {out_per_s} out")
}
