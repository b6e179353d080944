//! `--describe`: how far groups have read and what is left, who their members are, what state they
//! are in.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use wire::consumer_protocol::{ConsumerProtocolAssignment, PROTOCOL_TYPE};
use wire::group_admin::{DescribedGroup, DescribedGroupMember};
use wire::list_offsets::LATEST;

use super::flags::state_name;
use super::{Args, scope, verdict};
use crate::cli::Failure;
use crate::client::coordinator::Coordinator;
use crate::client::{Client, TopicPartition, address};
use crate::labs::lag::{self, Column, MISSING, Owner, Row, cell, table};
use crate::labs::{fenced, told};

pub async fn describe(
    client: &mut Client,
    args: &Args,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let mut failed = Vec::new();
    for group in args.groups(client).await? {
        if let Err(failure) = describe_one(client, args, &group, out).await {
            failed.push(failure.sentence);
        }
    }
    verdict(failed)
}

async fn describe_one(
    client: &mut Client,
    args: &Args,
    name: &str,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let (group, coordinator) = described(client, name).await?;
    let state = state_name(&group.group_state);
    match state {
        "Dead" => return Err(Failure::new(format!("Consumer group '{name}' does not exist."))),
        "Empty" => eprintln!("\nConsumer group '{name}' has no active members."),
        "Stable" => {}
        _ => eprintln!("\nWarning: Consumer group '{name}' is rebalancing."),
    }
    let lines = match (args.members, args.state.is_some()) {
        (true, _) => members(&group, args.verbose)?,
        (_, true) => group_state(&group, state, &coordinator, args.verbose),
        _ => {
            let rows = read_so_far(client, &group).await?;
            if rows.is_empty() {
                return Ok(());
            }
            // LAG is the organ of lab 5.
            let laid = fenced(|| lag::describe(&rows, args.verbose));
            laid.map_err(|broken| Failure::new(told("lag", &broken)))?
        }
    };
    Ok(write!(out, "\n{lines}")?)
}

/// A group of consumers.
pub async fn described(
    client: &mut Client,
    name: &str,
) -> Result<(DescribedGroup, Coordinator), Failure> {
    let (group, coordinator) = client.describe_group(name).await?;
    match group.protocol_type.is_empty() || group.protocol_type == PROTOCOL_TYPE {
        true => Ok((group, coordinator)),
        false => Err(Failure::new(format!(
            "group `{name}` is no group of consumers: its protocol type is `{}`",
            group.protocol_type
        ))),
    }
}

/// Members with many partitions first, and what nobody reads last.
async fn read_so_far(client: &mut Client, group: &DescribedGroup) -> Result<Vec<Row>, Failure> {
    let committed = client.committed(&group.group_id, None, false).await?;
    let mut members = Vec::new();
    for member in &group.members {
        members.push((assignment(member)?, member));
    }
    let read: BTreeSet<_> = members.iter().flat_map(|(partitions, _)| partitions.clone()).collect();
    let all: BTreeSet<_> = read.iter().chain(committed.keys()).cloned().collect();
    let ends = scope::log_offsets(client, &all, LATEST).await?;
    members.sort_by_key(|(partitions, member)| {
        (std::cmp::Reverse(partitions.len()), member.member_id.clone())
    });
    let row = |(topic, partition): TopicPartition, owner: Option<Owner>| {
        let committed = committed.get(&(topic.clone(), partition));
        let log_end = ends.get(&(topic.clone(), partition));
        Row {
            group: group.group_id.clone(),
            topic,
            partition,
            committed: committed.and_then(|it| u64::try_from(it.offset).ok()),
            leader_epoch: committed.map(|it| it.leader_epoch).filter(|epoch| *epoch >= 0),
            log_end: log_end.and_then(|end| u64::try_from(*end).ok()),
            owner,
        }
    };
    let mut rows = Vec::new();
    for (partitions, member) in members {
        let owner = Owner {
            member_id: member.member_id.clone(),
            host: member.client_host.clone(),
            client_id: member.client_id.clone(),
        };
        rows.extend(partitions.into_iter().map(|partition| row(partition, Some(owner.clone()))));
    }
    let unread = committed.keys().filter(|partition| !read.contains(partition));
    rows.extend(unread.map(|partition| row(partition.clone(), None)));
    Ok(rows)
}

