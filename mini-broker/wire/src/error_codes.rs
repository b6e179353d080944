//! Kafka's error codes: one table of number, name, whether a retry may help, and a sentence.

use std::fmt;

/// An error code as it stands on the wire. 0 is "no error".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ErrorCode(pub i16);

/// One row of the table.
#[derive(Debug)]
struct Row {
    code: i16,
    name: &'static str,
    retriable: bool,
    sentence: &'static str,
}

impl ErrorCode {
    pub fn is_ok(self) -> bool {
        self == Self::NONE
    }

    pub fn is_err(self) -> bool {
        !self.is_ok()
    }

    /// Kafka's name; a number nobody has given out is named so.
    pub fn name(self) -> &'static str {
        self.row().map_or("an error code that Kafka does not have", |row| row.name)
    }

    /// Whether a client may send the same request again and hope.
    pub fn is_retriable(self) -> bool {
        self.row().is_some_and(|row| row.retriable)
    }

    /// One sentence for a person.
    pub fn sentence(self) -> &'static str {
        self.row().map_or("The other side knows a code that we do not.", |row| row.sentence)
    }

    /// Every code of the table, in order.
    pub fn all() -> impl Iterator<Item = ErrorCode> {
        ROWS.iter().map(|row| ErrorCode(row.code))
    }

    fn row(self) -> Option<&'static Row> {
        ROWS.binary_search_by_key(&self.0, |row| row.code).ok().map(|at| &ROWS[at])
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.0)
    }
}

/// Rows in the order of their numbers.
macro_rules! codes {
    ($($code:literal $name:ident $retry:ident $sentence:literal)*) => {
        impl ErrorCode {
            $( #[doc = $sentence] pub const $name: ErrorCode = ErrorCode($code); )*
        }

        static ROWS: &[Row] = &[
            $( Row {
                code: $code,
                name: stringify!($name),
                retriable: codes!($retry),
                sentence: $sentence,
            }, )*
        ];
    };
    (retry) => { true };
    (fatal) => { false };
}

codes! {
-1 UNKNOWN_SERVER_ERROR fatal "Something went wrong in the broker that no other code names."
 0 NONE fatal "No error."
 1 OFFSET_OUT_OF_RANGE fatal "The offset lies before the log's start or after its end."
 2 CORRUPT_MESSAGE retry "The batch's checksum or its form is wrong."
 3 UNKNOWN_TOPIC_OR_PARTITION retry "This broker knows no such topic or partition."
 4 INVALID_FETCH_SIZE fatal "The size asked for is not one."
 5 LEADER_NOT_AVAILABLE retry "The partition has no leader at the moment."
 6 NOT_LEADER_OR_FOLLOWER retry "This broker does not lead the partition, or is no replica of it."
 7 REQUEST_TIMED_OUT retry "The request was not finished within its time."
 10 MESSAGE_TOO_LARGE fatal "The batch is larger than the broker takes."
 14 COORDINATOR_LOAD_IN_PROGRESS retry "The coordinator is still reading its log."
 15 COORDINATOR_NOT_AVAILABLE retry "There is no coordinator at the moment."
 16 NOT_COORDINATOR retry "Another broker is the coordinator."
 17 INVALID_TOPIC_EXCEPTION fatal "The topic's name is not allowed."
 19 NOT_ENOUGH_REPLICAS retry "Fewer replicas are in sync than min.insync.replicas asks for."
 20 NOT_ENOUGH_REPLICAS_AFTER_APPEND retry "The records were appended, but then too few replicas were in sync."
 21 INVALID_REQUIRED_ACKS fatal "acks must be 0, 1 or -1 (all)."
 35 UNSUPPORTED_VERSION fatal "The broker does not speak this version of the API."
 36 TOPIC_ALREADY_EXISTS fatal "There is a topic of this name."
 37 INVALID_PARTITIONS fatal "The number of partitions is not valid."
 38 INVALID_REPLICATION_FACTOR fatal "The replication factor is below 1 or above the number of brokers."
 39 INVALID_REPLICA_ASSIGNMENT fatal "The assignment of replicas to brokers is not valid."
 40 INVALID_CONFIG fatal "A configuration is unknown or its value not valid."
 41 NOT_CONTROLLER retry "This broker is not the controller."
 42 INVALID_REQUEST fatal "The request contradicts itself or the protocol."
 44 POLICY_VIOLATION fatal "The request breaks a rule this cluster was given."
 45 OUT_OF_ORDER_SEQUENCE_NUMBER fatal "The producer's sequence number does not follow the last one."
 46 DUPLICATE_SEQUENCE_NUMBER fatal "The producer sent this sequence number before."
 47 INVALID_PRODUCER_EPOCH fatal "The producer's epoch is older than one seen."
 53 TRANSACTIONAL_ID_AUTHORIZATION_FAILED fatal "The transactional id is refused."
 56 KAFKA_STORAGE_ERROR retry "The disk failed the broker."
 74 FENCED_LEADER_EPOCH retry "The client's leader epoch is older than the broker's."
 75 UNKNOWN_LEADER_EPOCH retry "The client's leader epoch is newer than the broker's."
 76 UNSUPPORTED_COMPRESSION_TYPE fatal "The broker does not take this compression."
 78 OFFSET_NOT_AVAILABLE retry "The new leader does not know the high watermark yet."
 79 MEMBER_ID_REQUIRED fatal "The group wants a member id: join again with the one it gave."
 87 INVALID_RECORD fatal "A record in the batch breaks the rules, so the whole batch is refused."
 100 UNKNOWN_TOPIC_ID retry "No topic has this id."
}
