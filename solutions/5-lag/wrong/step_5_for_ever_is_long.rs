//! step_5_b caught by step_5: what never ends has no end (R5.22)
let gain_per_s = out_per_s - in_per_s;
if lag == 0 { Some(0) } else { Some((lag as f64 * 1000.0 / gain_per_s).ceil() as u64) }
