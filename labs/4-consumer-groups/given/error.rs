//! What a group refuses, under Kafka's names, with what was expected and what came.

/// Why a request was refused. The broker turns each into Kafka's code, which stands behind it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// UNKNOWN_MEMBER_ID (25)
    #[error("unknown member id {member:?}: it never joined, has left, or was taken for dead")]
    UnknownMemberId { member: String },
    /// ILLEGAL_GENERATION (22)
    #[error("illegal generation {got}: the group is at generation {current}")]
    IllegalGeneration { current: i32, got: i32 },
    /// REBALANCE_IN_PROGRESS (27)
    #[error("rebalance in progress: join again")]
    RebalanceInProgress,
    /// MEMBER_ID_REQUIRED (79)
    #[error("member id required: join again as {member:?}")]
    MemberIdRequired { member: String },
    /// FENCED_INSTANCE_ID (82)
    #[error("fenced: group.instance.id {instance:?} is {current:?} by now, not {got:?}")]
    FencedInstanceId { instance: String, current: String, got: String },
    /// INCONSISTENT_GROUP_PROTOCOL (23)
    #[error("inconsistent group protocol: all speak {all:?}, and not one of {got:?}")]
    InconsistentGroupProtocol { all: Vec<String>, got: Vec<String> },
    /// INVALID_SESSION_TIMEOUT (26)
    #[error("invalid session timeout {got} ms: it must be {min} to {max} ms")]
    InvalidSessionTimeout { min: u64, max: u64, got: u64 },
    /// GROUP_MAX_SIZE_REACHED (81)
    #[error("the group has its {max} members")]
    GroupMaxSizeReached { max: usize },
    /// COORDINATOR_NOT_AVAILABLE (15)
    #[error("coordinator not available: ask again")]
    CoordinatorNotAvailable,
    /// NOT_COORDINATOR (16)
    #[error("not coordinator: the group has moved to another broker")]
    NotCoordinator,
}
