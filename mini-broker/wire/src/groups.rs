//! Consumer groups: who coordinates one, and how its members join, share out the partitions, stay
//! and leave.
//!
//! To the coordinator a member's metadata and assignment are bytes; what consumers write into them
//! is in [`consumer_protocol`](crate::consumer_protocol). They are memory of the request's frame:
//! whoever keeps them copies them, or keeps the frame.

use bytes::BytesMut;

use crate::error_codes::ErrorCode;
use crate::table::table;

/// What a coordinator key names.
pub mod key_type {
    pub const GROUP: i8 = 0;
    pub const TRANSACTION: i8 = 1;
}

table! {
    /// Asks for the coordinator of groups. API key 10, `FindCoordinatorRequest.json`.
    pub struct FindCoordinatorRequest (versions 0..=4, flexible 3..) {
        key: String,                                      0..=3;
        /// See [`key_type`].
        key_type: i8,                                     1..;
        coordinator_keys: Vec<String>,                    4..;
    }

    /// The coordinator: one up to version 3, a list from 4 on. API key 10,
    /// `FindCoordinatorResponse.json`.
    pub struct FindCoordinatorResponse (versions 0..=4, flexible 3..) {
        throttle_time_ms: i32,                            1..;
        error_code: ErrorCode,                            0..=3;
        error_message: Option<String>,                    1..=3, null 1..=3;
        node_id: i32,                                     0..=3;
        host: String,                                     0..=3;
        port: i32,                                        0..=3;
        coordinators: Vec<Coordinator>,                   4..;
    }

    /// The coordinator of one key.
    pub struct Coordinator {
        key: String,                                      4..;
        node_id: i32,                                     4..;
        host: String,                                     4..;
        port: i32,                                        4..;
        error_code: ErrorCode,                            4..;
        error_message: Option<String>,                    4.., null 4..;
    }

    /// Asks to be a member, for the first time or again. API key 11, `JoinGroupRequest.json`.
    pub struct JoinGroupRequest (versions 0..=7, flexible 6..) {
        group_id: String,                                 0..;
        /// Without a heartbeat for so long, the member is taken for dead.
        session_timeout_ms: i32,                          0..;
        /// So long others wait for it to join again. −1: version 0 does not say, the session
        /// timeout holds.
        rebalance_timeout_ms: i32 = -1,                   1..;
        /// Empty: it has none yet. From version 4 on the answer is then `MEMBER_ID_REQUIRED` with
        /// one, and it joins again (KIP-394); not so with a `group_instance_id`.
        member_id: String,                                0..;
        /// A static member's name: it comes back under it after a restart (KIP-345).
        group_instance_id: Option<String>,                5.., null 5..;
        /// `consumer` for consumers; Kafka Connect has another.
        protocol_type: String,                            0..;
        /// The assignors that the member knows, the one it likes best first.
        protocols: Vec<JoinGroupRequestProtocol>,         0..;
    }

    /// An assignor.
    pub struct JoinGroupRequestProtocol {
        /// `range`, `roundrobin`, `cooperative-sticky`, …
        name: String,                                     0..;
        /// What the leader has to know of the member: its subscription.
        metadata: BytesMut,                               0..;
    }

    /// The generation that the member is now part of. API key 11, `JoinGroupResponse.json`.
    pub struct JoinGroupResponse (versions 0..=7, flexible 6..) {
        throttle_time_ms: i32,                            2..;
        error_code: ErrorCode,                            0..;
        generation_id: i32 = -1,                          0..;
        protocol_type: Option<String>,                    7.., null 7..;
        /// The assignor that all members know.
        protocol_name: Option<String>,                    0.., null 7..;
        /// The member id of the one who assigns.
        leader: String,                                   0..;
        member_id: String,                                0..;
        /// To the leader all of them, to others none.
        members: Vec<JoinGroupResponseMember>,            0..;
    }

    /// A member, for the leader.
    pub struct JoinGroupResponseMember {
        member_id: String,                                0..;
        group_instance_id: Option<String>,                5.., null 5..;
        /// What it sent with the assignor that was chosen.
        metadata: BytesMut,                               0..;
    }

    /// Asks for the member's part; the leader brings everybody's. API key 14,
    /// `SyncGroupRequest.json`.
    pub struct SyncGroupRequest (versions 0..=5, flexible 4..) {
        group_id: String,                                 0..;
        generation_id: i32,                               0..;
        member_id: String,                                0..;
        group_instance_id: Option<String>,                3.., null 3..;
        /// As the member knows it; null: it does not say (KIP-559).
        protocol_type: Option<String>,                    5.., null 5..;
        protocol_name: Option<String>,                    5.., null 5..;
        /// From the leader: one for each member.
        assignments: Vec<SyncGroupRequestAssignment>,     0..;
    }

    /// What one member gets.
    pub struct SyncGroupRequestAssignment {
        member_id: String,                                0..;
        assignment: BytesMut,                             0..;
    }

    /// The member's part. API key 14, `SyncGroupResponse.json`.
    pub struct SyncGroupResponse (versions 0..=5, flexible 4..) {
        throttle_time_ms: i32,                            1..;
        error_code: ErrorCode,                            0..;
        protocol_type: Option<String>,                    5.., null 5..;
        protocol_name: Option<String>,                    5.., null 5..;
        /// Empty, if the leader named nothing for this member.
        assignment: BytesMut,                             0..;
    }

    /// Shows that the member lives. API key 12, `HeartbeatRequest.json`.
    pub struct HeartbeatRequest (versions 0..=4, flexible 4..) {
        group_id: String,                                 0..;
        generation_id: i32,                               0..;
        member_id: String,                                0..;
        group_instance_id: Option<String>,                3.., null 3..;
    }

    /// Says whether it still belongs. API key 12, `HeartbeatResponse.json`.
    pub struct HeartbeatResponse (versions 0..=4, flexible 4..) {
        throttle_time_ms: i32,                            1..;
        /// `REBALANCE_IN_PROGRESS`: join again.
        error_code: ErrorCode,                            0..;
    }

    /// Leaves: one member up to version 2, a list from 3 on, so that an admin can send static members
    /// away (KIP-345). API key 13, `LeaveGroupRequest.json`.
    pub struct LeaveGroupRequest (versions 0..=4, flexible 4..) {
        group_id: String,                                 0..;
        member_id: String,                                0..=2;
        members: Vec<MemberIdentity>,                     3..;
    }

    /// Who leaves.
    pub struct MemberIdentity {
        /// May be empty where there is a `group_instance_id`.
        member_id: String,                                3..;
        group_instance_id: Option<String>,                3.., null 3..;
    }

    /// Who has left. API key 13, `LeaveGroupResponse.json`.
    pub struct LeaveGroupResponse (versions 0..=4, flexible 4..) {
        throttle_time_ms: i32,                            1..;
        /// Of the whole request; in versions up to 2 also the member's own.
        error_code: ErrorCode,                            0..;
        members: Vec<MemberResponse>,                     3..;
    }

    /// What became of one.
    pub struct MemberResponse {
        member_id: String,                                3..;
        group_instance_id: Option<String>,                3.., null 3..;
        error_code: ErrorCode,                            3..;
    }
}
