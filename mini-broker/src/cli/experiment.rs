//! `mini-broker experiment`: something to watch, through real brokers and real sockets. One
//! experiment a file; `cargo workshop experiment` starts them with the learner's organs and what the
//! learner had guessed.

mod acks;
mod order;
mod own_cluster;
mod own_node;

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
    /// Lab 3: a leader is killed under acks=0, acks=1 and acks=all. What is lost?
    Acks(acks::Args),
}

pub async fn run(args: Args) -> Result<(), Failure> {
    match args.experiment {
        Experiment::Order(args) => order::run(args).await,
        Experiment::Acks(args) => acks::run(args).await,
    }
}
