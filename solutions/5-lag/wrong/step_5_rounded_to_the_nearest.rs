//! step_5_b caught by step_5: rounded up: a millisecond earlier not all is read (R5.21)
let gain_per_s = out_per_s - in_per_s;
match lag {
    0 => Some(0),
    _ if gain_per_s > 0.0 => Some((lag as f64 * 1000.0 / gain_per_s).round() as u64),
    _ => None,
}
