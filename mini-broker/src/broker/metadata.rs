//! Metadata: which brokers there are, and who leads which partition. A topic that is asked for and
//! not there is created on the way, and the answer waits until it is.

use std::collections::BTreeSet;

use uuid::Uuid;
use wire::ErrorCode;
use wire::metadata::{
    MetadataRequest, MetadataRequestTopic, MetadataResponse, MetadataResponseBroker,
    MetadataResponsePartition, MetadataResponseTopic,
};
use wire::topics::{CreatableTopic, CreateTopicsRequest};

use super::forward::Whose;
use super::{Broker, Client, Now, Output, Ticket};
use crate::coordinator::{NO_LEADER, Topic, check_name};

/// The topic in which groups are kept.
pub const OFFSETS_TOPIC: &str = "__consumer_offsets";

/// Whether Kafka keeps its own state in a topic of this name.
pub fn is_internal(topic: &str) -> bool {
    [OFFSETS_TOPIC, "__transaction_state"].contains(&topic)
}

impl Broker {
    pub(super) fn metadata(
        &mut self,
        now: Now,
        ticket: Ticket,
        client: Client,
        mut request: MetadataRequest,
        out: &mut Vec<Output>,
    ) {
        let missing = self.missing(&request);
        if !missing.is_empty() {
            // Looked at again once the new topics are here; a second try would create nothing new.
            request.allow_auto_topic_creation = false;
            let whose = Whose::Metadata(ticket, client.clone(), Box::new(request.into()));
            let create = CreateTopicsRequest {
                topics: missing.into_iter().map(|name| self.on_demand(name)).collect(),
                ..Default::default()
            };
            return self.forward_for(now, whose, &client, create.into(), Vec::new(), out);
        }
        let answer = self.describe_cluster_and_topics(client.api_version, request).into();
        out.push(Output::Answer { ticket, answer });
    }

    /// What is asked for, is not there, and is to be made.
    fn missing(&self, request: &MetadataRequest) -> BTreeSet<String> {
        if !request.allow_auto_topic_creation || !self.config.flag("auto.create.topics.enable") {
            return BTreeSet::new();
        }
        let by_name = request.topics.iter().flatten().filter(|topic| !is_by_id(topic));
        let names = by_name.filter_map(|topic| topic.name.as_deref());
        let missing = names.filter(|name| {
            !self.cluster.topics.contains_key(*name)
                && !is_internal(name)
                && check_name(name).is_ok()
        });
        missing.map(str::to_string).collect()
    }

    /// A topic that somebody asked about, with this broker's defaults. (`AutoTopicCreationManager`.)
    fn on_demand(&self, name: String) -> CreatableTopic {
        CreatableTopic {
            name,
            num_partitions: self.config.number("num.partitions") as i32,
            replication_factor: self.config.number("default.replication.factor") as i16,
            ..Default::default()
        }
    }

    fn describe_cluster_and_topics(
        &self,
        version: i16,
        request: MetadataRequest,
    ) -> MetadataResponse {
        let topics = match request.topics {
            Some(topics) if version > 0 || !topics.is_empty() => {
                topics.into_iter().map(|topic| self.describe_topic(topic)).collect()
            }
            _ => {
                let all = self.cluster.topics.iter();
                all.map(|(name, topic)| self.described(name, topic)).collect()
            }
        };
        MetadataResponse {
            brokers: self
                .cluster
                .live_brokers()
                .map(|(id, broker)| MetadataResponseBroker {
                    node_id: id,
                    host: broker.host.to_string(),
                    port: broker.port.into(),
                    rack: None,
                })
                .collect(),
            cluster_id: self.cluster_id.clone(),
            controller_id: self.config.node_id,
            topics,
            ..Default::default()
        }
    }

    fn describe_topic(&self, asked: MetadataRequestTopic) -> MetadataResponseTopic {
        let by_id = is_by_id(&asked);
        let name = match by_id {
            true => self.cluster.name_of(asked.topic_id).map(str::to_string),
            false => asked.name,
        };
        let known = name.as_ref().and_then(|name| self.cluster.topics.get_key_value(name));
        if let Some((name, topic)) = known {
            return self.described(name, topic);
        }
        let error_code = match &name {
            _ if by_id => ErrorCode::UNKNOWN_TOPIC_ID,
            Some(name) if check_name(name).is_err() => ErrorCode::INVALID_TOPIC_EXCEPTION,
            _ => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        };
        let topic_id = if by_id { asked.topic_id } else { Uuid::nil() };
        MetadataResponseTopic { error_code, name, topic_id, ..Default::default() }
    }

    fn described(&self, name: &str, topic: &Topic) -> MetadataResponseTopic {
        let partitions = topic.partitions.iter().zip(0..);
        let partitions = partitions.map(|(partition, partition_index)| MetadataResponsePartition {
            error_code: match partition.leader {
                NO_LEADER => ErrorCode::LEADER_NOT_AVAILABLE,
                _ => ErrorCode::NONE,
            },
            partition_index,
            leader_id: partition.leader,
            leader_epoch: partition.epoch,
            replica_nodes: partition.replicas.clone(),
            isr_nodes: partition.isr.clone(),
            offline_replicas: partition
                .replicas
                .iter()
                .copied()
                .filter(|id| !self.cluster.is_live(*id))
                .collect(),
        });
        MetadataResponseTopic {
            name: Some(name.into()),
            topic_id: topic.id,
            is_internal: is_internal(name),
            partitions: partitions.collect(),
            ..Default::default()
        }
    }
}

/// Java's admin client sends an id together with an empty name: it is the id that counts.
fn is_by_id(asked: &MetadataRequestTopic) -> bool {
    asked.name.is_none() || !asked.topic_id.is_nil()
}
