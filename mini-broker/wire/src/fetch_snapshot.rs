//! A broker that is too far behind the metadata log reads a snapshot of it first (KIP-630).

use bytes::BytesMut;
use uuid::Uuid;

use crate::error_codes::ErrorCode;
use crate::fetch::SnapshotId;
use crate::table::table;

table! {
    /// Asks for a piece of a snapshot. API key 59, `FetchSnapshotRequest.json`.
    pub struct FetchSnapshotRequest (versions 0..=1, flexible 0..) {
        /// The follower's node id.
        replica_id: i32 = -1,                             0..;
        /// The most bytes to answer, of all snapshots together.
        max_bytes: i32 = i32::MAX,                        0..;
        topics: Vec<FetchSnapshotTopic>,                  0..;
    } tagged {
        0 = cluster_id: Option<String>,                   0.., null 0..;
    }

    /// A topic with snapshots to read.
    pub struct FetchSnapshotTopic {
        name: String,                                     0..;
        partitions: Vec<FetchSnapshotPartition>,          0..;
    }

    /// A partition whose snapshot to read.
    pub struct FetchSnapshotPartition {
        partition: i32,                                   0..;
        /// What the follower takes for the leader's epoch; −1: unknown.
        current_leader_epoch: i32,                        0..;
        /// The one that a [`FetchResponse`](crate::fetch::FetchResponse) named.
        snapshot_id: SnapshotId,                          0..;
        /// The byte of the snapshot to begin with.
        position: i64,                                    0..;
    } tagged {
        /// Of the directory in which the follower keeps its log (KIP-853).
        0 = replica_directory_id: Uuid,                   1..;
    }

    /// A piece of each snapshot. API key 59, `FetchSnapshotResponse.json`.
    pub struct FetchSnapshotResponse (versions 0..=1, flexible 0..) {
        throttle_time_ms: i32,                            0..;
        error_code: ErrorCode,                            0..;
        topics: Vec<FetchSnapshotTopicResponse>,          0..;
    } tagged {
        /// Where the leaders named below can be reached (KIP-853).
        0 = node_endpoints: Vec<NodeEndpoint>,            1..;
    }

    /// What was read of one topic.
    pub struct FetchSnapshotTopicResponse {
        name: String,                                     0..;
        partitions: Vec<FetchSnapshotPartitionResponse>,  0..;
    }

    /// What was read of one partition's snapshot.
    pub struct FetchSnapshotPartitionResponse {
        index: i32,                                       0..;
        /// `SNAPSHOT_NOT_FOUND`: a newer one has taken its place; `POSITION_OUT_OF_RANGE`: it is
        /// not that long.
        error_code: ErrorCode,                            0..;
        snapshot_id: SnapshotId,                          0..;
        /// The length of the whole snapshot.
        size: i64,                                        0..;
        /// Where in it `unaligned_records` begins.
        position: i64,                                    0..;
        /// Bytes of the snapshot's file. They may begin and end within a batch, so they are no
        /// [`Records`](crate::Records); the snapshot is whole when `size` bytes have come.
        unaligned_records: BytesMut,                      0..;
    } tagged {
        0 = current_leader: SnapshotLeader,               0..;
    }

    /// The partition's leader, for a follower that asked another. (Kafka's schema gives no defaults
    /// but 0.)
    pub struct SnapshotLeader {
        leader_id: i32,                                   0..;
        leader_epoch: i32,                                0..;
    }

    /// Where a node can be reached.
    pub struct NodeEndpoint {
        node_id: i32,                                     1..;
        host: String,                                     1..;
        port: u16,                                        1..;
    }
}
