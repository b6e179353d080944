//! Topics, their settings, and the offsets of their partitions.

use std::collections::BTreeMap;

use wire::ErrorCode;
use wire::configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult, resource,
};
use wire::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use wire::metadata::MetadataResponseTopic;
use wire::topics::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest, DeleteTopicsRequest,
};

use super::connection::REQUEST_TIMEOUT;
use super::{Client, Error, Led};

/// A topic to be made; −1 partitions or replicas leave the number to the broker.
#[derive(Debug, Clone)]
pub struct NewTopic {
    pub name: String,
    pub partitions: i32,
    pub replication_factor: i16,
    pub configs: Vec<(String, String)>,
}

/// What a partition's log has at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    pub partition: i32,
    /// −1: nothing at or after that time.
    pub offset: i64,
    pub timestamp: i64,
}

impl Client {
    pub async fn create_topic(&mut self, new: &NewTopic) -> Result<(), Error> {
        let config = |(name, value): &(String, String)| CreatableTopicConfig {
            name: name.clone(),
            value: Some(value.clone()),
        };
        let request = CreateTopicsRequest {
            topics: vec![CreatableTopic {
                name: new.name.clone(),
                num_partitions: new.partitions,
                replication_factor: new.replication_factor,
                assignments: Vec::new(),
                configs: new.configs.iter().map(config).collect(),
            }],
            timeout_ms: REQUEST_TIMEOUT.as_millis() as i32,
            validate_only: false,
        };
        let answer = self.controller().await?.call(request).await?;
        let results = answer.topics.into_iter().map(|t| (t.error_code, t.error_message));
        first_error(&format!("topic `{}`", new.name), results)
    }

    pub async fn delete_topic(&mut self, name: &str) -> Result<(), Error> {
        let request = DeleteTopicsRequest {
            topic_names: vec![name.to_owned()],
            timeout_ms: REQUEST_TIMEOUT.as_millis() as i32,
        };
        let answer = self.controller().await?.call(request).await?;
        let results = answer.responses.into_iter().map(|t| (t.error_code, t.error_message));
        first_error(&format!("topic `{name}`"), results)
    }

    /// All topics in the order of their names.
    pub async fn topics(&mut self) -> Result<Vec<MetadataResponseTopic>, Error> {
        let mut topics = self.metadata(None, false).await?.topics;
        topics.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(topics)
    }

    /// The settings of each of `topics`, in the order the broker tells them.
    pub async fn topic_configs(
        &mut self,
        topics: &[&str],
    ) -> Result<BTreeMap<String, Vec<DescribeConfigsResourceResult>>, Error> {
        let resources = topics.iter().map(|name| DescribeConfigsResource {
            resource_type: resource::TOPIC,
            resource_name: (*name).to_owned(),
            configuration_keys: None,
        });
        let request =
            DescribeConfigsRequest { resources: resources.collect(), ..Default::default() };
        let answer = self.call_any(request).await?;
        let mut configs = BTreeMap::new();
        for result in answer.results {
            let what = format!("the settings of topic `{}`", result.resource_name);
            if result.error_code.is_err() {
                return Err(Error::refused(what, result.error_code, result.error_message));
            }
            configs.insert(result.resource_name, result.configs);
        }
        Ok(configs)
    }

    /// For each of `wanted`, the offset at a timestamp, or at one of the log's ends
    /// (`wire::list_offsets::LATEST` and its neighbours).
    pub async fn list_offsets(
        &mut self,
        topic: &str,
        wanted: &[(Led, i64)],
    ) -> Result<Vec<Found>, Error> {
        let mut by_leader: BTreeMap<i32, Vec<ListOffsetsPartition>> = BTreeMap::new();
        for (led, timestamp) in wanted {
            by_leader.entry(led.leader).or_default().push(ListOffsetsPartition {
                partition_index: led.partition,
                current_leader_epoch: led.leader_epoch,
                timestamp: *timestamp,
                ..Default::default()
            });
        }
        let mut found = Vec::new();
        for (leader, partitions) in by_leader {
            let request = ListOffsetsRequest {
                replica_id: -1,
                isolation_level: 0,
                topics: vec![ListOffsetsTopic { name: topic.to_owned(), partitions }],
            };
            let answer = self.node(leader).await?.call(request).await?;
            for p in answer.topics.into_iter().flat_map(|topic| topic.partitions) {
                if p.error_code.is_err() {
                    let what = format!("the offsets of {topic}-{}", p.partition_index);
                    return Err(Error::refused(what, p.error_code, None));
                }
                let partition = p.partition_index;
                found.push(Found { partition, offset: p.offset, timestamp: p.timestamp });
            }
        }
        found.sort_by_key(|found| found.partition);
        Ok(found)
    }
}

fn first_error(
    what: &str,
    results: impl Iterator<Item = (ErrorCode, Option<String>)>,
) -> Result<(), Error> {
    for (code, message) in results {
        if code.is_err() {
            return Err(Error::refused(what, code, message));
        }
    }
    Ok(())
}
