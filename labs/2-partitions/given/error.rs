//! What can go wrong when partitions are placed.

/// Why nothing was placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Two replicas on one broker would die together, so there cannot be more of them than brokers.
    #[error("{wanted} replicas of a partition on {brokers} brokers: expected 1 to {brokers}")]
    Replicas { wanted: u16, brokers: usize },
}
