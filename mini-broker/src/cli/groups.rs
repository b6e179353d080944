//! `mini-broker groups`: consumer groups are listed, described, deleted and set back, as with Kafka's
//! `ConsumerGroupCommand` (`kafka-consumer-groups.sh`), line by line.
//!
//! Two things differ. What Kafka's tool tells in the order of a hash table stands in order here. And
//! where it says `Error:` on standard output and ends with 0, this one says it on standard error and
//! ends with 1.
//!
//! Epochs and target assignments (KIP-848) are asked for by an API that is not spoken here: those
//! columns say `-`, as Kafka's tool says of a classic group.

mod config_file;
mod delete;
mod describe;
mod duration;
mod flags;
mod list;
mod plan_file;
#[cfg(test)]
mod recorded;
mod reset;
mod scope;
pub mod timestamp;

use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::timeout;

use super::{Failure, terminal};
use crate::client::Client;

#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("action").required(true))]
#[command(group = clap::ArgGroup::new("scenario"))]
#[command(group = clap::ArgGroup::new("what"))]
pub struct Args {
    /// The servers to ask first
    #[arg(long, value_name = "HOST:PORT", default_value = terminal::DEFAULT_SERVER)]
    bootstrap_server: String,

    /// Print the names of the groups
    #[arg(long, group = "action")]
    list: bool,

    /// Print how far a group has read, and how much is left; or its members, or its state
    #[arg(long, group = "action")]
    describe: bool,

    /// Delete groups, with all they have committed
    #[arg(long, group = "action")]
    delete: bool,

    /// Delete what a group has committed of some topics
    #[arg(long, group = "action")]
    delete_offsets: bool,

    /// Let groups without members read on from elsewhere
    #[arg(long, group = "action")]
    reset_offsets: bool,

    /// The group; may be given several times
    #[arg(long, value_name = "NAME", conflicts_with = "all_groups",
        value_parser = clap::builder::NonEmptyStringValueParser::new())]
    group: Vec<String>,

    /// All groups
    #[arg(long)]
    all_groups: bool,

    /// With --delete-offsets and --reset-offsets: a topic, or some of its partitions, such as
    /// orders:0,3; may be given several times
    #[arg(long, value_name = "NAME[:NUMBERS]", conflicts_with = "all_topics",
        value_parser = scope::parse)]
    topic: Vec<scope::Topic>,

    /// With --reset-offsets: all topics of which the group has committed something
    #[arg(long)]
    all_topics: bool,

    /// With --describe: the members
    #[arg(long, group = "what")]
    members: bool,

    /// With --describe: partitions, offsets and lag, which it also prints without this
    #[arg(long, group = "what")]
    offsets: bool,

    /// With --describe: the group's state; with --list: all groups' states, or only groups in these
    #[arg(long, group = "what", value_name = "STATE,…", num_args = 0..=1, default_missing_value = "",
        value_parser = flags::states)]
    state: Option<flags::Filter>,

    /// With --list: the groups' types, or only groups of these: classic, consumer
    #[arg(long = "type", value_name = "TYPE,…", num_args = 0..=1, default_missing_value = "",
        value_parser = flags::types)]
    types: Option<flags::Filter>,

    /// With --describe: more columns
    #[arg(long)]
    verbose: bool,

    /// Say what would be done, and do nothing
    #[arg(long, conflicts_with = "execute")]
    dry_run: bool,

    /// Do it
    #[arg(long)]
    execute: bool,

    /// Print the new offsets as lines that --from-file reads
    #[arg(long)]
    export: bool,

    /// Reset to where the log begins
    #[arg(long, group = "scenario")]
    to_earliest: bool,

    /// Reset to where the log ends
    #[arg(long, group = "scenario")]
    to_latest: bool,

    /// Reset to what is committed, and where nothing is, to the log's end
    #[arg(long, group = "scenario")]
    to_current: bool,

    /// Reset to this offset
    #[arg(long, group = "scenario", value_name = "OFFSET", allow_negative_numbers = true)]
    to_offset: Option<i64>,

    /// Reset by so many offsets forward, or back, if negative
    #[arg(long, group = "scenario", value_name = "NUMBER", allow_negative_numbers = true)]
    shift_by: Option<i64>,

    /// Reset to the first record at or after a time, such as 2026-03-31T12:00:00.000; in UTC, unless
    /// an offset such as +02:00 follows
    #[arg(long, group = "scenario", value_name = "DATETIME", value_parser = timestamp::parse)]
    to_datetime: Option<i64>,

    /// Reset to the first record of the last minutes, hours or days, such as PT30M, PT2H, P1DT12H
    #[arg(long, group = "scenario", value_name = "DURATION", value_parser = duration::parse,
        allow_hyphen_values = true)]
    by_duration: Option<i64>,

    /// Reset as the lines of a file say: topic,partition,offset, or for several groups
    /// group,topic,partition,offset
    #[arg(long, group = "scenario", value_name = "FILE")]
    from_file: Option<PathBuf>,

    /// How long all of it may take
    #[arg(long, value_name = "MS", default_value_t = 30_000,
        value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,

    /// A file with settings of the client: client.id
    #[arg(long, value_name = "FILE")]
    command_config: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    List,
    Describe,
    Delete,
    DeleteOffsets,
    ResetOffsets,
}

impl Args {
    fn action(&self) -> Action {
        match self {
            Args { list: true, .. } => Action::List,
            Args { delete: true, .. } => Action::Delete,
            Args { delete_offsets: true, .. } => Action::DeleteOffsets,
            Args { reset_offsets: true, .. } => Action::ResetOffsets,
            _ => Action::Describe,
        }
    }

    /// The groups that are meant, each once, in the order of their names.
    async fn groups(&self, client: &mut Client) -> Result<Vec<String>, Failure> {
        let mut groups = match self.all_groups {
            true => list::consumer_groups(client, &[], &[])
                .await?
                .into_iter()
                .map(|group| group.group_id)
                .collect(),
            false => self.group.clone(),
        };
        groups.sort();
        groups.dedup();
        Ok(groups)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Action::List => "--list",
            Action::Describe => "--describe",
            Action::Delete => "--delete",
            Action::DeleteOffsets => "--delete-offsets",
            Action::ResetOffsets => "--reset-offsets",
        })
    }
}

pub async fn run(args: Args) -> Result<(), Failure> {
    let mut out = terminal::out();
    let result = run_into(args, &mut out).await;
    out.flush()?;
    result
}

pub async fn run_into(args: Args, out: &mut impl Write) -> Result<(), Failure> {
    let action = args.action();
    flags::check(&args, action)?;
    let client_id = config_file::client_id(args.command_config.as_deref())?;
    let limit = Duration::from_millis(args.timeout);
    let work = async {
        let mut client = Client::connect(&args.bootstrap_server).await?.client_id(&client_id);
        match action {
            Action::List => list::list(&mut client, &args, out).await,
            Action::Describe => describe::describe(&mut client, &args, out).await,
            Action::Delete => delete::groups(&mut client, &args, out).await,
            Action::DeleteOffsets => delete::offsets(&mut client, &args, out).await,
            Action::ResetOffsets => reset::reset(&mut client, &args, out).await,
        }
    };
    timeout(limit, work).await.unwrap_or_else(|_| {
        Err(Failure::new(format!("not done within {} ms, which --timeout allows", args.timeout)))
    })
}

/// What went wrong with some, while others were done.
fn verdict(failed: Vec<String>) -> Result<(), Failure> {
    match failed.is_empty() {
        true => Ok(()),
        false => Err(Failure::new(failed.join("\n"))),
    }
}
