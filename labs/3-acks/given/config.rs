//! What a producer may ask for, and the settings, under Kafka's names and with Kafka's defaults.

/// `acks`: what a producer wants to have happened before it is told that its batch is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Acks {
    /// `acks=0`: nothing. No answer is even sent.
    None,
    /// `acks=1`: the leader has appended it.
    Leader,
    /// `acks=all`, on the wire −1: every replica in sync has it.
    All,
}

impl Acks {
    /// The number on the wire. Kafka refuses all others with INVALID_REQUIRED_ACKS (21).
    pub fn from_wire(acks: i16) -> Option<Self> {
        match acks {
            0 => Some(Acks::None),
            1 => Some(Acks::Leader),
            -1 => Some(Acks::All),
            _ => None,
        }
    }
}

/// The settings of one partition, as far as its leader needs them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `min.insync.replicas`: how many replicas must be in sync for `acks=all`, the leader
    /// included.
    pub min_in_sync: u32,
    /// `replica.lag.time.max.ms`: how long a follower may be behind and still count as in sync.
    pub lag_time_max_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config { min_in_sync: 1, lag_time_max_ms: 30_000 }
    }
}
