//! The log itself, and what it says about itself.

use crate::segment::Segment;
use crate::{Config, Dir};

/// One partition's log.
///
/// Invariants: `log_start <= log_end`. There is always a segment. Segments are in order of their
/// base offsets; the last one is the active one, and only it grows.
pub struct OffsetLog {
    pub(crate) dir: Box<dyn Dir>,
    pub(crate) config: Config,
    pub(crate) segments: Vec<Segment>,
    /// The first offset that may be read.
    pub(crate) log_start: u64,
    /// The log end offset: the one that the next record gets.
    pub(crate) log_end: u64,
    /// A write failed, and the files may hold bytes that memory does not know of.
    pub(crate) unsettled: bool,
    /// When `tick` last looked.
    pub(crate) ticked_ms: Option<u64>,
}

/// Where to find batches: `len` bytes from `position` on in the `.log` file of the segment with
/// base offset `segment`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    pub segment: u64,
    pub position: u64,
    pub len: u32,
    /// The base offset of the first batch. Its first records may be older than what was asked for:
    /// clients skip them.
    pub first: u64,
}

impl Slice {
    /// No batches, so no place either: there is nothing to give out from `offset` on.
    pub fn empty(offset: u64) -> Self {
        Slice { segment: 0, position: 0, len: 0, first: offset }
    }
}

/// What an append did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The offset of the first record.
    pub first: u64,
    /// The offset of the last record.
    pub last: u64,
    /// The segment that was sealed to make room, the last one if there were several.
    pub sealed: Option<u64>,
}

impl OffsetLog {
    /// The first offset that may be read.
    pub fn log_start(&self) -> u64 {
        self.log_start
    }

    /// The offset that the next record gets.
    pub fn log_end(&self) -> u64 {
        self.log_end
    }

    /// Bytes of batches in all segments.
    pub fn size(&self) -> u64 {
        self.segments.iter().map(|segment| segment.size).sum()
    }

    /// The segments, oldest first. The last one is active, the others are sealed.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Takes new settings while the log is open. They count from the next append (`segment.bytes`,
    /// `segment.ms`, `index.interval.bytes`) and the next `tick` (`retention.ms`, `retention.bytes`)
    /// on; what was written or removed before stays so. The deadline may be another one now. (Kafka:
    /// `UnifiedLog.updateConfig`.)
    pub fn configure(&mut self, config: Config) {
        self.config = config;
    }

    /// Where segment number `at` ends: the next one begins there, or the next record will stand
    /// there.
    pub(crate) fn end_of(&self, at: usize) -> u64 {
        self.segments.get(at + 1).map_or(self.log_end, |next| next.base)
    }

    /// When `tick` has something to do: at once if an index must be written anew or there is too
    /// much, later when the oldest segment grows too old. What a tick could not do is tried again
    /// after `retention_check_ms`.
    pub fn deadline(&self) -> Option<u64> {
        let oldest = &self.segments[0];
        let lied = self.segments.iter().any(|segment| segment.lied.get());
        let too_large = self.config.retention_bytes.is_some_and(|limit| {
            oldest.size > 0 && self.size() >= limit.saturating_add(oldest.size)
        });
        let too_old_ms = self.config.retention_ms.and_then(|ms| {
            u64::try_from(oldest.newest.0)
                .ok()
                .map(|newest| newest.saturating_add(ms).saturating_add(1))
        });
        let due_ms = if lied || too_large { Some(0) } else { too_old_ms }?;
        match self.ticked_ms {
            Some(ticked_ms) if due_ms <= ticked_ms => {
                Some(ticked_ms + self.config.retention_check_ms)
            }
            _ => Some(due_ms),
        }
    }
}
