//! Topics, and the settings of topics and brokers.

use std::collections::BTreeMap;
use std::fmt;

use wire::ErrorCode;
use wire::configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult,
    IncrementalAlterConfigsRequest, IncrementalAlterConfigsResource, IncrementalAlterableConfig,
    operation, resource,
};
use wire::metadata::MetadataResponseTopic;
use wire::topics::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig, CreatePartitionsAssignment,
    CreatePartitionsRequest, CreatePartitionsTopic, CreateTopicsRequest, DeleteTopicsRequest,
};

use super::connection::{Connection, REQUEST_TIMEOUT};
use super::{Client, Error};

const TIMEOUT_MS: i32 = REQUEST_TIMEOUT.as_millis() as i32;

/// A topic to be made; −1 partitions or replicas leave the number to the broker.
#[derive(Debug, Clone)]
pub struct NewTopic {
    pub name: String,
    pub partitions: i32,
    pub replication_factor: i16,
    /// The brokers of each partition; empty: the broker chooses. Then both numbers are −1.
    pub assignments: Vec<Vec<i32>>,
    pub configs: Vec<(String, String)>,
}

impl NewTopic {
    /// A topic with one replica and the broker's settings.
    pub fn named(name: &str, partitions: i32) -> Self {
        NewTopic {
            name: name.to_owned(),
            partitions,
            replication_factor: 1,
            assignments: Vec::new(),
            configs: Vec::new(),
        }
    }

    /// What is sent for it.
    pub fn request(&self) -> CreateTopicsRequest {
        let config = |(name, value): &(String, String)| CreatableTopicConfig {
            name: name.clone(),
            value: Some(value.clone()),
        };
        let assignment = |(index, brokers): (usize, &Vec<i32>)| CreatableReplicaAssignment {
            partition_index: index as i32,
            broker_ids: brokers.clone(),
        };
        CreateTopicsRequest {
            topics: vec![CreatableTopic {
                name: self.name.clone(),
                num_partitions: self.partitions,
                replication_factor: self.replication_factor,
                assignments: self.assignments.iter().enumerate().map(assignment).collect(),
                configs: self.configs.iter().map(config).collect(),
            }],
            timeout_ms: TIMEOUT_MS,
            validate_only: false,
        }
    }
}

/// A topic that is to grow.
#[derive(Debug, Clone)]
pub struct NewPartitions {
    pub topic: String,
    /// How many it should have in the end.
    pub count: i32,
    /// The brokers of each new partition; without: the broker chooses.
    pub assignments: Option<Vec<Vec<i32>>>,
}

/// Whose settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource<'a> {
    Topic(&'a str),
    Broker(i32),
    /// What holds for every broker that has no setting of its own.
    EveryBroker,
}

impl Client {
    pub async fn create_topic(&mut self, new: &NewTopic) -> Result<(), Error> {
        let answer = self.controller().await?.call(new.request()).await?;
        first_error(answer.topics.into_iter().map(|t| (t.name, t.error_code, t.error_message)))
    }

    /// Each topic grows or is refused by itself; the first refusal is the error.
    pub async fn create_partitions(&mut self, new: Vec<NewPartitions>) -> Result<(), Error> {
        let assignment = |broker_ids| CreatePartitionsAssignment { broker_ids };
        let topic = |new: NewPartitions| CreatePartitionsTopic {
            name: new.topic,
            count: new.count,
            assignments: new.assignments.map(|of| of.into_iter().map(assignment).collect()),
        };
        let request = CreatePartitionsRequest {
            topics: new.into_iter().map(topic).collect(),
            timeout_ms: TIMEOUT_MS,
            validate_only: false,
        };
        let answer = self.controller().await?.call(request).await?;
        first_error(answer.results.into_iter().map(|t| (t.name, t.error_code, t.error_message)))
    }

