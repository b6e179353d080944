//! A broker registers with the controller, and then shows that it lives (KIP-631).

use uuid::Uuid;

use crate::error_codes::ErrorCode;
use crate::table::table;

/// The only security protocol spoken here: none, as Kafka's `SecurityProtocol` numbers it.
pub const PLAINTEXT: i16 = 0;

table! {
    /// Asks to be one of the cluster. API key 62, `BrokerRegistrationRequest.json`.
    pub struct BrokerRegistrationRequest (versions 0..=4, flexible 0..) {
        broker_id: i32,                                   0..;
        /// The cluster that the broker's data belongs to.
        cluster_id: String,                               0..;
        /// Made up at every start: tells a broker that asks again from another with its node id.
        incarnation_id: Uuid,                             0..;
        listeners: Vec<BrokerListener>,                   0..;
        features: Vec<BrokerFeature>,                     0..;
        rack: Option<String>,                             0.., null 0..;
        /// Of Kafka's way out of ZooKeeper.
        is_migrating_zk_broker: bool,                     1..;
        /// The ids of the log directories that work (KIP-858).
        log_dirs: Vec<Uuid>,                              2..;
        /// The epoch in which the broker last stopped in good order; −1: it did not, so it may have
        /// lost the end of its logs (KIP-966).
        previous_broker_epoch: i64 = -1,                  3..;
    }

    /// Where the broker can be reached.
    pub struct BrokerListener {
        name: String,                                     0..;
        host: String,                                     0..;
        port: u16,                                        0..;
        /// Here always [`PLAINTEXT`].
        security_protocol: i16,                           0..;
    }

    /// A feature and the levels the broker supports.
    pub struct BrokerFeature {
        name: String,                                     0..;
        min_supported_version: i16,                       0..;
        max_supported_version: i16,                       0..;
    }

    /// The registration's number. API key 62, `BrokerRegistrationResponse.json`.
    pub struct BrokerRegistrationResponse (versions 0..=4, flexible 0..) {
        throttle_time_ms: i32,                            0..;
        /// `DUPLICATE_BROKER_REGISTRATION`: another incarnation of this node id lives.
        error_code: ErrorCode,                            0..;
        /// Rises with every registration; −1: refused.
        broker_epoch: i64 = -1,                           0..;
    }

    /// Says that the broker lives, and what it wants. API key 63, `BrokerHeartbeatRequest.json`.
    pub struct BrokerHeartbeatRequest (versions 0..=1, flexible 0..) {
        broker_id: i32,                                   0..;
        broker_epoch: i64 = -1,                           0..;
        /// How far the broker has applied the metadata log.
        current_metadata_offset: i64,                     0..;
        /// It asks to be left out of elections and of clients' metadata.
        want_fence: bool,                                 0..;
        /// It asks for its partitions to be led by others, so that it can stop.
        want_shut_down: bool,                             0..;
    } tagged {
        /// The ids of log directories that have failed (KIP-858).
        0 = offline_log_dirs: Vec<Uuid>,                  1..;
    }

    /// What the controller takes the broker for. API key 63, `BrokerHeartbeatResponse.json`.
    pub struct BrokerHeartbeatResponse (versions 0..=1, flexible 0..) {
        throttle_time_ms: i32,                            0..;
        /// `STALE_BROKER_EPOCH`: the broker must register anew.
        error_code: ErrorCode,                            0..;
        /// Its metadata is nearly as new as the controller's.
        is_caught_up: bool,                               0..;
        is_fenced: bool = true,                           0..;
        /// Nothing is left for it to lead: it may stop now.
        should_shut_down: bool,                           0..;
    }
}
