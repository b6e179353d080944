//! `mini-broker experiment`: something to watch, through a real broker and real sockets. One
//! experiment a file; `cargo workshop experiment` starts them with the learner's organs and what the
//! learner had guessed.

mod order;
mod own_broker;

use super::Failure;

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    experiment: Experiment,
}

#[derive(clap::Subcommand)]
enum Experiment {
    /// Lab 2: in what order are records read, from one partition, from three, and when three become six?
    Order(order::Args),
}

pub async fn run(args: Args) -> Result<(), Failure> {
    match args.experiment {
        Experiment::Order(args) => order::run(args).await,
    }
}