    /// Each topic is deleted or refused by itself; the first refusal is the error.
    pub async fn delete_topics(&mut self, topic_names: Vec<String>) -> Result<(), Error> {
        let request = DeleteTopicsRequest { topic_names, timeout_ms: TIMEOUT_MS };
        let answer = self.controller().await?.call(request).await?;
        first_error(answer.responses.into_iter().map(|t| (t.name, t.error_code, t.error_message)))
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
        let topics: Vec<Resource<'_>> = topics.iter().map(|name| Resource::Topic(name)).collect();
        describe(self.any().await?, &topics).await
    }

    /// The settings of one topic or broker, in the order the broker tells them.
    pub async fn configs(
        &mut self,
        of: Resource<'_>,
    ) -> Result<Vec<DescribeConfigsResourceResult>, Error> {
        let connection = self.who_knows(of).await?;
        Ok(describe(connection, &[of]).await?.into_values().flatten().collect())
    }

    /// Sets some settings and takes others away, so that they fall back to what holds behind them;
    /// all of it or nothing (KIP-339).
    pub async fn alter_configs(
        &mut self,
        of: Resource<'_>,
        set: Vec<(String, String)>,
        delete: Vec<String>,
    ) -> Result<(), Error> {
        let change = |name, config_operation, value| IncrementalAlterableConfig {
            name,
            config_operation,
            value,
        };
        let delete = delete.into_iter().map(|name| change(name, operation::DELETE, None));
        let set = set.into_iter().map(|(name, value)| change(name, operation::SET, Some(value)));
        let request = IncrementalAlterConfigsRequest {
            resources: vec![IncrementalAlterConfigsResource {
                resource_type: of.kind(),
                resource_name: of.name(),
                configs: delete.chain(set).collect(),
            }],
            validate_only: false,
        };
        let answer = self.who_knows(of).await?.call(request).await?;
        for result in answer.responses {
            let what = || format!("the settings of {of}");
            Error::check(what, result.error_code, result.error_message)?;
        }
        Ok(())
    }

    /// A broker tells and takes its own settings only; all others go through any.
    async fn who_knows(&mut self, of: Resource<'_>) -> Result<Connection, Error> {
        let Resource::Broker(id) = of else { return self.any().await };
        self.metadata(Some(&[]), false).await?;
        self.node(id).await
    }
}

async fn describe(
    connection: Connection,
    of: &[Resource<'_>],
) -> Result<BTreeMap<String, Vec<DescribeConfigsResourceResult>>, Error> {
    let resources = of.iter().map(|of| DescribeConfigsResource {
        resource_type: of.kind(),
        resource_name: of.name(),
        configuration_keys: None,
    });
    let request = DescribeConfigsRequest {
        resources: resources.collect(),
        include_synonyms: true,
        include_documentation: false,
    };
    let mut configs = BTreeMap::new();
    for result in connection.call(request).await?.results {
        let asked = of.iter().find(|of| of.name() == result.resource_name);
        let what = asked.map_or(result.resource_name.clone(), Resource::to_string);
        let of = || format!("the settings of {what}");
        Error::check(of, result.error_code, result.error_message)?;
        configs.insert(result.resource_name, result.configs);
    }
    Ok(configs)
}

impl Resource<'_> {
    fn kind(&self) -> i8 {
        match self {
            Resource::Topic(_) => resource::TOPIC,
            Resource::Broker(_) | Resource::EveryBroker => resource::BROKER,
        }
    }

    fn name(&self) -> String {
        match self {
            Resource::Topic(name) => (*name).to_owned(),
            Resource::Broker(id) => id.to_string(),
            Resource::EveryBroker => String::new(),
        }
    }
}

impl fmt::Display for Resource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Resource::Topic(name) => write!(f, "topic `{name}`"),
            Resource::Broker(id) => write!(f, "broker {id}"),
            Resource::EveryBroker => f.write_str("every broker"),
        }
    }
}

fn first_error(
    topics: impl Iterator<Item = (String, ErrorCode, Option<String>)>,
) -> Result<(), Error> {
    for (name, code, message) in topics {
        Error::check(|| format!("topic `{name}`"), code, message)?;
    }
    Ok(())
}
