//! `cargo workshop`: 0 when all that was asked for is done, 1 when something is not done yet, 2 when it could not be asked.

use std::process::ExitCode;

fn main() -> ExitCode {
    match workshop::cli::run() {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            eprintln!("{}", failure.text.trim_end());
            ExitCode::from(failure.code)
        }
    }
}
