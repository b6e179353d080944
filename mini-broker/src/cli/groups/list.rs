//! `--list`: names, and with `--state` or `--type` a table.

use std::io::Write;

use wire::consumer_protocol::PROTOCOL_TYPE;
use wire::group_admin::ListedGroup;

use super::Args;
use super::flags::{Filter, state_name, type_name};
use crate::cli::Failure;
use crate::client::Client;
use crate::labs::lag::{Column, table};

pub async fn list(client: &mut Client, args: &Args, out: &mut impl Write) -> Result<(), Failure> {
    let names = |filter: &Option<Filter>| filter.clone().map_or(Vec::new(), |filter| filter.0);
    let groups = consumer_groups(client, &names(&args.state), &names(&args.types)).await?;
    if args.state.is_none() && args.types.is_none() {
        for group in groups {
            writeln!(out, "{}", group.group_id)?;
        }
        return Ok(());
    }
    Ok(write!(out, "{}", lines(&groups, args.types.is_some(), args.state.is_some()))?)
}

/// In the order of their names. Groups of others than consumers, such as Kafka Connect's, are left
/// out; one that holds commits only has no protocol type.
pub async fn consumer_groups(
    client: &mut Client,
    states: &[String],
    types: &[String],
) -> Result<Vec<ListedGroup>, Failure> {
    let mut groups = client.list_groups(states, types).await?;
    groups.retain(|group| group.protocol_type.is_empty() || group.protocol_type == PROTOCOL_TYPE);
    Ok(groups)
}

fn lines(groups: &[ListedGroup], types: bool, states: bool) -> String {
    let widest = groups.iter().map(|group| group.group_id.chars().count()).max();
    let mut columns = vec![Column::Fixed("GROUP", widest.unwrap_or_default().max(15) + 10)];
    columns.extend(types.then_some(Column::Fixed("TYPE", 20)));
    columns.extend(states.then_some(Column::Fixed("STATE", 20)));
    let row = |group: &ListedGroup| {
        let mut row = vec![group.group_id.clone()];
        row.extend(types.then(|| type_name(&group.group_type).to_owned()));
        row.extend(states.then(|| state_name(&group.group_state).to_owned()));
        row
    };
    table(&columns, &groups.iter().map(row).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use wire::group_admin::ListedGroup;

    use super::lines;
    use crate::cli::groups::recorded::{Cells, recorded, tables};

    fn listed(cells: &Cells) -> ListedGroup {
        let cell = |title: &str| cells.get(title).cloned().unwrap_or_default();
        ListedGroup {
            group_id: cell("GROUP"),
            protocol_type: "consumer".to_owned(),
            group_state: cell("STATE"),
            // In whatever case.
            group_type: cell("TYPE").to_lowercase(),
        }
    }

    #[test]
    fn groups_are_laid_out_as_by_kafkas_tool() {
        for (text, types) in [(recorded!("list"), true), (recorded!("list-state"), false)] {
            let groups: Vec<_> = tables(text)[0].iter().map(listed).collect();
            assert_eq!(lines(&groups, types, true), text);
        }
    }
}
