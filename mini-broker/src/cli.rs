//! The commands, one a file. All but `serve`, `coordinator` and `dump-log` speak Kafka's protocol and work against
//! any Kafka broker.

pub mod configs;
pub mod consume;
pub mod coordinator;
pub mod delete_records;
pub mod dump_log;
pub mod experiment;
pub mod groups;
pub mod http;
pub mod java_order;
pub mod lag;
pub mod live;
pub mod nodes;
pub mod offsets;
pub mod perf;
pub mod produce;
pub mod serve;
pub mod terminal;
pub mod topic_pattern;
pub mod topics;

use std::num::NonZero;
use std::{fmt, io};

/// A small broker that speaks Kafka's protocol, and the commands to use it.
#[derive(clap::Parser)]
#[command(name = "mini-broker", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Run a broker, or several of them with their coordinator.
    Serve(serve::Args),
    /// Run the coordinator of a cluster of brokers.
    Coordinator(coordinator::Args),
    /// Create, list, describe, grow and delete topics.
    Topics(topics::Args),
    /// Describe and change the settings of topics and brokers.
    Configs(configs::Args),
    /// Write lines from standard input to a topic.
    Produce(produce::Args),
    /// Read a topic and print its messages.
    Consume(consume::Args),
    /// List, describe, delete and set back consumer groups.
    Groups(groups::Args),
    /// Watch how far behind groups are, and what to make of it.
    Lag(lag::Args),
    /// Print where logs begin, end, or have a time.
    Offsets(offsets::Args),
    /// Delete records from the start of logs.
    DeleteRecords(delete_records::Args),
    /// Print what stands in a log's files.
    DumpLog(dump_log::Args),
    /// Measure a broker: produce, consume, latency.
    Perf(perf::Args),
    /// Watch something happen that the book tells of.
    Experiment(experiment::Args),
}

/// Why a command did not do its work: a sentence for the person at the prompt, and an exit code.
#[derive(Debug)]
pub struct Failure {
    pub sentence: String,
    pub exit_code: u8,
}

impl Failure {
    pub fn new(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), exit_code: 1 }
    }

    /// The same, with what it is about in front.
    pub fn about(self, what: &str) -> Self {
        Self { sentence: format!("{what} {}", self.sentence), ..self }
    }

    /// The command line asks for something that cannot be meant.
    pub fn usage(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), exit_code: 2 }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::new(error.to_string())
    }
}

/// Runs one command to its end.
pub fn run(cli: Cli) -> Result<(), Failure> {
    crate::labs::install_panic_hook();
    // Two at least: while one is busy with the engine, the other reads and writes.
    let cores = std::thread::available_parallelism().map_or(2, NonZero::get);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.max(2))
        .enable_all()
        .build()?;
    let result = runtime.block_on(async {
        match cli.command {
            Command::Serve(args) => serve::run(args).await,
            Command::Coordinator(args) => coordinator::run(args).await,
            Command::Topics(args) => topics::run(args).await,
            Command::Configs(args) => configs::run(args).await,
            Command::Produce(args) => produce::run(args).await,
            Command::Consume(args) => consume::run(args).await,
            Command::Groups(args) => groups::run(args).await,
            Command::Lag(args) => lag::run(args).await,
            Command::Offsets(args) => offsets::run(args).await,
            Command::DeleteRecords(args) => delete_records::run(args).await,
            Command::DumpLog(args) => dump_log::run(args).await,
            Command::Perf(args) => perf::run(args).await,
            Command::Experiment(args) => experiment::run(args).await,
        }
    });
    // Nothing that still runs is waited for: not a read of the keyboard, not a stuck organ.
    runtime.shutdown_background();
    result
}
