//! The one table from what went wrong inside to Kafka's code outside.

use std::io;

use wire::ErrorCode;

use crate::labs::{Broken, acks, consumer_groups, offset_log, partitions};

/// Why a request, or its part for one partition, was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub code: ErrorCode,
    pub why: String,
}

impl Refused {
    pub fn new(code: ErrorCode, why: impl Into<String>) -> Self {
        Self { code, why: why.into() }
    }

    pub fn unknown_partition(topic: &str, index: i32) -> Self {
        Self::new(
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            format!("There is no partition {topic}-{index}."),
        )
    }

    /// What is named more than once in a request is done not at all.
    pub fn named_twice() -> Self {
        Self::new(ErrorCode::INVALID_REQUEST, "Duplicate topic name.")
    }

    pub fn unknown_group(group: &str) -> Self {
        Self::new(ErrorCode::GROUP_ID_NOT_FOUND, format!("There is no group {group:?}."))
    }

    pub fn non_empty_group(group: &str) -> Self {
        Self::new(ErrorCode::NON_EMPTY_GROUP, format!("The group {group:?} has members."))
    }

    /// In Kafka's words for this code.
    pub fn unknown_topic() -> Self {
        let why = "This server does not host this topic-partition.";
        Self::new(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, why)
    }

    /// What an answer says of something that was done, or was not.
    pub fn told(done: Result<(), Self>) -> (ErrorCode, Option<String>) {
        match done {
            Ok(()) => (ErrorCode::NONE, None),
            Err(Self { code, why }) => (code, Some(why)),
        }
    }

    /// A fatal code: a client that wants transactions must not try for ever.
    pub fn transactional(id: &str) -> Self {
        Self::new(
            ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
            format!("Transactions are not supported (transactional.id '{id}')."),
        )
    }
}

/// A retriable code would make the client try for ever, which looks like a hang.
impl From<Broken> for Refused {
    fn from(broken: Broken) -> Self {
        Self::new(ErrorCode::UNKNOWN_SERVER_ERROR, broken.to_string())
    }
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::new(ErrorCode::KAFKA_STORAGE_ERROR, error.to_string())
    }
}

impl From<acks::Refused> for Refused {
    fn from(refused: acks::Refused) -> Self {
        let code = match &refused {
            acks::Refused::NotEnoughReplicas { .. } => ErrorCode::NOT_ENOUGH_REPLICAS,
            acks::Refused::FencedLeaderEpoch { .. } => ErrorCode::FENCED_LEADER_EPOCH,
            acks::Refused::UnknownLeaderEpoch { .. } => ErrorCode::UNKNOWN_LEADER_EPOCH,
            acks::Refused::NotAReplica { .. } => ErrorCode::NOT_LEADER_OR_FOLLOWER,
            acks::Refused::OffsetOutOfRange { .. } => ErrorCode::OFFSET_OUT_OF_RANGE,
        };
        Self::new(code, refused.to_string())
    }
}

impl From<acks::OutOfOrder> for Refused {
    fn from(error: acks::OutOfOrder) -> Self {
        let code = match &error {
            acks::OutOfOrder::Sequence { .. } => ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER,
            acks::OutOfOrder::Epoch { .. } => ErrorCode::INVALID_PRODUCER_EPOCH,
        };
        Self::new(code, error.to_string())
    }
}

impl From<partitions::Error> for Refused {
    fn from(error: partitions::Error) -> Self {
        let partitions::Error::Replicas { wanted, brokers } = error;
        let why = format!(
            "Unable to replicate the partition {wanted} time(s): The target replication factor of \
             {wanted} cannot be reached because only {brokers} broker(s) are registered."
        );
        Self::new(ErrorCode::INVALID_REPLICATION_FACTOR, why)
    }
}

impl From<consumer_groups::Error> for Refused {
    fn from(error: consumer_groups::Error) -> Self {
        use consumer_groups::Error;
        let code = match &error {
            Error::UnknownMemberId { .. } => ErrorCode::UNKNOWN_MEMBER_ID,
            Error::IllegalGeneration { .. } => ErrorCode::ILLEGAL_GENERATION,
            Error::RebalanceInProgress => ErrorCode::REBALANCE_IN_PROGRESS,
            Error::MemberIdRequired { .. } => ErrorCode::MEMBER_ID_REQUIRED,
            Error::FencedInstanceId { .. } => ErrorCode::FENCED_INSTANCE_ID,
            Error::InconsistentGroupProtocol { .. } => ErrorCode::INCONSISTENT_GROUP_PROTOCOL,
            Error::InvalidSessionTimeout { .. } => ErrorCode::INVALID_SESSION_TIMEOUT,
            Error::GroupMaxSizeReached { .. } => ErrorCode::GROUP_MAX_SIZE_REACHED,
            Error::CoordinatorNotAvailable => ErrorCode::COORDINATOR_NOT_AVAILABLE,
            Error::NotCoordinator => ErrorCode::NOT_COORDINATOR,
        };
        Self::new(code, error.to_string())
    }
}

impl From<offset_log::Error> for Refused {
    fn from(error: offset_log::Error) -> Self {
        use offset_log::Error;
        let code = match &error {
            Error::OffsetOutOfRange { .. } => ErrorCode::OFFSET_OUT_OF_RANGE,
            Error::NotABatch { .. } => ErrorCode::CORRUPT_MESSAGE,
            Error::OutOfOrder { .. } => ErrorCode::INVALID_RECORD,
            Error::Damaged { .. } | Error::Io(_) => ErrorCode::KAFKA_STORAGE_ERROR,
        };
        Self::new(code, error.to_string())
    }
}
