//! A leader asks the controller to change its partitions' in-sync sets (KIP-497).

use uuid::Uuid;

use crate::error_codes::ErrorCode;
use crate::table::table;

/// How the leader came to lead (KIP-704).
pub mod leader_recovery_state {
    pub const RECOVERED: i8 = 0;
    /// It was elected without being in sync, and has not made good for it yet.
    pub const RECOVERING: i8 = 1;
}

table! {
    /// Asks for new in-sync sets. API key 56, `AlterPartitionRequest.json`.
    ///
    /// Version 3 names each replica with its broker epoch, so that the controller can refuse one
    /// that has started again since the leader last heard of it (KIP-903).
    pub struct AlterPartitionRequest (versions 2..=3, flexible 0..) {
        /// The leader.
        broker_id: i32,                                   0..;
        broker_epoch: i64 = -1,                           0..;
        topics: Vec<AlterPartitionTopic>,                 0..;
    }

    /// A topic with partitions to change. It goes by its id only.
    pub struct AlterPartitionTopic {
        topic_id: Uuid,                                   2..;
        partitions: Vec<AlterPartitionPartition>,         0..;
    }

    /// A partition to change.
    pub struct AlterPartitionPartition {
        partition_index: i32,                             0..;
        /// An older one than the controller's is fenced.
        leader_epoch: i32,                                0..;
        /// The node ids of the in-sync set that the leader wants.
        new_isr: Vec<i32>,                                0..=2;
        new_isr_with_epochs: Vec<BrokerState>,            3..;
        /// See [`leader_recovery_state`].
        leader_recovery_state: i8,                        1..;
        /// The state that the leader started from: if the controller has a newer one, it answers
        /// `INVALID_UPDATE_VERSION`.
        partition_epoch: i32,                             0..;
    }

    /// A replica, and the registration under which the leader knows it.
    pub struct BrokerState {
        broker_id: i32,                                   3..;
        /// −1: the leader does not know, so it is not checked.
        broker_epoch: i64 = -1,                           3..;
    }

    /// The partitions as they now are. API key 56, `AlterPartitionResponse.json`.
    pub struct AlterPartitionResponse (versions 2..=3, flexible 0..) {
        throttle_time_ms: i32,                            0..;
        /// `STALE_BROKER_EPOCH`: the leader must register anew.
        error_code: ErrorCode,                            0..;
        topics: Vec<AlterPartitionTopicResponse>,         0..;
    }

    /// What became of one topic's partitions.
    pub struct AlterPartitionTopicResponse {
        topic_id: Uuid,                                   2..;
        partitions: Vec<AlterPartitionPartitionResponse>, 0..;
    }

    /// What became of one partition.
    pub struct AlterPartitionPartitionResponse {
        partition_index: i32,                             0..;
        /// `INELIGIBLE_REPLICA`: one of the set is fenced, or has started again since.
        error_code: ErrorCode,                            0..;
        leader_id: i32,                                   0..;
        leader_epoch: i32,                                0..;
        /// The node ids that are in sync.
        isr: Vec<i32>,                                    0..;
        /// See [`leader_recovery_state`].
        leader_recovery_state: i8,                        1..;
        partition_epoch: i32,                             0..;
    }
}
