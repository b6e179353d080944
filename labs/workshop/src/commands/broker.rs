//! `broker`: the mini broker, with the learner's labs in the places that `--mine` names.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use crate::cargo::{self, Stop};
use crate::failure::{Result, could_not, read_or_empty};
use crate::kit::Kit;
use crate::libtest;
use crate::paint::{self, Line};

/// Kafka's port, where clients look.
pub const PORT: u16 = 9092;
/// A learner's organ may damage files: it gets its own.
const OWN_DATA: &str = ".mini-broker-mine";

pub fn broker(kit: &Kit, mine: &[String], serve: &[String]) -> Result<u8> {
    let mine = organs(kit, mine)?;
    paint::print(&[Line::new().dim("Building the broker …")]);
    let program = match build(kit, &mine, &Stop::default()) {
        Ok(program) => program,
        Err(error) => {
            let at = error.at.map(|at| format!("\n  mend   {at}")).unwrap_or_default();
            return could_not(format!(
                "{}\n\nThe broker does not compile: {}{at}",
                error.text, error.what
            ));
        }
    };
    let mut args: Vec<String> = vec!["serve".to_owned()];
    let given =
        |flag: &str| serve.iter().any(|arg| arg == flag || arg.starts_with(&format!("{flag}=")));
    if !mine.is_empty() && !given("--data-dir") {
        args.extend(["--data-dir".to_owned(), kit.path(OWN_DATA).display().to_string()]);
    }
    let port = if given("--listen") { None } else { Some(free_port()) };
    if let Some(port) = port {
        args.extend(["--listen".to_owned(), format!("127.0.0.1:{port}")]);
    }
    args.extend(serve.iter().cloned());
    paint::print(&banner(kit, &mine, port));
    start(&program, &args, kit)
}

/// Names of labs, checked: each must be one of ours that the broker can take.
fn organs(kit: &Kit, asked: &[String]) -> Result<Vec<String>> {
    let manifest = read_or_empty(&kit.path("mini-broker/Cargo.toml"));
    let takes = |name: &str| {
        manifest.lines().any(|line| line.trim_start().starts_with(&format!("lab-{name} =")))
    };
    let mut mine = Vec::new();
    for word in asked.iter().map(|word| word.trim()).filter(|word| !word.is_empty()) {
        if word == "all" {
            mine.extend(kit.labs.iter().map(|lab| lab.name.clone()).filter(|name| takes(name)));
            continue;
        }
        let lab = kit.lab(word)?;
        if !takes(&lab.name) {
            return could_not(format!("The broker has no place for lab {}.", lab.name));
        }
        mine.push(lab.name.clone());
    }
    mine.sort();
    mine.dedup();
    Ok(mine)
}

/// Builds the broker beside the reader's own builds, so that neither waits for the other.
pub fn build(
    kit: &Kit,
    mine: &[String],
    stop: &Stop,
) -> std::result::Result<std::path::PathBuf, libtest::CompileError> {
    let features: Vec<String> = mine.iter().map(|name| format!("lab-{name}")).collect();
    let target = kit.behind();
    let mut command = cargo::cargo(&kit.root, &target);
    command.args(["build", "--package", "mini-broker", "--bin", "mini-broker"]);
    if !features.is_empty() {
        command.args(["--features", &features.join(",")]);
    }
    built(command, &target, "mini-broker", stop)
}

/// Runs a `cargo build`; returns the program it made, or the first error.
pub fn built(
    command: Command,
    target: &Path,
    name: &str,
    stop: &Stop,
) -> std::result::Result<std::path::PathBuf, libtest::CompileError> {
    let failed = |what: String| libtest::CompileError { text: what.clone(), what, at: None };
    let ended = cargo::run(command, None, stop).map_err(|why| failed(why.to_string()))?;
    if ended.success() {
        return Ok(target.join("debug").join(format!("{name}{}", std::env::consts::EXE_SUFFIX)));
    }
    let error = libtest::first_error(&ended.stderr);
    Err(error.unwrap_or_else(|| failed("cargo failed and gave no reason".to_owned())))
}

/// Kafka's port, or the next that nobody listens on.
pub fn free_port() -> u16 {
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    (PORT..PORT + 20).find(free).unwrap_or(0)
}

fn banner(kit: &Kit, mine: &[String], port: Option<u16>) -> Vec<Line> {
    let is_mine = |name: &str| mine.iter().any(|m| m == name);
    let mut lines = vec![Line::new()];
    for lab in &kit.labs {
        lines.push(if is_mine(&lab.name) {
            Line::new()
                .mark("  yours  ")
                .bold(lab.name.clone())
                .plain(format!("  {}/src", lab.folder()))
        } else {
            Line::new()
                .dim("  ours   ")
                .plain(lab.name.clone())
                .dim(format!("  {}/src", lab.solution_folder()))
        });
    }
    if let Some(port) = port.filter(|port| *port != PORT) {
        lines.push(Line::new());
        lines.push(
            Line::new()
                .bold(format!("Port {PORT} is taken, so this one listens on {port}:"))
                .plain(format!(" write {port} where a command says {PORT}.")),
        );
    }
    lines.push(Line::new());
    lines
}

/// Becomes the broker, so that Ctrl-C and kill reach it and nobody stands between.
#[cfg(unix)]
fn start(program: &Path, args: &[String], kit: &Kit) -> Result<u8> {
    use std::os::unix::process::CommandExt;
    let why = Command::new(program).args(args).current_dir(&kit.root).exec();
    could_not(format!("The broker did not start: {why}."))
}

#[cfg(not(unix))]
fn start(program: &Path, args: &[String], kit: &Kit) -> Result<u8> {
    match Command::new(program).args(args).current_dir(&kit.root).status() {
        Ok(status) => Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)),
        Err(why) => could_not(format!("The broker did not start: {why}.")),
    }
}
