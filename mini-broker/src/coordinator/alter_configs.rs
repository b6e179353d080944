//! AlterConfigs and IncrementalAlterConfigs: settings change while the broker runs. All the changes of
//! a resource are made, or none of them. (`ConfigAdminManager`, `ConfigurationControlManager`,
//! KIP-226, KIP-339.)

use std::collections::BTreeSet;

use wire::ErrorCode;
use wire::configs::{
    AlterConfigsRequest, AlterConfigsResourceResponse, AlterConfigsResponse,
    IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse, operation, resource,
};

use super::leaders::UNCLEAN;
use super::{Coordinator, Record, Resource, Settings, check_name};
use crate::configs::check_topic;
use crate::configs::table::{Setting, items, of_broker, of_topic};
use crate::node::{Now, Output, Refused};

/// The changes that are asked of one resource.
struct Wanted {
    resource_type: i8,
    resource_name: String,
    changes: Vec<Change>,
    /// Settings that are not named are taken away, as AlterConfigs has it.
    replace: bool,
}

struct Change {
    name: String,
    operation: i8,
    value: Option<String>,
}

impl Coordinator {
    pub(super) fn alter_configs(
        &mut self,
        now: Now,
        request: AlterConfigsRequest,
        out: &mut Vec<Output>,
    ) -> AlterConfigsResponse {
        let wanted = request.resources.into_iter().map(|resource| Wanted {
            resource_type: resource.resource_type,
            resource_name: resource.resource_name,
            replace: true,
            changes: resource
                .configs
                .into_iter()
                .map(|config| Change {
                    name: config.name,
                    operation: operation::SET,
                    value: config.value,
                })
                .collect(),
        });
        let responses = self.alter_all(now, wanted.collect(), request.validate_only, out);
        AlterConfigsResponse { responses, ..Default::default() }
    }

    pub(super) fn incremental_alter_configs(
        &mut self,
        now: Now,
        request: IncrementalAlterConfigsRequest,
        out: &mut Vec<Output>,
    ) -> IncrementalAlterConfigsResponse {
        let wanted = request.resources.into_iter().map(|resource| Wanted {
            resource_type: resource.resource_type,
            resource_name: resource.resource_name,
            replace: false,
            changes: resource
                .configs
                .into_iter()
                .map(|config| Change {
                    name: config.name,
                    operation: config.config_operation,
                    value: config.value,
                })
                .collect(),
        });
        let responses = self.alter_all(now, wanted.collect(), request.validate_only, out);
        IncrementalAlterConfigsResponse { responses, ..Default::default() }
    }

    fn alter_all(
        &mut self,
        now: Now,
        all: Vec<Wanted>,
        validate_only: bool,
        out: &mut Vec<Output>,
    ) -> Vec<AlterConfigsResourceResponse> {
        let mut seen = BTreeSet::new();
        let mut twice = BTreeSet::new();
        for wanted in &all {
            let named = (wanted.resource_type, wanted.resource_name.clone());
            if !seen.insert(named.clone()) {
                twice.insert(named);
            }
        }
        let mut responses = Vec::with_capacity(all.len());
        for wanted in all {
            let named = (wanted.resource_type, wanted.resource_name.clone());
            let altered = match twice.contains(&named) {
                true => Err(invalid("Each resource must appear at most once.")),
                false => self.alter(now, wanted, validate_only, out),
            };
            let (error_code, error_message) = Refused::told(altered);
            let (resource_type, resource_name) = named;
            responses.push(AlterConfigsResourceResponse {
                error_code,
                error_message,
                resource_type,
                resource_name,
            });
        }
        responses
    }

    fn alter(
        &mut self,
        now: Now,
        wanted: Wanted,
        validate_only: bool,
        out: &mut Vec<Output>,
    ) -> Result<(), Refused> {
        let mut names = BTreeSet::new();
        if !wanted.changes.iter().all(|change| names.insert(&change.name)) {
            return Err(invalid("Error due to duplicate config keys"));
        }
        let without: Vec<&str> = wanted
            .changes
            .iter()
            .filter(|change| change.operation != operation::DELETE && change.value.is_none())
            .map(|change| change.name.as_str())
            .collect();
        if !without.is_empty() {
            return Err(invalid(format!("Null value not supported for : {}", without.join(", "))));
        }
        let resource = self.alterable(wanted.resource_type, &wanted.resource_name)?;
        let have = self.cluster.settings(&resource).cloned();
        let unknown = have.is_none();
        let have = have.unwrap_or_default();
        let mut new = if wanted.replace { Settings::new() } else { have.clone() };
        for change in wanted.changes {
            self.apply_change(&resource, change, &mut new)?;
        }
        let new = checked(&resource, &have, new)?;
        if unknown {
            let why = format!("The topic '{}' does not exist.", wanted.resource_name);
            return Err(Refused::new(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, why));
        }
        if validate_only {
            return Ok(());
        }
        let changes = difference(&have, new);
        let may_elect = changes.iter().any(|(name, _)| name == UNCLEAN);
        let record = |(name, value)| Record::Config { resource: resource.clone(), name, value };
        self.append(now, changes.into_iter().map(record).collect())?;
        if may_elect {
            self.rebalance_later(now); // if what follows cannot be written
            let records = self.with_settings(out);
            self.append(now, records)?;
        }
        Ok(())
    }

