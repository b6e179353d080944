//! step_3_b caught by step_3: wants more than everything below the high watermark (R3.10)
match follower.log_end {
    Some(log_end) => log_end > self.high_watermark && log_end >= self.epoch_start,
    None => false,
}
