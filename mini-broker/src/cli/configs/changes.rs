//! `--alter`: what `--add-config` and `--delete-config` say, and doing it.

use std::collections::BTreeMap;
use std::io::Write;

use super::{Args, Failure, is_own};
use crate::client::Client;
use crate::client::admin::Resource;

/// Names and values; of a name that is given twice, the later value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings(BTreeMap<String, String>);

/// `ConfigCommand.parseConfigsToBeAdded`: `a=1,b=[2,3],c=`. Brackets are no part of the value.
pub fn parse(argument: &str) -> Result<Settings, String> {
    let mut settings = BTreeMap::new();
    for part in outside_brackets(argument) {
        let parts: Vec<&str> = part.split('=').collect();
        let [name, value] = parts[..] else {
            return Err(format!(
                "`{part}`: expected NAME=VALUE, or NAME=[VALUE,VALUE] where a value has commas"
            ));
        };
        let name = name.trim();
        let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if name.is_empty() || !name.chars().all(is_letter) {
            return Err(format!(
                "`{name}` is no name of a setting: letters, digits, `.`, `_`, `-`"
            ));
        }
        settings.insert(name.to_owned(), value.replace(['[', ']'], "").trim().to_owned());
    }
    Ok(Settings(settings))
}

/// Cuts at the commas that stand in no brackets.
fn outside_brackets(text: &str) -> Vec<&str> {
    let mut inside = false;
    text.split(|c| {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            _ => {}
        }
        c == ',' && !inside
    })
    .collect()
}

/// What can be seen before a broker is asked.
pub fn check(args: &Args) -> Result<(), Failure> {
    let Args { add_config, delete_config, .. } = args;
    let both = add_config.iter().flat_map(|settings| settings.0.keys());
    let both = both.into_iter().find(|name| delete_config.contains(name));
    match both {
        _ if add_config.is_none() && delete_config.is_empty() => {
            Err(Failure::usage("--alter needs --add-config or --delete-config: what should change"))
        }
        Some(name) => Err(Failure::usage(format!(
            "`{name}` stands in --add-config and in --delete-config: expected one of them"
        ))),
        None => Ok(()),
    }
}

pub async fn alter(
    client: &mut Client,
    of: Resource<'_>,
    args: &Args,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let delete: Vec<String> =
        args.delete_config.iter().map(|name| name.trim().to_owned()).collect();
    // A broker takes away without a word what is not there; Kafka's tool says that it is not.
    let configs = client.configs(of).await?;
    let is_set = |name: &String| configs.iter().any(|c| c.name == *name && is_own(of, c));
    if let Some(name) = delete.iter().find(|name| !is_set(name)) {
        return Err(Failure::new(format!(
            "`{name}` cannot be deleted: it is not set for {of}. --describe prints what is"
        )));
    }
    let set = args.add_config.clone().unwrap_or_default().0.into_iter().collect();
    client.alter_configs(of, set, delete).await?;
    match of {
        Resource::Topic(name) => writeln!(out, "Completed updating config for topic {name}.")?,
        Resource::Broker(id) => writeln!(out, "Completed updating config for broker {id}.")?,
        Resource::EveryBroker => {
            writeln!(out, "Completed updating default config for brokers in the cluster.")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn pairs(argument: &str) -> Vec<(String, String)> {
        parse(argument).unwrap().0.into_iter().collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn brackets_hold_a_value_together() {
        assert_eq!(
            pairs("cleanup.policy=[compact,delete],retention.ms = 5"),
            [pair("cleanup.policy", "compact,delete"), pair("retention.ms", "5")]
        );
        assert_eq!(pairs("a=[b],c=,d=1,d=2"), [pair("a", "b"), pair("c", ""), pair("d", "2")]);
    }

    #[test]
    fn what_is_no_setting_is_named() {
        for wrong in ["a", "a=b,c", "a=b=c", "", "a=1,,b=2"] {
            assert!(parse(wrong).unwrap_err().contains("expected NAME=VALUE"), "{wrong}");
        }
        assert!(parse("a b=c").unwrap_err().starts_with("`a b` is no name of a setting"));
        assert!(parse("=c").unwrap_err().starts_with("`` is no name of a setting"));
    }
}