    /// Whose settings may be altered: any topic's, all brokers', and any broker's. (That a broker is
    /// asked about itself only is for it to see to.)
    fn alterable(&self, resource_type: i8, name: &str) -> Result<Resource, Refused> {
        match resource_type {
            resource::TOPIC if name.is_empty() => {
                return Err(invalid("Default topic resources are not allowed."));
            }
            resource::TOPIC => check_name(name)?,
            resource::BROKER if !name.is_empty() => match name.parse::<i32>() {
                Ok(_) => {}
                Err(_) => {
                    return Err(invalid(format!("Node id must be an integer, but it is: {name}")));
                }
            },
            _ => {}
        }
        Resource::named(resource_type, name)
            .ok_or_else(|| invalid(format!("Unknown resource type {resource_type}")))
    }

    /// Makes one change to what is set.
    fn apply_change(
        &self,
        resource: &Resource,
        change: Change,
        settings: &mut Settings,
    ) -> Result<(), Refused> {
        let Change { name, operation, value } = change;
        let value = value.unwrap_or_default();
        match operation {
            operation::SET => drop(settings.insert(name, value)),
            operation::DELETE => drop(settings.remove(&name)),
            operation::APPEND | operation::SUBTRACT => {
                let setting = setting_of(resource, &name).filter(|setting| setting.is_list());
                let setting = setting.ok_or_else(|| no_list(resource, operation, &name))?;
                let old = settings.get(&name).map(String::as_str);
                let mut list = items(old.unwrap_or_else(|| self.config.at_start(setting)));
                let given = items(&value);
                if operation == operation::APPEND {
                    for item in given {
                        if !list.contains(&item) {
                            list.push(item);
                        }
                    }
                } else {
                    list.retain(|item| !given.contains(item));
                }
                let list = list.join(",");
                settings.insert(name, list);
            }
            // Kafka gives UNKNOWN_SERVER_ERROR for a topic's: it did not think of it.
            other => return Err(invalid(format!("Unknown operations type {other}"))),
        }
        Ok(())
    }
}

/// The setting of a resource under the name that it has there.
fn setting_of(resource: &Resource, name: &str) -> Option<&'static Setting> {
    match resource {
        Resource::Topic(_) => of_topic(name),
        Resource::Broker(_) | Resource::AllBrokers => of_broker(name),
    }
}

/// Whether a resource may have these settings, and the same ones without the spaces that do not count.
fn checked(resource: &Resource, have: &Settings, new: Settings) -> Result<Settings, Refused> {
    let Resource::Topic(_) = resource else { return checked_broker(have, new) };
    check_topic(&new).map_err(|why| Refused::new(ErrorCode::INVALID_CONFIG, why))
}

/// Kafka takes names of brokers' settings that it does not know: a plug-in may. Here none would.
fn checked_broker(have: &Settings, new: Settings) -> Result<Settings, Refused> {
    let fixed = new.keys().filter(|name| of_broker(name).is_some_and(|it| !it.is_dynamic()));
    let fixed: Vec<&str> = fixed.map(String::as_str).collect();
    if !fixed.is_empty() {
        let why = format!("Cannot update these configs dynamically: Set({})", fixed.join(", "));
        return Err(invalid(why));
    }
    let checked = new.into_iter().map(|(name, value)| match of_broker(&name) {
        Some(setting) => setting.check(&name, &value).map(|value| (name, value)),
        // What a log of another release has left may stay.
        None if have.get(&name) == Some(&value) => Ok((name, value)),
        None => Err(format!("Unknown broker config name: {name}")),
    });
    checked.collect::<Result<_, _>>().map_err(invalid)
}

/// What has to change for `have` to become `new`.
fn difference(have: &Settings, new: Settings) -> Vec<(String, Option<String>)> {
    let gone = have.keys().filter(|name| !new.contains_key(*name));
    let mut changes: Vec<_> = gone.map(|name| (name.clone(), None)).collect();
    let set = new.into_iter().filter(|(name, value)| have.get(name) != Some(value));
    changes.extend(set.map(|(name, value)| (name, Some(value))));
    changes
}

fn no_list(resource: &Resource, operation: i8, name: &str) -> Refused {
    let (topics, brokers) = match operation {
        operation::APPEND => ("APPEND", "append"),
        _ => ("SUBTRACT", "subtract"),
    };
    let why = match resource {
        Resource::Topic(_) => {
            format!("Can't {topics} to key {name} because its type is not LIST.")
        }
        _ => format!("Config value {brokers} is not allowed for config key: {name}"),
    };
    Refused::new(ErrorCode::INVALID_CONFIG, why)
}

fn invalid(why: impl Into<String>) -> Refused {
    Refused::new(ErrorCode::INVALID_REQUEST, why)
}
