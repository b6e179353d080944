//! DescribeConfigs: the settings of topics and of this broker.

use wire::ErrorCode;
use wire::configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult,
    DescribeConfigsResponse, DescribeConfigsResult, resource,
};

use super::configs::{describe_broker, describe_topic};
use super::{Broker, Refused};

impl Broker {
    pub(super) fn describe_configs(
        &self,
        request: DescribeConfigsRequest,
    ) -> DescribeConfigsResponse {
        let results = request.resources.into_iter().map(|wanted| {
            let described = self.settings_of(&wanted);
            let DescribeConfigsResource { resource_type, resource_name, configuration_keys } =
                wanted;
            let (mut configs, error_code, error_message) = match described {
                Ok(configs) => (configs, ErrorCode::NONE, None),
                Err(refused) => (Vec::new(), refused.code, Some(refused.why)),
            };
            if let Some(keys) = configuration_keys {
                configs.retain(|config| keys.contains(&config.name));
            }
            for config in &mut configs {
                if !request.include_synonyms {
                    config.synonyms.clear();
                }
                if !request.include_documentation {
                    config.documentation = None;
                }
            }
            DescribeConfigsResult {
                error_code,
                error_message,
                resource_type,
                resource_name,
                configs,
            }
        });
        DescribeConfigsResponse { results: results.collect(), ..Default::default() }
    }

    fn settings_of(
        &self,
        wanted: &DescribeConfigsResource,
    ) -> Result<Vec<DescribeConfigsResourceResult>, Refused> {
        let name = &wanted.resource_name;
        match wanted.resource_type {
            resource::TOPIC => match self.cluster.topics.get(name) {
                Some(topic) => Ok(describe_topic(&self.config, &topic.configs)),
                None => Err(Refused::new(
                    ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                    format!("There is no topic '{name}'."),
                )),
            },
            resource::BROKER if *name == self.config.node_id.to_string() => {
                Ok(describe_broker(&self.config))
            }
            resource::BROKER => Err(Refused::new(
                ErrorCode::INVALID_REQUEST,
                format!("This is broker {}, not '{name}'.", self.config.node_id),
            )),
            other => Err(Refused::new(
                ErrorCode::INVALID_REQUEST,
                format!("Resources of type {other} have no settings here."),
            )),
        }
    }
}
