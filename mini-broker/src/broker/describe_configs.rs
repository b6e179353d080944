//! DescribeConfigs: the settings of topics and of this broker.

use wire::ErrorCode;
use wire::configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult,
    DescribeConfigsResponse, DescribeConfigsResult, resource,
};

use super::{Broker, Refused};
use crate::configs::{describe_all_brokers, describe_broker, describe_topic};
use crate::coordinator::check_name;

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
            // None and an empty list both ask for everything.
            if let Some(keys) = configuration_keys.filter(|keys| !keys.is_empty()) {
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
            resource::TOPIC => {
                check_name(name)?;
                let topic = self.cluster.topics.get(name).ok_or_else(Refused::unknown_topic)?;
                Ok(describe_topic(&self.config, &topic.configs))
            }
            resource::BROKER if name.is_empty() => Ok(describe_all_brokers(&self.config)),
            resource::BROKER => match name.parse::<i32>() {
                Ok(id) if id == self.config.node_id => Ok(describe_broker(&self.config)),
                Ok(_) => Err(invalid(format!(
                    "Unexpected broker id, expected {} or empty string, but received {name}",
                    self.config.node_id
                ))),
                Err(_) => Err(invalid(format!("Broker id must be an integer, but it is: {name}"))),
            },
            other => Err(invalid(format!("Resources of type {other} have no settings here."))),
        }
    }
}

fn invalid(why: String) -> Refused {
    Refused::new(ErrorCode::INVALID_REQUEST, why)
}
