//! The settings, under Kafka's names and with Kafka's defaults.

/// The settings of a group coordinator that its groups need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `group.min.session.timeout.ms`
    pub min_session_timeout_ms: u64,
    /// `group.max.session.timeout.ms`
    pub max_session_timeout_ms: u64,
    /// `group.max.size`
    pub max_size: usize,
    /// `group.initial.rebalance.delay.ms`: how long the first round of an empty group stays open, so
    /// that consumers that start together come into one generation together.
    pub initial_rebalance_delay_ms: u64,
    /// How long a newcomer's first join may take. No setting in Kafka, and five minutes there: who
    /// has no member id yet cannot send heartbeats.
    pub new_member_join_timeout_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            min_session_timeout_ms: 6_000,
            max_session_timeout_ms: 1_800_000,
            max_size: i32::MAX as usize,
            initial_rebalance_delay_ms: 3_000,
            new_member_join_timeout_ms: 300_000,
        }
    }
}
