//! Records go when they are old or take too much room, whether anybody has read them or not. They
//! go by the segment.

use crate::{Error, OffsetLog};

impl OffsetLog {
    /// Removes the oldest segments that have been kept long enough, moves the start of the log
    /// behind them, and returns their base offsets. Nothing at or past the high watermark is
    /// removed.
    pub fn tick(&mut self, now_ms: u64, high_watermark: u64) -> Result<Vec<u64>, Error> {
        self.heal()?;
        self.ticked_ms = Some(now_ms);
        let oldest = &self.segments[0];
        let old = self.config.retention_ms.is_some_and(|ms| oldest.is_older_than(ms, now_ms));
        let large = self.config.retention_bytes.is_some_and(|limit| self.size() > limit);
        if !old && !large {
            return Ok(Vec::new());
        }
        let count = self.expired(now_ms, high_watermark);
        self.remove_oldest(count)
    }

    /// How many of the oldest segments may go, by `retention.ms` or by `retention.bytes`.
    ///
    /// By time: when the newest record in the segment is older than `retention_ms`. By size: when
    /// at least `retention_bytes` are left without it. The first segment that must stay keeps all
    /// behind it, and so does an empty one. `self.end_of(n)` is the offset at which segment number
    /// `n` ends.
    fn expired(&self, now_ms: u64, high_watermark: u64) -> usize {
        // STARTER: todo!("step 5: count the segments to remove at {now_ms}, below {high_watermark}")
        // ANCHOR: step_5
        let mut left = self.size();
        let mut count = 0;
        for segment in &self.segments {
            let old = self.config.retention_ms.is_some_and(|ms| segment.is_older_than(ms, now_ms));
            let large = self.config.retention_bytes.is_some_and(|keep| left - segment.size >= keep);
            if !(old || large) || segment.size == 0 || self.end_of(count) > high_watermark {
                break;
            }
            left -= segment.size;
            count += 1;
        }
        count
        // ANCHOR_END: step_5
    }
}
