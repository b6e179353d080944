//! FindCoordinator: who coordinates a group. Whoever asks first makes the topic that groups are kept in, and
//! is answered once it is there. (`AutoTopicCreationManager`.)

use wire::ErrorCode;
use wire::groups::{Coordinator, FindCoordinatorRequest, FindCoordinatorResponse, key_type};
use wire::topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};

use super::forward::Whose;
use super::metadata::OFFSETS_TOPIC;
use super::offsets_topic::partition_of;
use super::{Broker, Client, Now, Output, Refused, Ticket};
use crate::coordinator::NO_LEADER;

/// From this version on several keys may be asked for at once.
const MANY_KEYS: i16 = 4;

/// Somebody who looks for a coordinator, and waits until there may be one.
pub struct Search {
    pub ticket: Ticket,
    version: i16,
    request: FindCoordinatorRequest,
}

impl Broker {
    pub(super) fn find_coordinator(
        &mut self,
        now: Now,
        ticket: Ticket,
        client: &Client,
        request: FindCoordinatorRequest,
        out: &mut Vec<Output>,
    ) {
        let search = Search { ticket, version: client.api_version, request };
        let for_group = search.request.key_type == key_type::GROUP;
        if !for_group || self.cluster.topics.contains_key(OFFSETS_TOPIC) {
            return out.push(self.found(search));
        }
        self.groups.searching.push(search);
        if self.groups.searching.len() == 1 {
            let create =
                CreateTopicsRequest { topics: vec![self.offsets_topic()], ..Default::default() };
            self.forward_for(now, Whose::Searches, client, create.into(), Vec::new(), out);
        }
    }

    /// It is there now, or cannot be made: then whoever looks for a coordinator tries again.
    pub(super) fn offsets_topic_made(&mut self, out: &mut Vec<Output>) {
        for search in std::mem::take(&mut self.groups.searching) {
            out.push(self.found(search));
        }
    }

    /// The topic as it is made. Kafka refuses as long as there are fewer brokers than replicas are wanted,
    /// and a single one is told to want only one; this kit's first broker has to do without being told.
    fn offsets_topic(&self) -> CreatableTopic {
        let number = |name: &str| self.config.number(name);
        let replicas = number("offsets.topic.replication.factor");
        let brokers = self.cluster.brokers.len() as i64;
        let configs = [
            ("cleanup.policy", "compact".into()),
            ("compression.type", "producer".into()),
            ("segment.bytes", number("offsets.topic.segment.bytes").to_string()),
        ];
        let config = |(name, value): (&str, String)| CreatableTopicConfig {
            name: name.into(),
            value: Some(value),
        };
        CreatableTopic {
            name: OFFSETS_TOPIC.into(),
            num_partitions: number("offsets.topic.num.partitions") as i32,
            replication_factor: replicas.min(brokers) as i16,
            configs: configs.into_iter().map(config).collect(),
            ..Default::default()
        }
    }

    fn found(&self, Search { ticket, version, request }: Search) -> Output {
        let FindCoordinatorRequest { key, key_type, coordinator_keys } = request;
        let one = |key: String| match self.coordinator_of(&key, key_type) {
            Ok((node_id, host, port)) => {
                Coordinator { key, node_id, host, port, ..Default::default() }
            }
            Err(Refused { code: error_code, why }) => Coordinator {
                key,
                node_id: -1,
                port: -1,
                error_code,
                error_message: Some(why),
                ..Default::default()
            },
        };
        let response = match version >= MANY_KEYS {
            true => {
                let coordinators = coordinator_keys.into_iter().map(one).collect();
                FindCoordinatorResponse { coordinators, ..Default::default() }
            }
            false => {
                let Coordinator { node_id, host, port, error_code, error_message, .. } = one(key);
                FindCoordinatorResponse {
                    error_code,
                    error_message,
                    node_id,
                    host,
                    port,
                    ..Default::default()
                }
            }
        };
        Output::Answer { ticket, answer: response.into() }
    }

    /// No broker here coordinates transactions.
    fn coordinator_of(&self, key: &str, kind: i8) -> Result<(i32, String, i32), Refused> {
        match kind {
            key_type::GROUP => {}
            key_type::TRANSACTION => return Err(Refused::transactional(key)),
            other => {
                let why = format!("key type {other}");
                return Err(Refused::new(ErrorCode::INVALID_REQUEST, why));
            }
        }
        let partitions = self.cluster.topics.get(OFFSETS_TOPIC);
        let partitions = partitions.map_or(&[][..], |topic| &topic.partitions);
        let index = partition_of(key, partitions.len());
        let leader = index.map_or(NO_LEADER, |index| partitions[index as usize].leader);
        let known = self.cluster.brokers.get(&leader).filter(|broker| !broker.fenced);
        known.map(|known| (leader, known.host.to_string(), known.port.into())).ok_or_else(|| {
            let why = format!("nobody leads the partition of {OFFSETS_TOPIC} for {key:?} now");
            Refused::new(ErrorCode::COORDINATOR_NOT_AVAILABLE, why)
        })
    }
}
