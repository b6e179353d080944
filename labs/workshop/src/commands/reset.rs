//! `reset`: the starter back. The work that stood there is kept in a dotted folder that git does not see.

use std::io::IsTerminal;
use std::path::PathBuf;

use crate::commands::ask;
use crate::failure::{NOT_DONE, Result, could_not, read, read_or_empty, write};
use crate::kit::{Kit, rust_files};
use crate::lab::Lab;
use crate::{source, starter};

/// Where work is kept aside, from the root.
const KEPT: &str = ".workshop";

pub fn reset(kit: &Kit, asked: Option<&str>, step: Option<u32>, yes: bool) -> Result<u8> {
    let lab = kit.lab(asked.unwrap_or_default())?;
    let changes = changes(kit, lab, step)?;
    if changes.is_empty() {
        println!("Nothing to do: {} is the starter already.", what(lab, step));
        return Ok(0);
    }
    if !yes && !agreed(lab, step, &changes)? {
        println!("Left as it was.");
        return Ok(NOT_DONE);
    }
    let kept = keep(kit, lab)?;
    for (path, text) in &changes {
        write(&kit.path(path), text)?;
    }
    println!("{} is the starter again. What you had is in {kept}/.", what(lab, step));
    Ok(0)
}

fn what(lab: &Lab, step: Option<u32>) -> String {
    match step {
        Some(step) => format!("Step {step} of {}", lab.folder()),
        None => format!("{}/src", lab.folder()),
    }
}

fn agreed(lab: &Lab, step: Option<u32>, changes: &[(String, String)]) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        return could_not("This is no terminal to ask in. Say --yes to reset without being asked.");
    }
    println!("{} goes back to the starter:", what(lab, step));
    for (path, _) in changes {
        println!("  {path}");
    }
    let answer = ask("Your work is kept aside. Go on? [y/N] ").unwrap_or_default();
    Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
}

/// Files that would change, and their new texts.
fn changes(kit: &Kit, lab: &Lab, step: Option<u32>) -> Result<Vec<(String, String)>> {
    let solutions = kit.path(&format!("{}/src", lab.solution_folder()));
    let mut changes = Vec::new();
    let mut found = false;
    for name in rust_files(&solutions) {
        let solution = read(&solutions.join(&name))?;
        let file = format!("{}/src/{name}", lab.folder());
        let made = starter::starter(lab, &solution)
            .and_then(|made| Ok((made, starter::bodies(&solution)?)));
        let (made, bodies) = match made {
            Ok(made) => made,
            Err(why) => return could_not(format!("{}/src/{name}, {why}.", lab.solution_folder())),
        };
        let now = read_or_empty(&kit.path(&file));
        let new = match step {
            None => made,
            Some(step) => {
                let mut new = now.clone();
                for body in bodies.iter().filter(|body| body.step() == Some(step)) {
                    found = true;
                    new = one_step(&new, &made, &body.function, &file)?;
                }
                new
            }
        };
        if new != now {
            changes.push((file, new));
        }
    }
    if let (Some(step), false) = (step, found) {
        let last = lab.steps.last().map_or(0, |step| step.number);
        return could_not(format!(
            "Lab {} has no step {step}: its steps are 1 to {last}.",
            lab.name
        ));
    }
    Ok(changes)
}

/// The learner's text with the starter's body in one function.
fn one_step(now: &str, made: &str, function: &str, file: &str) -> Result<String> {
    let (Some(there), Some(here)) = (source::body(made, function), source::body(now, function))
    else {
        return could_not(format!(
            "Cannot find the function `{}` with its braces in {file}. Reset the whole lab instead: your work is kept aside.",
            function.trim_end_matches('{').trim()
        ));
    };
    let mut new = now.to_owned();
    new.replace_range(here, &made[there]);
    Ok(new)
}

/// Copies the learner's files aside; returns the folder, from the root.
fn keep(kit: &Kit, lab: &Lab) -> Result<String> {
    write(&kit.path(&format!("{KEPT}/.gitignore")), "*\n")?;
    let lab_folder = format!("{}-{}", lab.number, lab.name);
    let folder = |n: u32| format!("{KEPT}/{lab_folder}/{n}");
    let free = (1..).map(folder).find(|folder| !kit.path(folder).exists());
    let Some(folder) = free else { return could_not("No folder is free to keep your work in.") };
    for (path, text) in kit.sources(lab) {
        let name = PathBuf::from(&path);
        let Some(name) = name.file_name().and_then(|name| name.to_str()) else { continue };
        write(&kit.path(&format!("{folder}/src/{name}")), &text)?;
    }
    Ok(folder)
}
