//! Builds, serves and checks the book.
//!
//! It never reaches the network: pages, fonts and search come from files, and the server listens on
//! loopback only. It never writes into the book's sources.
#![allow(
    clippy::disallowed_methods,
    reason = "a command-line tool: it serves with threads and looks at files once a second"
)]

mod check;
mod commands;
mod directives;
mod render;
mod serve;
mod source;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What goes wrong here is told to a person and ends the program.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[derive(Parser)]
#[command(name = "book", about = "Build, serve or check the book", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write the book as HTML
    Build {
        /// Where to write it [default: book/book]
        #[arg(long, value_name = "DIR")]
        dest: Option<PathBuf>,
    },
    /// Serve the book on this machine, and build it again when a file changes
    Serve {
        /// 0 takes a free one
        #[arg(long, default_value_t = 3000)]
        port: u16,
        /// Show it in a browser
        #[arg(long)]
        open: bool,
    },
    /// Build the book and look for what does not resolve: links, anchors, inclusions, rules, commands
    Check,
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .with_writer(std::io::stderr)
        .without_time()
        .with_target(false)
        .init();
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Build { dest } => {
            let dest = dest.unwrap_or_else(|| render::book().join("book"));
            render::build(&dest)?;
            println!("book in {}", dest.display());
            Ok(())
        }
        Command::Serve { port, open } => serve::serve(port, open),
        Command::Check => check::check(),
    }
}
