//! Consumer groups as an admin sees them: described, listed, deleted.

use bytes::BytesMut;

use crate::error_codes::ErrorCode;
use crate::metadata::OPERATIONS_NOT_TOLD;
use crate::table::table;

table! {
    /// Asks what a coordinator knows of its groups. API key 15, `DescribeGroupsRequest.json`.
    pub struct DescribeGroupsRequest (versions 0..=5, flexible 5..) {
        groups: Vec<String>,                              0..;
        include_authorized_operations: bool,              3..;
    }

    /// The groups. API key 15, `DescribeGroupsResponse.json`.
    pub struct DescribeGroupsResponse (versions 0..=5, flexible 5..) {
        throttle_time_ms: i32,                            1..;
        groups: Vec<DescribedGroup>,                      0..;
    }

    /// One group. Up to version 5 a group that does not exist is one without error, in the state
    /// `Dead`.
    pub struct DescribedGroup {
        error_code: ErrorCode,                            0..;
        group_id: String,                                 0..;
        /// `Empty`, `PreparingRebalance`, `CompletingRebalance`, `Stable` or `Dead`; empty with an
        /// error.
        group_state: String,                              0..;
        protocol_type: String,                            0..;
        /// The assignor; only of a stable group.
        protocol_data: String,                            0..;
        members: Vec<DescribedGroupMember>,               0..;
        authorized_operations: i32 = OPERATIONS_NOT_TOLD, 3..;
    }

    /// A member.
    pub struct DescribedGroupMember {
        member_id: String,                                0..;
        group_instance_id: Option<String>,                4.., null 4..;
        client_id: String,                                0..;
        /// Java prints an address so: `/127.0.0.1`.
        client_host: String,                              0..;
        /// Its subscription; only of a stable group.
        member_metadata: BytesMut,                        0..;
        /// The last one, while the group shares out its partitions anew.
        member_assignment: BytesMut,                      0..;
    }

    /// Asks for all groups of this coordinator. API key 16, `ListGroupsRequest.json`.
    pub struct ListGroupsRequest (versions 0..=5, flexible 3..) {
        /// Only those in one of these states. Empty: all.
        states_filter: Vec<String>,                       4..;
        /// Only those of one of these types. Empty: all.
        types_filter: Vec<String>,                        5..;
    }

    /// The groups. API key 16, `ListGroupsResponse.json`.
    pub struct ListGroupsResponse (versions 0..=5, flexible 3..) {
        throttle_time_ms: i32,                            1..;
        error_code: ErrorCode,                            0..;
        groups: Vec<ListedGroup>,                         0..;
    }

    /// One group.
    pub struct ListedGroup {
        group_id: String,                                 0..;
        protocol_type: String,                            0..;
        group_state: String,                              4..;
        /// `classic`: its members join and sync; `consumer`: the coordinator assigns (KIP-848).
        group_type: String,                               5..;
    }

    /// Asks to forget groups and what they committed. API key 42, `DeleteGroupsRequest.json`.
    pub struct DeleteGroupsRequest (versions 0..=2, flexible 2..) {
        groups_names: Vec<String>,                        0..;
    }

    /// What became of each. API key 42, `DeleteGroupsResponse.json`.
    pub struct DeleteGroupsResponse (versions 0..=2, flexible 2..) {
        throttle_time_ms: i32,                            0..;
        results: Vec<DeletableGroupResult>,               0..;
    }

    /// What became of one group.
    pub struct DeletableGroupResult {
        group_id: String,                                 0..;
        /// `NON_EMPTY_GROUP`: it has members.
        error_code: ErrorCode,                            0..;
    }
}
