//! `broker`: the mini broker, with the learner's labs in the places that `--mine` names.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::cargo::{self, Stop};
use crate::failure::{Result, could_not, read_or_empty, write};
use crate::kit::Kit;
use crate::libtest::{self, CompileError};
use crate::paint::{self, Line};

/// Kafka's port, where clients look.
pub const PORT: u16 = 9092;
/// A learner's organ may damage files: it gets its own.
const OWN_DATA: &str = ".mini-broker-mine";

pub fn broker(kit: &Kit, mine: &[String], serve: &[String]) -> Result<u8> {
    let mine = organs(kit, mine)?;
    paint::print(&[Line::new().dim("Building the broker; the first time takes a minute …")]);
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
    let port = match given("--listen") {
        true => None,
        false if mine.is_empty() => Some(free_port()),
        false => Some(own_port(kit)),
    };
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

pub fn build(
    kit: &Kit,
    mine: &[String],
    stop: &Stop,
) -> std::result::Result<PathBuf, CompileError> {
    let features: Vec<String> = mine.iter().map(|name| format!("lab-{name}")).collect();
    let features = features.join(",");
    let mut args = vec!["--package", "mini-broker", "--bin", "mini-broker"];
    if !features.is_empty() {
        args.extend(["--features", &features]);
    }
    built(kit, &args, "mini-broker", stop)
}

/// Builds a program beside the reader's own builds, so that neither waits for the other; returns its path.
pub fn built(
    kit: &Kit,
    args: &[&str],
    name: &str,
    stop: &Stop,
) -> std::result::Result<PathBuf, CompileError> {
    let target = kit.behind();
    let mut command = cargo::cargo(&kit.root, &target);
    command.arg("build").args(args);
    let failed = |what: String| CompileError { text: what.clone(), what, at: None };
    let ended = cargo::run(command, None, stop).map_err(|why| failed(why.to_string()))?;
    if ended.success() {
        return Ok(target.join("debug").join(format!("{name}{}", std::env::consts::EXE_SUFFIX)));
    }
    let error = libtest::first_error(&ended.stderr);
    Err(error.unwrap_or_else(|| failed("cargo failed and gave no reason".to_owned())))
}

/// A file by which a learner's broker asks the open workshop for Kafka's port.
pub fn asked_for(kit: &Kit) -> PathBuf {
    kit.scratch("port-is-asked-for")
}

/// Kafka's port, or the next that nobody listens on.
pub fn free_port() -> u16 {
    (PORT..PORT + 20).find(|port| is_free(*port)).unwrap_or(0)
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

/// The port for the learner's broker: an open workshop gives up Kafka's for it.
fn own_port(kit: &Kit) -> u16 {
    if !is_free(PORT) && write(&asked_for(kit), "").is_ok() {
        let asked = Instant::now();
        while !is_free(PORT) && asked.elapsed() < Duration::from_secs(2) {
            std::thread::sleep(Duration::from_millis(50));
        }
        if !is_free(PORT) {
            let _ = std::fs::remove_file(asked_for(kit));
        }
    }
    free_port()
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