/// Sorted.
fn assignment(member: &DescribedGroupMember) -> Result<Vec<TopicPartition>, Failure> {
    if member.member_assignment.is_empty() {
        return Ok(Vec::new());
    }
    let read = ConsumerProtocolAssignment::from_bytes(&member.member_assignment);
    let read = read.map_err(|malformed| {
        let id = &member.member_id;
        Failure::new(format!("the assignment of member {id} cannot be read: {malformed}"))
    })?;
    let mut partitions = Vec::new();
    for of in read.assigned_partitions {
        partitions.extend(of.partitions.into_iter().map(|partition| (of.topic.clone(), partition)));
    }
    partitions.sort();
    Ok(partitions)
}

fn members(group: &DescribedGroup, verbose: bool) -> Result<String, Failure> {
    use Column::{Fixed, Grows};
    let named = |member: &DescribedGroupMember| {
        member.group_instance_id.clone().filter(|instance| !instance.is_empty())
    };
    let instances = group.members.iter().any(|member| named(member).is_some());
    let mut columns = vec![Grows("GROUP", 15), Grows("CONSUMER-ID", 15)];
    columns.extend(instances.then_some(Grows("GROUP-INSTANCE-ID", 17)));
    columns.extend([Grows("HOST", 15), Grows("CLIENT-ID", 15), Fixed("#PARTITIONS", 15)]);
    match verbose {
        true => columns.extend([
            Fixed("CURRENT-EPOCH", 15),
            Grows("CURRENT-ASSIGNMENT", 20),
            Fixed("TARGET-EPOCH", 15),
            Grows("TARGET-ASSIGNMENT", 20),
        ]),
        // Kafka's lines end with the space after the last column.
        false => columns.push(Fixed("", 0)),
    }
    let mut rows = Vec::new();
    let mut sorted: Vec<_> = group.members.iter().collect();
    sorted.sort_by(|a, b| a.member_id.cmp(&b.member_id));
    for member in sorted {
        let partitions = assignment(member)?;
        let mut cells = vec![group.group_id.clone(), member.member_id.clone()];
        cells.extend(instances.then(|| named(member).unwrap_or_default()));
        cells.extend([member.client_host.clone(), member.client_id.clone()]);
        cells.push(partitions.len().to_string());
        match verbose {
            true => {
                let current = Some(by_topic(&partitions)).filter(|text| !text.is_empty());
                cells.extend([MISSING.to_owned(), cell(current)]);
                cells.extend([MISSING.to_owned(), MISSING.to_owned()]);
            }
            false => cells.push(String::new()),
        }
        rows.push(cells);
    }
    Ok(table(&columns, &rows))
}

/// `orders:0,1;payments:3`
fn by_topic(partitions: &[TopicPartition]) -> String {
    let mut topics: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (topic, partition) in partitions {
        topics.entry(topic).or_default().push(partition.to_string());
    }
    let of = |(topic, partitions): (&str, Vec<String>)| format!("{topic}:{}", partitions.join(","));
    topics.into_iter().map(of).collect::<Vec<_>>().join(";")
}

fn group_state(
    group: &DescribedGroup,
    state: &str,
    coordinator: &Coordinator,
    verbose: bool,
) -> String {
    use Column::{Fixed, Grows};
    let Coordinator { node_id, host, port } = coordinator;
    let mut columns = vec![Grows("GROUP", 15), Grows("COORDINATOR (ID)", 25)];
    columns.extend([Fixed("ASSIGNMENT-STRATEGY", 20), Fixed("STATE", 20)]);
    let mut cells = vec![group.group_id.clone(), format!("{}  ({node_id})", address(host, *port))];
    cells.push(cell(Some(&group.protocol_data).filter(|name| !name.is_empty())));
    cells.push(state.to_owned());
    if verbose {
        columns.extend([Fixed("GROUP-EPOCH", 15), Fixed("TARGET-ASSIGNMENT-EPOCH", 25)]);
        cells.extend([MISSING.to_owned(), MISSING.to_owned()]);
    }
    columns.push(Fixed("#MEMBERS", 0));
    cells.push(group.members.len().to_string());
    table(&columns, &[cells])
}
