//! What a leader refuses, with what was expected and what came.

/// Why the leader refused. The broker turns each into one of Kafka's error codes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Kafka's NOT_ENOUGH_REPLICAS (19): nothing was appended.
    #[error("{in_sync} in sync, and acks=all needs {min}")]
    NotEnoughReplicas { in_sync: usize, min: usize },
    /// Kafka's FENCED_LEADER_EPOCH (74): whoever asks has missed an election.
    #[error("leader epoch {got} is over: this leader has epoch {current}")]
    FencedLeaderEpoch { current: i32, got: i32 },
    /// Kafka's UNKNOWN_LEADER_EPOCH (75): this leader has missed an election.
    #[error("leader epoch {got} is not known yet: this leader has epoch {current}")]
    UnknownLeaderEpoch { current: i32, got: i32 },
    /// Only the partition's other replicas are followers.
    #[error(
        "broker {follower} is no follower here: the replicas are {replicas:?}, led by {leader}"
    )]
    NotAReplica { follower: i32, leader: i32, replicas: Vec<i32> },
    /// Kafka's OFFSET_OUT_OF_RANGE (1): a follower cannot have what its leader does not have.
    #[error("offset {from} is past the log end {log_end}")]
    OffsetOutOfRange { from: u64, log_end: u64 },
}
