//! The mini broker's program with the learner's labs in the places that `--mine` names: built, told,
//! and become. It is the broker, and it is the commands that write to one.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo::{self, Stop};
use crate::failure::{Result, could_not, read_or_empty};
use crate::kit::Kit;
use crate::libtest::{self, CompileError};
use crate::paint::{self, Line};

/// A program that is built, and whose code is in it.
pub struct Ready {
    program: PathBuf,
    /// The names of the labs that are the learner's.
    pub mine: Vec<String>,
}

impl Ready {
    /// Builds what `--mine` asks for; where it does not compile, says what to mend.
    pub fn build(kit: &Kit, asked: &[String]) -> Result<Self> {
        let mine = named(kit, asked)?;
        paint::print(&[Line::new().dim("Building; the first time takes a minute …")]);
        match build(kit, &mine, &Stop::default()) {
            Ok(program) => Ok(Self { program, mine }),
            Err(error) => {
                let at = error.at.map(|at| format!("\n  mend   {at}")).unwrap_or_default();
                let what = format!("mini-broker does not compile: {}", error.what);
                could_not(format!("{}\n\n{what}{at}", error.text))
            }
        }
    }

    /// Becomes the program, so that Ctrl-C and kill reach it and nobody stands between.
    #[cfg(unix)]
    pub fn start(&self, args: &[String], kit: &Kit) -> Result<u8> {
        use std::os::unix::process::CommandExt;
        let why = self.command(args, kit).exec();
        could_not(format!("{} did not start: {why}.", self.program.display()))
    }

    #[cfg(not(unix))]
    pub fn start(&self, args: &[String], kit: &Kit) -> Result<u8> {
        match self.command(args, kit).status() {
            Ok(status) => Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)),
            Err(why) => could_not(format!("{} did not start: {why}.", self.program.display())),
        }
    }

    fn command(&self, args: &[String], kit: &Kit) -> Command {
        let mut command = Command::new(&self.program);
        command.args(args).current_dir(&kit.root);
        command
    }
}

/// Whose code is in it, a line for each lab; between empty lines.
pub fn banner(kit: &Kit, mine: &[String]) -> Vec<Line> {
    let mut lines = vec![Line::new()];
    for lab in &kit.labs {
        lines.push(if mine.contains(&lab.name) {
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
    lines.push(Line::new());
    lines
}

/// Names of labs, checked: each must be one of ours that the broker can take.
fn named(kit: &Kit, asked: &[String]) -> Result<Vec<String>> {
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
        return Ok(program(&target, name));
    }
    let error = libtest::first_error(&ended.stderr);
    Err(error.unwrap_or_else(|| failed("cargo failed and gave no reason".to_owned())))
}

fn program(target: &Path, name: &str) -> PathBuf {
    target.join("debug").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}
