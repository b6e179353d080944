//! step_5_b caught by step_5: lag 0 is worked off, at any rates (R5.21)
let gain_per_s = out_per_s - in_per_s;
(gain_per_s > 0.0).then(|| (lag as f64 * 1000.0 / gain_per_s).ceil() as u64)
