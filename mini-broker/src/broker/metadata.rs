//! Metadata: which brokers there are, and who leads which partition. A topic that is asked for and
//! not there is created on the way, and the answer waits until it is.

use std::collections::BTreeSet;

use uuid::Uuid;
use wire::metadata::{
    MetadataRequest, MetadataRequestTopic, MetadataResponse, MetadataResponseBroker,
    MetadataResponsePartition, MetadataResponseTopic,
};
use wire::{ErrorCode, Request};

use super::waiting::Then;
use super::{Broker, Client, Now, Output, Ticket};
use crate::coordinator::{Topic, check_name};

/// Whether Kafka keeps its own state in a topic of this name.
pub fn is_internal(topic: &str) -> bool {
    ["__consumer_offsets", "__transaction_state"].contains(&topic)
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
        let create = request.allow_auto_topic_creation
            && self.config.flag("auto.create.topics.enable")
            && self.create_missing(now, &request, out);
        if create {
            // Looked at again once the new topics count; a second try would create nothing new.
            request.allow_auto_topic_creation = false;
            let request = Request::Metadata(request);
            return self.once_synced(Then::Again { ticket, client, request }, out);
        }
        let answer = self.describe_cluster_and_topics(client.api_version, request).into();
        out.push(Output::Answer { ticket, answer });
    }

    /// Creates what is asked for and not there. Whether something was, or is being, created.
    fn create_missing(
        &mut self,
        now: Now,
        request: &MetadataRequest,
        out: &mut Vec<Output>,
    ) -> bool {
        let names = request.topics.iter().flatten().filter_map(|topic| topic.name.as_deref());
        let missing: BTreeSet<&str> = names
            .filter(|name| !self.cluster.topics.contains_key(*name) && !is_internal(name))
            .collect();
        let mut creating = false;
        for name in missing {
            creating |= match self.create_on_demand(now, name, out) {
                Ok(()) => true,
                // Somebody else asked first, and waits for the same sync.
                Err(refused) => refused.code == ErrorCode::TOPIC_ALREADY_EXISTS,
            };
        }
        creating && self.coordinator.unsynced()
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
                all.map(|(name, topic)| described(name, topic)).collect()
            }
        };
        MetadataResponse {
            brokers: vec![MetadataResponseBroker {
                node_id: self.config.node_id,
                host: self.config.host.clone(),
                port: self.config.port.into(),
                rack: None,
            }],
            cluster_id: Some(self.cluster_id.clone()),
            controller_id: self.config.node_id,
            topics,
            ..Default::default()
        }
    }

    fn describe_topic(&self, asked: MetadataRequestTopic) -> MetadataResponseTopic {
        let by_id = asked.name.is_none();
        let name = asked.name.or_else(|| self.cluster.name_of(asked.topic_id).map(str::to_string));
        let known = name.as_ref().and_then(|name| self.cluster.topics.get_key_value(name));
        if let Some((name, topic)) = known {
            return described(name, topic);
        }
        let error_code = match &name {
            _ if by_id => ErrorCode::UNKNOWN_TOPIC_ID,
            Some(name) if check_name(name).is_err() => ErrorCode::INVALID_TOPIC_EXCEPTION,
            _ => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        };
        let topic_id = if by_id { asked.topic_id } else { Uuid::nil() };
        MetadataResponseTopic { error_code, name, topic_id, ..Default::default() }
    }
}

fn described(name: &str, topic: &Topic) -> MetadataResponseTopic {
    let partitions = topic.partitions.iter().zip(0..);
    MetadataResponseTopic {
        name: Some(name.into()),
        topic_id: topic.id,
        is_internal: is_internal(name),
        partitions: partitions
            .map(|(partition, partition_index)| MetadataResponsePartition {
                partition_index,
                leader_id: partition.leader,
                leader_epoch: partition.epoch,
                replica_nodes: partition.replicas.clone(),
                isr_nodes: partition.isr.clone(),
                ..Default::default()
            })
            .collect(),
        ..Default::default()
    }
}
