//! Lab 2's tests, step by step. Run those of one step with `cargo test -p partitions step_1`.

use std::process::ExitCode;

use grader::Lab;

#[path = "../../grader.rs"]
mod grader;

const LAB: Lab = Lab {
    package: "partitions",
    folder: "labs/2-partitions",
    readme: include_str!("../README.md"),
    rules: include_str!("../rules.md"),
};

fn main() -> ExitCode {
    grader::run(LAB, &[])
}
