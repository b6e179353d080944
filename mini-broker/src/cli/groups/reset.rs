//! `--reset-offsets`: groups without members read on from elsewhere. Without `--execute` it is only
//! said from where.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use wire::list_offsets::{EARLIEST, LATEST};

use super::{Args, describe, plan_file, scope, verdict};
use crate::cli::{Failure, terminal};
use crate::client::group_admin::{Committed, Committer};
use crate::client::{Client, TopicPartition};
use crate::labs::lag::{Column, table};

type Offsets = BTreeMap<TopicPartition, i64>;

pub async fn reset(client: &mut Client, args: &Args, out: &mut impl Write) -> Result<(), Failure> {
    if !args.dry_run && !args.execute {
        eprintln!(
            "WARN: No action will be performed as the --execute option is missing. In a future \
             major release, the default behavior of this command will be to prompt the user before \
             executing the reset rather than doing a dry run. You should add the --dry-run option \
             explicitly if you are scripting this command and want to keep the current default \
             behavior without prompting."
        );
    }
    let plan = match &args.from_file {
        Some(file) => Some(plan_file::read(file, &args.group)?),
        None => None,
    };
    let (mut done, mut failed) = (BTreeMap::new(), Vec::new());
    for group in args.groups(client).await? {
        match reset_one(client, args, plan.as_ref(), &group, out).await {
            Ok(offsets) => {
                done.insert(group, offsets);
            }
            Err(failure) => failed.push(failure.sentence),
        }
    }
    if !done.is_empty() {
        print(&done, args, out)?;
    }
    verdict(failed)
}

async fn reset_one(
    client: &mut Client,
    args: &Args,
    plan: Option<&plan_file::Plan>,
    group: &str,
    out: &mut impl Write,
) -> Result<Offsets, Failure> {
    let (described, _) = describe::described(client, group).await?;
    if !["Empty", "Dead"].contains(&&described.group_state[..]) {
        return Err(Failure::new(format!(
            "Assignments can only be reset if the group '{group}' is inactive, but the current state \
             is {}.",
            described.group_state
        )));
    }
    let offsets = match plan {
        Some(plan) => {
            let wanted = plan
                .get(group)
                .ok_or_else(|| Failure::new(format!("No reset plan for group {group} found")))?;
            within_log(client, wanted).await?
        }
        None => new_offsets(client, args, group, out).await?,
    };
    if args.execute {
        let at = |offset: &i64| Committed { offset: *offset, leader_epoch: -1 };
        let commits = offsets.iter().map(|(place, offset)| (place.clone(), at(offset)));
        client.commit(group, &Committer::default(), &commits.collect()).await?;
    }
    Ok(offsets)
}

/// Where each partition in scope goes on.
async fn new_offsets(
    client: &mut Client,
    args: &Args,
    group: &str,
    out: &mut impl Write,
) -> Result<Offsets, Failure> {
    let committed = client.committed(group, None, false).await?;
    let committed: Offsets = committed.into_iter().map(|(place, at)| (place, at.offset)).collect();
    let places: BTreeSet<_> = match args.all_topics {
        true => committed.keys().cloned().collect(),
        false => scope::partitions(client, &args.topic).await?,
    };
    let to_time = match args.by_duration {
        Some(duration_ms) => Some(terminal::wall_ms() - duration_ms),
        None => args.to_datetime,
    };
    if let Some(offset) = args.to_offset {
        let wanted = places.into_iter().map(|place| (place, offset)).collect();
        within_log(client, &wanted).await
    } else if let Some(shift) = args.shift_by {
        let shifted = places.into_iter().map(|place| match committed.get(&place) {
            Some(offset) => Ok((place, offset.saturating_add(shift))),
            None => Err(Failure::new(format!(
                "Cannot shift offset for partition {} since there is no current committed offset",
                named(&place)
            ))),
        });
        within_log(client, &shifted.collect::<Result<_, _>>()?).await
    } else if let Some(time) = to_time {
        at_time(client, &places, time, args.export, out).await
    } else if args.to_current {
        let (known, unknown): (BTreeSet<_>, _) =
            places.into_iter().partition(|place| committed.contains_key(place));
        let mut offsets = log_offsets(client, &unknown, LATEST).await?;
        offsets.extend(known.into_iter().map(|place| {
            let offset = committed[&place];
            (place, offset)
        }));
        Ok(offsets)
    } else {
        let end = if args.to_earliest { EARLIEST } else { LATEST };
        log_offsets(client, &places, end).await
    }
}

