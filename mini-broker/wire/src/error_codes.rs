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

/// Rows in the order of their numbers: the number, Kafka's name, whether its Java client takes the
/// error for one that a retry may mend, a sentence.
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
    4 INVALID_FETCH_SIZE fatal "The number of bytes asked for is not valid."
    5 LEADER_NOT_AVAILABLE retry "The partition has no leader at the moment."
    6 NOT_LEADER_OR_FOLLOWER retry "This broker does not lead the partition, or holds no replica of it."
    7 REQUEST_TIMED_OUT retry "The request was not finished within its time."
    8 BROKER_NOT_AVAILABLE fatal "The broker is not there."
    9 REPLICA_NOT_AVAILABLE retry "The replica is not there."
    10 MESSAGE_TOO_LARGE fatal "The batch is larger than the broker takes."
    11 STALE_CONTROLLER_EPOCH fatal "The controller has been replaced by a newer one."
    12 OFFSET_METADATA_TOO_LARGE fatal "The text that goes with a committed offset is too long."
    13 NETWORK_EXCEPTION retry "The connection broke before the answer came."
    14 COORDINATOR_LOAD_IN_PROGRESS retry "The coordinator is still reading its log."
    15 COORDINATOR_NOT_AVAILABLE retry "There is no coordinator at the moment."
    16 NOT_COORDINATOR retry "Another broker is the coordinator."
    17 INVALID_TOPIC_EXCEPTION fatal "The topic's name is not allowed, or the topic not open to this."
    18 RECORD_LIST_TOO_LARGE fatal "The batch is larger than a segment can be."
    19 NOT_ENOUGH_REPLICAS retry "Fewer replicas are in sync than min.insync.replicas asks for."
    20 NOT_ENOUGH_REPLICAS_AFTER_APPEND retry "The batch was appended, but then too few replicas were in sync."
    21 INVALID_REQUIRED_ACKS fatal "acks must be 0, 1 or -1 (all)."
    22 ILLEGAL_GENERATION fatal "The member's generation is not the group's."
    23 INCONSISTENT_GROUP_PROTOCOL fatal "The member has no assignor in common with the group."
    24 INVALID_GROUP_ID fatal "The group's id is not valid."
    25 UNKNOWN_MEMBER_ID fatal "The group has no such member."
    26 INVALID_SESSION_TIMEOUT fatal "The session timeout is outside what the broker allows."
    27 REBALANCE_IN_PROGRESS fatal "The group is sharing out its partitions: join again."
    28 INVALID_COMMIT_OFFSET_SIZE fatal "The commit is larger than the broker takes."
    29 TOPIC_AUTHORIZATION_FAILED fatal "This client may not do this with the topic."
    30 GROUP_AUTHORIZATION_FAILED fatal "This client may not do this with the group."
    31 CLUSTER_AUTHORIZATION_FAILED fatal "This client may not do this with the cluster."
    32 INVALID_TIMESTAMP fatal "A record's timestamp is outside what the topic allows."
    33 UNSUPPORTED_SASL_MECHANISM fatal "The broker does not know this way to log in."
    34 ILLEGAL_SASL_STATE fatal "The request does not belong at this point of logging in."
    35 UNSUPPORTED_VERSION fatal "The broker does not speak this version of the API."
    36 TOPIC_ALREADY_EXISTS fatal "There is a topic of this name."
    37 INVALID_PARTITIONS fatal "The number of partitions is not valid."
    38 INVALID_REPLICATION_FACTOR fatal "The replication factor is below 1 or above the number of brokers."
    39 INVALID_REPLICA_ASSIGNMENT fatal "The assignment of replicas to brokers is not valid."
    40 INVALID_CONFIG fatal "A setting is unknown, or its value not valid."
    41 NOT_CONTROLLER retry "This broker is not the controller."
    42 INVALID_REQUEST fatal "The request contradicts itself or the protocol."
    43 UNSUPPORTED_FOR_MESSAGE_FORMAT fatal "The batches on disk are of a format too old for this."
    44 POLICY_VIOLATION fatal "The request breaks a rule that this cluster was given."
    45 OUT_OF_ORDER_SEQUENCE_NUMBER fatal "The batch does not follow the producer's last one."
    46 DUPLICATE_SEQUENCE_NUMBER fatal "The producer sent this batch before."
    47 INVALID_PRODUCER_EPOCH fatal "A newer epoch of this producer has been seen."
    48 INVALID_TXN_STATE fatal "The transaction is not in a state for this."
    49 INVALID_PRODUCER_ID_MAPPING fatal "The producer id does not belong to this transactional id."
    50 INVALID_TRANSACTION_TIMEOUT fatal "The transaction timeout is longer than the broker allows."
    51 CONCURRENT_TRANSACTIONS retry "The producer's last transaction is still being finished."
    52 TRANSACTION_COORDINATOR_FENCED fatal "The transaction coordinator has been replaced by a newer one."
    53 TRANSACTIONAL_ID_AUTHORIZATION_FAILED fatal "This client may not use the transactional id."
    54 SECURITY_DISABLED fatal "The broker has no access control."
    55 OPERATION_NOT_ATTEMPTED fatal "Left undone, because another part of the request failed."
    56 KAFKA_STORAGE_ERROR retry "The disk failed the broker."
    57 LOG_DIR_NOT_FOUND fatal "The broker has no such log directory."
    58 SASL_AUTHENTICATION_FAILED fatal "Logging in failed."
    59 UNKNOWN_PRODUCER_ID fatal "The broker knows nothing of this producer any more."
    60 REASSIGNMENT_IN_PROGRESS fatal "The partition is being moved already."
    61 DELEGATION_TOKEN_AUTH_DISABLED fatal "The broker gives out no delegation tokens."
    62 DELEGATION_TOKEN_NOT_FOUND fatal "There is no such delegation token."
    63 DELEGATION_TOKEN_OWNER_MISMATCH fatal "The delegation token belongs to another."
    64 DELEGATION_TOKEN_REQUEST_NOT_ALLOWED fatal "Delegation tokens cannot be asked for over this connection."
    65 DELEGATION_TOKEN_AUTHORIZATION_FAILED fatal "This client may not do this with the delegation token."
    66 DELEGATION_TOKEN_EXPIRED fatal "The delegation token's time is over."
    67 INVALID_PRINCIPAL_TYPE fatal "The broker knows no such type of principal."
    68 NON_EMPTY_GROUP fatal "The group still has members."
    69 GROUP_ID_NOT_FOUND fatal "There is no such group."
    70 FETCH_SESSION_ID_NOT_FOUND retry "The broker has forgotten this fetch session."
    71 INVALID_FETCH_SESSION_EPOCH retry "The fetch session expected another epoch."
    72 LISTENER_NOT_FOUND retry "The leader has no listener of the name this request came in by."
    73 TOPIC_DELETION_DISABLED fatal "The broker was told not to delete topics."
    74 FENCED_LEADER_EPOCH retry "The leader epoch in the request is older than the broker's."
    75 UNKNOWN_LEADER_EPOCH retry "The leader epoch in the request is newer than the broker's."
    76 UNSUPPORTED_COMPRESSION_TYPE fatal "This version of the request cannot carry this compression."
    77 STALE_BROKER_EPOCH fatal "The broker has registered anew since."
    78 OFFSET_NOT_AVAILABLE retry "The new leader does not know the high watermark yet."
    79 MEMBER_ID_REQUIRED fatal "The group wants a member id: join again with the one in this answer."
    80 PREFERRED_LEADER_NOT_AVAILABLE retry "The preferred leader is not there."
    81 GROUP_MAX_SIZE_REACHED fatal "The group takes no more members."
    82 FENCED_INSTANCE_ID fatal "Another member has taken over this instance id."
    83 ELIGIBLE_LEADERS_NOT_AVAILABLE retry "No replica that may lead is there."
    84 ELECTION_NOT_NEEDED retry "The partition has the leader it should have."
    85 NO_REASSIGNMENT_IN_PROGRESS fatal "The partition is not being moved."
    86 GROUP_SUBSCRIBED_TO_TOPIC fatal "The group reads the topic whose offsets were to be deleted."
    87 INVALID_RECORD fatal "A record breaks the rules, so the whole batch is refused."
    88 UNSTABLE_OFFSET_COMMIT retry "A transaction with this group's offsets is still open."
    89 THROTTLING_QUOTA_EXCEEDED retry "The client has used up its quota for now."
    90 PRODUCER_FENCED fatal "A newer producer has taken over the transactional id."
    91 RESOURCE_NOT_FOUND fatal "There is no such resource."
    92 DUPLICATE_RESOURCE fatal "The request names a resource twice."
    93 UNACCEPTABLE_CREDENTIAL fatal "The new credential breaks a rule."
    94 INCONSISTENT_VOTER_SET fatal "The two sides disagree on who may vote."
    95 INVALID_UPDATE_VERSION fatal "The version to change to is not valid."
    96 FEATURE_UPDATE_FAILED fatal "The broker failed to change the features."
    97 PRINCIPAL_DESERIALIZATION_FAILURE fatal "The controller cannot read who sent the forwarded request."
    98 SNAPSHOT_NOT_FOUND fatal "There is no such snapshot."
    99 POSITION_OUT_OF_RANGE fatal "The position lies outside the snapshot."
    100 UNKNOWN_TOPIC_ID retry "This broker knows no topic of this id."
    101 DUPLICATE_BROKER_REGISTRATION fatal "Another broker holds this node id."
    102 BROKER_ID_NOT_REGISTERED fatal "No broker has registered with this node id."
    103 INCONSISTENT_TOPIC_ID retry "The log belongs to another topic of the same name."
    104 INCONSISTENT_CLUSTER_ID fatal "The request is meant for another cluster."
    105 TRANSACTIONAL_ID_NOT_FOUND fatal "There is no such transactional id."
    106 FETCH_SESSION_TOPIC_ID_ERROR retry "The fetch session mixes topics with ids and topics without."
    107 INELIGIBLE_REPLICA fatal "A replica cannot join the in-sync set."
    108 NEW_LEADER_ELECTED fatal "The change was made, and has brought another leader."
    109 OFFSET_MOVED_TO_TIERED_STORAGE fatal "The offset now lies in remote storage."
    110 FENCED_MEMBER_EPOCH fatal "The coordinator has moved past the member's epoch: join anew."
    111 UNRELEASED_INSTANCE_ID fatal "Another member still holds this instance id."
    112 UNSUPPORTED_ASSIGNOR fatal "The group does not know this assignor, or not this version of it."
    113 STALE_MEMBER_EPOCH fatal "The member must first learn its new epoch from a heartbeat."
    114 MISMATCHED_ENDPOINT_TYPE fatal "A broker was asked what a controller answers, or the other way round."
    115 UNSUPPORTED_ENDPOINT_TYPE fatal "The broker does not know this type of endpoint."
    116 UNKNOWN_CONTROLLER_ID fatal "There is no such controller."
    117 UNKNOWN_SUBSCRIPTION_ID fatal "The telemetry subscription is unknown or has been replaced."
    118 TELEMETRY_TOO_LARGE fatal "The telemetry is larger than the broker takes."
    119 INVALID_REGISTRATION fatal "The controller refuses the broker's registration."
    120 TRANSACTION_ABORTABLE fatal "Something went wrong: abort the transaction, then go on."
    121 INVALID_RECORD_STATE fatal "The record is not in a state to be acknowledged."
    122 SHARE_SESSION_NOT_FOUND retry "The broker has forgotten this share session."
    123 INVALID_SHARE_SESSION_EPOCH retry "The share session expected another epoch."
    124 FENCED_STATE_EPOCH fatal "The share group's state has a newer epoch."
    125 INVALID_VOTER_KEY fatal "The voter's key is not that of the replica."
    126 DUPLICATE_VOTER fatal "The replica is a voter already."
    127 VOTER_NOT_FOUND fatal "The replica is no voter."
    128 INVALID_REGULAR_EXPRESSION fatal "The regular expression is not valid."
    129 REBOOTSTRAP_REQUIRED fatal "The client should begin again from its bootstrap servers."
    130 STREAMS_INVALID_TOPOLOGY fatal "The topology of the streams program is not valid."
    131 STREAMS_INVALID_TOPOLOGY_EPOCH fatal "The streams group has another topology epoch."
    132 STREAMS_TOPOLOGY_FENCED fatal "The streams group has a newer topology."
    133 SHARE_SESSION_LIMIT_REACHED retry "The broker has no room for another share session."
}
