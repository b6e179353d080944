//! The clock, read once a turn.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::node::Now;

/// The most that waiting time moves on in one turn. When the machine slept, or the disk stood still,
/// the others get a chance to be heard before their time is up.
const MOST_A_TURN: Duration = Duration::from_secs(1);

pub struct Clock {
    read: Instant,
    mono: Duration,
}

#[allow(clippy::disallowed_methods, reason = "this is the one place that reads the time")]
impl Clock {
    pub fn new() -> Self {
        Self { read: Instant::now(), mono: Duration::ZERO }
    }

    pub fn now(&mut self) -> Now {
        let read = Instant::now();
        self.mono += (read - self.read).min(MOST_A_TURN);
        self.read = read;
        // A clock before 1970 is a broken clock; the broker goes on all the same.
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { mono_ms: self.mono.as_millis() as u64, wall_ms: wall.as_millis() as u64 }
    }

    /// How long to sleep for a deadline. Never longer than a turn may move the time.
    pub fn until(&self, mono_ms: u64) -> Duration {
        Duration::from_millis(mono_ms).saturating_sub(self.mono).min(MOST_A_TURN)
    }
}