/// Each partition must have one.
async fn log_offsets(
    client: &mut Client,
    places: &BTreeSet<TopicPartition>,
    time: i64,
) -> Result<Offsets, Failure> {
    let offsets = scope::log_offsets(client, places, time).await?;
    match places.iter().find(|place| !offsets.contains_key(*place)) {
        None => Ok(offsets),
        Some(place) => {
            let place = named(place);
            Err(Failure::new(format!("{place} is not there, or has no leader to ask for offsets")))
        }
    }
}

/// Where nothing was written since, the log's end.
async fn at_time(
    client: &mut Client,
    places: &BTreeSet<TopicPartition>,
    time: i64,
    export: bool,
    out: &mut impl Write,
) -> Result<Offsets, Failure> {
    let mut offsets = log_offsets(client, places, time).await?;
    offsets.retain(|_, offset| *offset >= 0);
    let rest: BTreeSet<_> =
        places.iter().filter(|place| !offsets.contains_key(*place)).cloned().collect();
    for (topic, partition) in &rest {
        let warning = format!(
            "\nWarn: Partition {partition} from topic {topic} is empty. Falling back to latest \
             known offset."
        );
        // Kafka's tool puts it between the lines that --from-file should read.
        match export {
            true => eprintln!("{warning}"),
            false => writeln!(out, "{warning}")?,
        }
    }
    offsets.extend(log_offsets(client, &rest, LATEST).await?);
    Ok(offsets)
}

/// What lies outside the log is moved to its nearer end.
async fn within_log(client: &mut Client, wanted: &Offsets) -> Result<Offsets, Failure> {
    let places: BTreeSet<_> = wanted.keys().cloned().collect();
    let first = log_offsets(client, &places, EARLIEST).await?;
    let last = log_offsets(client, &places, LATEST).await?;
    let mut offsets = Offsets::new();
    for (place, offset) in wanted {
        let (first, last) = (first[place], last[place]);
        let (new, why) = match *offset {
            offset if offset > last => (last, "higher than latest"),
            offset if offset < first => (first, "lower than earliest"),
            offset => (offset, ""),
        };
        if new != *offset {
            let place = named(place);
            eprintln!(
                "WARN: New offset ({offset}) is {why} offset for topic partition {place}. Value \
                 will be set to {new}"
            );
        }
        offsets.insert(place.clone(), new);
    }
    Ok(offsets)
}

fn print(done: &BTreeMap<String, Offsets>, args: &Args, out: &mut impl Write) -> io::Result<()> {
    if args.export {
        // Kafka's tool ends with an empty line.
        return writeln!(out, "{}", plan_file::lines(done, args.group.len() == 1));
    }
    write!(out, "\n{}", lines(done))
}

fn lines(done: &BTreeMap<String, Offsets>) -> String {
    let columns = [
        Column::Fixed("GROUP", 30),
        Column::Fixed("TOPIC", 30),
        Column::Fixed("PARTITION", 10),
        Column::Fixed("NEW-OFFSET", 15),
    ];
    let mut rows = Vec::new();
    for (group, offsets) in done {
        for ((topic, partition), offset) in offsets {
            let numbers = [partition.to_string(), offset.to_string()];
            rows.push([vec![group.clone(), topic.clone()], numbers.to_vec()].concat());
        }
    }
    table(&columns, &rows)
}

fn named((topic, partition): &TopicPartition) -> String {
    format!("{topic}-{partition}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Offsets, lines, plan_file};
    use crate::cli::groups::recorded::recorded;

    #[test]
    fn new_offsets_are_laid_out_as_by_kafkas_tool() {
        let text = recorded!("reset");
        let mut done: BTreeMap<String, Offsets> = BTreeMap::new();
        for line in text.lines().skip(2) {
            // The first group's name is longer than its column.
            let cells: Vec<&str> = line.split_whitespace().collect();
            let [group, topic, partition, offset] = cells[..] else { panic!("{line}") };
            let place = (topic.to_owned(), partition.parse().unwrap());
            done.entry(group.to_owned()).or_default().insert(place, offset.parse().unwrap());
        }
        assert_eq!(sorted(&format!("\n{}", lines(&done))), sorted(text));
        let exported = format!("{}\n", plan_file::lines(&done, false));
        assert_eq!(sorted(&exported), sorted(recorded!("export")));
    }

    /// Kafka's rows come in the order of a hash table.
    fn sorted(text: &str) -> Vec<&str> {
        let mut lines: Vec<&str> = text.split('\n').collect();
        lines.sort_unstable();
        lines
    }
}
