//! The short answer: who is in the cluster.

use wire::ErrorCode;
use wire::cluster::{
    DescribeClusterBroker, DescribeClusterRequest, DescribeClusterResponse, endpoint_type,
};

use super::Broker;

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
}
