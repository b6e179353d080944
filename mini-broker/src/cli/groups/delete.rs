//! `--delete` and `--delete-offsets`: groups, or some of their commits, are forgotten.

use std::collections::BTreeMap;
use std::io::Write;

use wire::ErrorCode;

use super::{Args, scope, verdict};
use crate::cli::Failure;
use crate::client::{Client, Error, TopicPartition};
use crate::labs::lag::{Column, MISSING, table};

pub async fn groups(client: &mut Client, args: &Args, out: &mut impl Write) -> Result<(), Failure> {
    let (mut deleted, mut failed) = (Vec::new(), Vec::new());
    for group in args.groups(client).await? {
        match client.delete_group(&group).await {
            Ok(()) => deleted.push(format!("'{group}'")),
            Err(error) => {
                let why = reason(&error);
                failed.push(format!("* Group '{group}' could not be deleted due to: {why}"));
            }
        }
    }
    let deleted = deleted.join(", ");
    if failed.is_empty() {
        writeln!(out, "Deletion of requested consumer groups ({deleted}) was successful.")?;
        return Ok(());
    }
    if !deleted.is_empty() {
        writeln!(out, "\nThese consumer groups were deleted successfully: {deleted}")?;
    }
    failed.insert(0, "Deletion of some consumer groups failed:".to_owned());
    verdict(failed)
}

/// Without what it is about, which the line says already.
fn reason(error: &Error) -> String {
    match error {
        Error::Refused { code, .. } => said(*code),
        other => other.to_string(),
    }
}

fn said(code: ErrorCode) -> String {
    format!("{code}: {}", code.sentence())
}

pub async fn offsets(
    client: &mut Client,
    args: &Args,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let group = args.group.first().map(String::as_str).unwrap_or_default();
    let names: Vec<&str> = args.topic.iter().map(|topic| &topic.name[..]).collect();
    let topics = client.metadata(Some(&names), false).await?.topics;
    let mut wanted: Vec<TopicPartition> = Vec::new();
    let mut outcomes = BTreeMap::new();
    for topic in &args.topic {
        let numbers = match &topic.partitions {
            Some(numbers) => Ok(numbers.clone()),
            None => scope::numbers_of(&topic.name, &topics),
        };
        match numbers {
            Ok(numbers) => wanted.extend(numbers.iter().map(|n| (topic.name.clone(), *n))),
            Err(Error::Refused { code, .. }) => {
                outcomes.insert((topic.name.clone(), -1), code);
            }
            Err(error) => return Err(error.into()),
        }
    }
    if !wanted.is_empty() {
        outcomes.extend(client.delete_offsets(group, &wanted).await?);
    }
    let failed = outcomes.values().any(|code| code.is_err());
    if !failed {
        writeln!(out, "Request succeeded for deleting offsets from group {group}.")?;
    }
    write!(out, "\n{}", lines(&outcomes))?;
    match failed {
        false => Ok(()),
        true => Err(Failure::new(format!(
            "not all offsets of group `{group}` were deleted: the table says which"
        ))),
    }
}

fn lines(outcomes: &BTreeMap<TopicPartition, ErrorCode>) -> String {
    let columns =
        [Column::Grows("TOPIC", 15), Column::Fixed("PARTITION", 10), Column::Fixed("STATUS", 15)];
    let mut rows = Vec::new();
    for ((topic, partition), code) in outcomes {
        let number = if *partition < 0 { MISSING.to_owned() } else { partition.to_string() };
        let status = match code.is_ok() {
            true => "Successful".to_owned(),
            false => format!("Error: {}", said(*code)),
        };
        // As text: partition 10 stands before partition 2.
        let sorted_by = format!("{topic}{partition}");
        rows.push((sorted_by, vec![topic.clone(), number, status]));
    }
    rows.sort();
    table(&columns, &rows.into_iter().map(|(_, row)| row).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use wire::ErrorCode;

    use super::lines;
    use crate::cli::groups::recorded::{Cells, recorded, tables};

    #[test]
    fn outcomes_are_laid_out_as_by_kafkas_tool() {
        let text = recorded!("delete-offsets");
        let (_, table) = text.split_once("\n\n").unwrap();
        let rows = tables(table).remove(0);
        let place = |row: &Cells| (row["TOPIC"].clone(), row["PARTITION"].parse().unwrap());
        let outcomes = rows.iter().map(|row| (place(row), ErrorCode::NONE)).collect();
        assert_eq!(lines(&outcomes), table);

        let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
        let outcomes = [("t", 10, ErrorCode::NONE), ("t", 2, ErrorCode::NONE), ("u", -1, unknown)];
        let outcomes = outcomes.map(|(topic, number, code)| ((topic.to_owned(), number), code));
        let said = lines(&outcomes.into());
        let starts: Vec<_> = said.lines().skip(1).map(|line| &line[..18]).collect();
        assert_eq!(starts, ["t               10", "t               2 ", "u               - "]);
        assert!(said.contains(" Error: UNKNOWN_TOPIC_OR_PARTITION (3): "), "{said}");
    }
}
