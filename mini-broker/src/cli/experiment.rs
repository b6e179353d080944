//! `mini-broker experiment`: something to watch, through real brokers and real sockets. One
//! experiment a file; `cargo workshop experiment` starts them with the learner's organs and what the
//! learner had guessed.

mod acks;
mod groups;
mod lag;
mod member;
mod order;
mod own_cluster;
mod own_member;
mod own_node;
mod scale;

use std::fs;
use std::path::Path;

use super::{Failure, terminal};
use crate::client::producer::Message;

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    experiment: Experiment,
}

#[derive(clap::Subcommand)]
enum Experiment {
    /// Lab 2: in what order are records read, from one partition, from three, and when three become six?
    Order(order::Args),
    /// Lab 3: a leader is killed under acks=0, acks=1 and acks=all. What is lost?
    Acks(acks::Args),
    /// Lab 4: members of a group come, die, hang and dawdle. Who reads what, and what is done twice?
    Groups(groups::Args),
    /// Lab 4: 1, 2, 4 and 8 consumers on 1, 2, 4 and 8 partitions. How many records a second?
    Scale(scale::Args),
    /// Lab 5: a consumer dawdles, dies, is stuck and is set back. What does a lag checker make of it, and when?
    Lag(lag::Args),
    #[command(hide = true)]
    Member(member::Args),
}

pub async fn run(args: Args) -> Result<(), Failure> {
    match args.experiment {
        Experiment::Order(args) => order::run(args).await,
        Experiment::Acks(args) => acks::run(args).await,
        Experiment::Groups(args) => groups::run(args).await,
        Experiment::Scale(args) => scale::run(args).await,
        Experiment::Lag(args) => lag::run(args).await,
        Experiment::Member(args) => member::run(args).await,
    }
}

/// A record as a producer sends it now.
fn message(value: &[u8]) -> Message<'_> {
    Message { timestamp: terminal::wall_ms(), value: Some(value), ..Message::default() }
}

/// A task is never cancelled here, and a panic goes on.
fn joined<T>(ended: Result<Result<T, Failure>, tokio::task::JoinError>) -> Result<T, Failure> {
    match ended {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// A picture that cannot be written is better known before than after.
fn check_picture(file: Option<&Path>) -> Result<(), Failure> {
    let Some(file) = file else { return Ok(()) };
    fs::write(file, "").map_err(|error| Failure::new(format!("{}: {error}", file.display())))
}
