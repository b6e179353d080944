//! step_5_b caught by step_5: what comes meanwhile must be read, too (R5.21)
let _ = in_per_s;
let gain_per_s = out_per_s;
match lag {
    0 => Some(0),
    _ if gain_per_s > 0.0 => Some((lag as f64 * 1000.0 / gain_per_s).ceil() as u64),
    _ => None,
}
