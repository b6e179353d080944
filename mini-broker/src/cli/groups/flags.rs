//! Which flags go together, and what their values may be.

use super::{Action, Args};
use crate::cli::Failure;

/// `ConsumerGroupCommandOptions.checkArgs`, and more: what Kafka's tool would leave unread is refused.
pub fn check(args: &Args, action: Action) -> Result<(), Failure> {
    use Action::{Delete, DeleteOffsets, Describe, List, ResetOffsets};
    let refuse = |sentence: String| Err(Failure::usage(sentence));
    for (flag, given, goes_with) in [
        ("--group", !args.group.is_empty(), &[Describe, Delete, DeleteOffsets, ResetOffsets][..]),
        ("--all-groups", args.all_groups, &[Describe, Delete, ResetOffsets]),
        ("--topic", !args.topic.is_empty(), &[DeleteOffsets, ResetOffsets]),
        ("--all-topics", args.all_topics, &[ResetOffsets]),
        ("--members", args.members, &[Describe]),
        ("--offsets", args.offsets, &[Describe]),
        ("--verbose", args.verbose, &[Describe]),
        ("--state", args.state.is_some(), &[List, Describe]),
        ("--type", args.types.is_some(), &[List]),
        ("--dry-run", args.dry_run, &[ResetOffsets]),
        ("--execute", args.execute, &[ResetOffsets]),
        ("--export", args.export, &[ResetOffsets]),
        (scenario(args).unwrap_or_default(), scenario(args).is_some(), &[ResetOffsets]),
    ] {
        if given && !goes_with.contains(&action) {
            let with: Vec<_> = goes_with.iter().map(Action::to_string).collect();
            return refuse(format!("{flag} goes with {}, not with {action}", with.join(", ")));
        }
    }
    let some_group = !args.group.is_empty() || args.all_groups;
    match action {
        Describe | Delete | ResetOffsets if !some_group => {
            refuse(format!("{action} needs --group or --all-groups"))
        }
        Describe if args.state.as_ref().is_some_and(|filter| !filter.0.is_empty()) => {
            refuse("--state takes no value with --describe: it prints the state".to_owned())
        }
        DeleteOffsets if args.group.is_empty() || args.topic.is_empty() => {
            refuse("--delete-offsets needs --group and --topic".to_owned())
        }
        DeleteOffsets if args.group.len() > 1 => refuse(format!(
            "--delete-offsets takes one --group, not {}: {}",
            args.group.len(),
            args.group.join(", ")
        )),
        ResetOffsets if scenario(args).is_none() => refuse(
            "--reset-offsets needs to be told where to: --to-earliest, --to-latest, --to-current, \
             --to-offset, --shift-by, --to-datetime, --by-duration or --from-file"
                .to_owned(),
        ),
        ResetOffsets if args.from_file.is_some() && (args.all_topics || !args.topic.is_empty()) => {
            refuse("--from-file goes without --topic and --all-topics: the file says it".to_owned())
        }
        ResetOffsets if args.from_file.is_none() && !args.all_topics && args.topic.is_empty() => {
            refuse("--reset-offsets needs --topic or --all-topics".to_owned())
        }
        _ => Ok(()),
    }
}

fn scenario(args: &Args) -> Option<&'static str> {
    let all = [
        ("--to-earliest", args.to_earliest),
        ("--to-latest", args.to_latest),
        ("--to-current", args.to_current),
        ("--to-offset", args.to_offset.is_some()),
        ("--shift-by", args.shift_by.is_some()),
        ("--to-datetime", args.to_datetime.is_some()),
        ("--by-duration", args.by_duration.is_some()),
        ("--from-file", args.from_file.is_some()),
    ];
    all.into_iter().find(|(_, given)| *given).map(|(flag, _)| flag)
}

/// Names as Kafka writes them; none: all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter(pub Vec<String>);

/// `GroupState`, those of consumer groups.
const STATES: &[&str] = &[
    "PreparingRebalance",
    "CompletingRebalance",
    "Stable",
    "Dead",
    "Empty",
    "Assigning",
    "Reconciling",
];

/// `GroupType`, those of consumer groups.
const TYPES: &[&str] = &["Classic", "Consumer"];

pub fn states(argument: &str) -> Result<Filter, String> {
    filter(argument, STATES)
}

pub fn types(argument: &str) -> Result<Filter, String> {
    filter(argument, TYPES)
}

fn filter(argument: &str, known: &[&str]) -> Result<Filter, String> {
    if argument.is_empty() {
        return Ok(Filter(Vec::new()));
    }
    let mut names = Vec::new();
    for text in argument.split(',').map(str::trim) {
        let name = canonical(text, known);
        names.push(name.ok_or_else(|| format!("`{text}`: expected {}", known.join(", ")))?);
    }
    Ok(Filter(names.into_iter().map(str::to_owned).collect()))
}

fn canonical<'a>(text: &str, known: &[&'a str]) -> Option<&'a str> {
    known.iter().find(|name| name.eq_ignore_ascii_case(text)).copied()
}

/// A state, or a type, as Kafka's tool writes it.
pub fn state_name(text: &str) -> &'static str {
    canonical(text, STATES).unwrap_or("Unknown")
}

pub fn type_name(text: &str) -> &'static str {
    canonical(text, TYPES).unwrap_or("Unknown")
}

#[cfg(test)]
mod tests {
    use super::{Filter, state_name, states, types};

    #[test]
    fn filters_are_names_in_any_case() {
        assert_eq!(states(""), Ok(Filter(vec![])));
        let two = vec!["Stable".to_owned(), "Empty".to_owned()];
        assert_eq!(states("stable, EMPTY"), Ok(Filter(two)));
        assert_eq!(types("classic"), Ok(Filter(vec!["Classic".to_owned()])));
        assert_eq!(types("share").unwrap_err(), "`share`: expected Classic, Consumer");
        assert!(states("stable,").unwrap_err().starts_with("``: expected PreparingRebalance"));
        assert_eq!(state_name("preparingrebalance"), "PreparingRebalance");
        assert_eq!(state_name("odd"), "Unknown");
    }
}
