//! The settings, under Kafka's names and with Kafka's defaults. `None` is Kafka's -1: no limit.

/// A topic's settings, as far as its log needs them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `segment.bytes`: a segment that would grow beyond this is sealed. At most 2 GiB - 1 counts.
    pub segment_bytes: u64,
    /// `segment.ms`: a segment that spans more than this is sealed.
    pub segment_ms: u64,
    /// `index.interval.bytes`: how many bytes of batches pass, at least, between two index entries.
    pub index_interval_bytes: u64,
    /// `retention.ms`: how old the newest record of a segment may grow.
    pub retention_ms: Option<u64>,
    /// `retention.bytes`: how much of a partition is kept, at least, when older segments go.
    pub retention_bytes: Option<u64>,
    /// `log.retention.check.interval.ms`: how long `deadline` waits after a tick that left
    /// something behind.
    pub retention_check_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        const DAY_MS: u64 = 24 * 60 * 60 * 1000;
        Config {
            segment_bytes: 1 << 30,
            segment_ms: 7 * DAY_MS,
            index_interval_bytes: 4096,
            retention_ms: Some(7 * DAY_MS),
            retention_bytes: None,
            retention_check_ms: 5 * 60 * 1000,
        }
    }
}
