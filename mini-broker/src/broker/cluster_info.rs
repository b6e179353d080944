//! The short answers: who is in the cluster, and who coordinates.

use wire::ErrorCode;
use wire::cluster::{
    DescribeClusterBroker, DescribeClusterRequest, DescribeClusterResponse, endpoint_type,
};
use wire::groups::{Coordinator, FindCoordinatorRequest, FindCoordinatorResponse, key_type};

use super::{Broker, Refused};

/// From this version on FindCoordinator asks for several keys at once.
const MANY_KEYS: i16 = 4;

impl Broker {
    pub(super) fn describe_cluster(
        &self,
        request: &DescribeClusterRequest,
    ) -> DescribeClusterResponse {
        let mut response = DescribeClusterResponse {
            endpoint_type: request.endpoint_type,
            cluster_id: self.cluster_id.clone().unwrap_or_default(),
            controller_id: self.config.node_id,
            ..Default::default()
        };
        if request.endpoint_type == endpoint_type::BROKERS {
            let live = self.cluster.live_brokers().map(|(id, broker)| DescribeClusterBroker {
                broker_id: id,
                host: broker.host.to_string(),
                port: broker.port.into(),
                rack: None,
            });
            response.brokers = live.collect();
        } else {
            response.error_code = ErrorCode::MISMATCHED_ENDPOINT_TYPE;
            response.error_message = Some("This listener is for brokers' clients.".into());
        }
        response
    }

    /// One broker coordinates every group. No broker here coordinates transactions.
    pub(super) fn find_coordinator(
        &self,
        version: i16,
        request: FindCoordinatorRequest,
    ) -> FindCoordinatorResponse {
        let one = |key: String| match request.key_type {
            key_type::GROUP => Coordinator {
                key,
                node_id: self.config.node_id,
                host: self.config.host.clone(),
                port: self.config.port.into(),
                ..Default::default()
            },
            other => {
                let refused = match other {
                    key_type::TRANSACTION => Refused::transactional(&key),
                    _ => Refused::new(ErrorCode::INVALID_REQUEST, format!("key type {other}")),
                };
                Coordinator {
                    key,
                    node_id: -1,
                    port: -1,
                    error_code: refused.code,
                    error_message: Some(refused.why),
                    ..Default::default()
                }
            }
        };
        if version >= MANY_KEYS {
            let coordinators = request.coordinator_keys.iter().cloned().map(one).collect();
            return FindCoordinatorResponse { coordinators, ..Default::default() };
        }
        let Coordinator { node_id, host, port, error_code, error_message, .. } =
            one(request.key.clone());
        FindCoordinatorResponse {
            error_code,
            error_message,
            node_id,
            host,
            port,
            ..Default::default()
        }
    }
}
