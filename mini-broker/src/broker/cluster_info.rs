//! The short answers: which APIs there are, who the broker is, and producer ids.

use wire::api_versions::{ApiVersion, ApiVersionsResponse};
use wire::cluster::{DescribeClusterBroker, DescribeClusterRequest, DescribeClusterResponse};
use wire::groups::{Coordinator, FindCoordinatorRequest, FindCoordinatorResponse, key_type};
use wire::producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use wire::{ApiRange, ErrorCode, Listener, Request};

use super::waiting::Then;
use super::{Broker, Client, Now, Output, Refused, Ticket};
use crate::coordinator::PRODUCER_ID_BLOCK;

/// From this version on FindCoordinator asks for several keys at once.
const MANY_KEYS: i16 = 4;
const BROKERS: i8 = 1;

/// OffsetForLeaderEpoch and ElectLeaders can be read, but nothing here answers them yet. Clients
/// that saw them in the table would ask.
const NOT_ANSWERED: [i16; 2] = [23, 43];

/// The table of what is spoken here. No feature tags: old librdkafka stumbles over them.
pub fn api_versions() -> ApiVersionsResponse {
    let answered = |range: &&ApiRange| !NOT_ANSWERED.contains(&range.key);
    let api_keys = Listener::Broker.apis().filter(answered).map(|range| ApiVersion {
        api_key: range.key,
        min_version: range.min,
        max_version: range.max,
    });
    ApiVersionsResponse { api_keys: api_keys.collect(), ..Default::default() }
}

impl Broker {
    pub(super) fn describe_cluster(
        &self,
        request: &DescribeClusterRequest,
    ) -> DescribeClusterResponse {
        let mut response = DescribeClusterResponse {
            endpoint_type: request.endpoint_type,
            cluster_id: self.cluster_id.clone(),
            controller_id: self.config.node_id,
            ..Default::default()
        };
        if request.endpoint_type == BROKERS {
            response.brokers = vec![DescribeClusterBroker {
                broker_id: self.config.node_id,
                host: self.config.host.clone(),
                port: self.config.port.into(),
                rack: None,
            }];
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

    pub(super) fn init_producer_id(
        &mut self,
        now: Now,
        ticket: Ticket,
        client: Client,
        request: InitProducerIdRequest,
        out: &mut Vec<Output>,
    ) {
        let refused = |refused: &Refused| InitProducerIdResponse {
            error_code: refused.code,
            producer_id: -1,
            producer_epoch: -1,
            ..Default::default()
        };
        let response = if let Some(id) = &request.transactional_id {
            refused(&Refused::transactional(id))
        } else if let Some(producer_id) = self.producer_ids.next() {
            InitProducerIdResponse { producer_id, producer_epoch: 0, ..Default::default() }
        } else {
            match self.coordinator.allocate_producer_ids(now.wall_ms) {
                Ok(first) => {
                    // Nobody gets one of them before the block is on the disk.
                    self.producer_ids = first..first + PRODUCER_ID_BLOCK;
                    let request = Request::InitProducerId(request);
                    return self.once_synced(Then::Again { ticket, client, request }, out);
                }
                Err(error) => refused(&error),
            }
        };
        self.once_synced(Then::Answer { ticket, answer: response.into() }, out);
    }
}
