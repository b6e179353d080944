//! The command `mini-broker`. Exit codes: 0 done, 1 failed (one sentence on standard error), 2 a
//! command line that was not understood.

use std::process::ExitCode;

use clap::Parser;
use mini_broker::cli;

fn main() -> ExitCode {
    match cli::run(cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("mini-broker: {failure}");
            ExitCode::from(failure.exit_code)
        }
    }
}
