//! `verify`, for authors: do a lab, its solution, its hints, rules, predictions and wrong solutions fit together?
//!
//! Files are compared where they stand; what must be compiled is compiled in a copy under target/, so that nothing of
//! the reader's is touched and each run takes seconds.

mod files;
mod runs;

pub use files::check as check_files;

use std::time::Instant;

use crate::failure::{NOT_DONE, Result, read, read_or_empty, write};
use crate::kit::{Kit, rust_files};
use crate::lab::Lab;
use crate::paint::{self, Line, Style};
use crate::starter::{self, Body};

/// What an author has to mend, each in a sentence that begins with the file.
pub type Troubles = Vec<String>;

/// One file of the solution, and what is made of it.
pub struct Made {
    pub name: String,
    pub solution: String,
    pub starter: String,
    pub bodies: Vec<Body>,
}

pub fn verify(kit: &Kit, asked: Option<&str>, write_them: bool) -> Result<u8> {
    let mut red = 0;
    for lab in kit.chosen(asked)? {
        let started = Instant::now();
        let mut troubles = Vec::new();
        let made = made(kit, lab, &mut troubles);
        if write_them {
            write_starters(kit, lab, &made)?;
        }
        troubles.extend(starters(kit, lab, &made));
        troubles.extend(files::check(kit, lab, &made));
        if troubles.is_empty() {
            troubles.extend(runs::check(kit, lab, &made)?);
        }
        red += troubles.len();
        let took = started.elapsed().as_secs_f64();
        let lines: Vec<Line> = troubles
            .iter()
            .map(|trouble| Line::new().with(Style::Bad, "  ✗ ").plain(trouble.clone()))
            .collect();
        paint::print(&lines);
        paint::print(&[match troubles.len() {
            0 => Line::new()
                .with(Style::Good, "✓ ")
                .plain(format!("{} fits together ({took:.1} s)", lab.folder())),
            1 => Line::new().bold(format!("{}: one thing to mend", lab.folder())),
            n => Line::new().bold(format!("{}: {n} things to mend", lab.folder())),
        }]);
    }
    Ok(if red == 0 { 0 } else { NOT_DONE })
}

/// Makes every starter of a lab from its solution.
fn made(kit: &Kit, lab: &Lab, troubles: &mut Troubles) -> Vec<Made> {
    let folder = format!("{}/src", lab.solution_folder());
    let mut made = Vec::new();
    for name in rust_files(&kit.path(&folder)) {
        let solution = read_or_empty(&kit.path(&format!("{folder}/{name}")));
        let both = starter::bodies(&solution)
            .and_then(|bodies| Ok((bodies, starter::starter(lab, &solution)?)));
        match both {
            Ok((bodies, starter)) => made.push(Made { name, solution, starter, bodies }),
            Err(why) => troubles.push(format!("{folder}/{name}: {why}")),
        }
    }
    if made.is_empty() && troubles.is_empty() {
        troubles.push(format!("{folder}: no solution"));
    }
    made
}

fn write_starters(kit: &Kit, lab: &Lab, made: &[Made]) -> Result<()> {
    for made in made {
        let path = kit.path(&format!("{}/src/{}", lab.folder(), made.name));
        if read(&path).ok().as_deref() != Some(&made.starter) {
            write(&path, &made.starter)?;
            println!("wrote {}/src/{}", lab.folder(), made.name);
        }
    }
    Ok(())
}

/// Every starter stands in the lab as its solution makes it, and nothing else does.
fn starters(kit: &Kit, lab: &Lab, made: &[Made]) -> Troubles {
    let mut troubles = Vec::new();
    let folder = format!("{}/src", lab.folder());
    for made in made {
        let stands = read_or_empty(&kit.path(&format!("{folder}/{}", made.name)));
        if let Some(line) = first_difference(&made.starter, &stands) {
            troubles.push(format!(
                "{folder}/{}:{line}: not what the solution makes; `cargo workshop verify --write` writes it",
                made.name
            ));
        }
    }
    for name in rust_files(&kit.path(&folder)) {
        if !made.iter().any(|made| made.name == name) {
            troubles.push(format!("{folder}/{name}: the solution has no such file"));
        }
    }
    troubles
}

fn first_difference(a: &str, b: &str) -> Option<usize> {
    if a == b {
        return None;
    }
    let (mut a, mut b) = (a.lines(), b.lines());
    let mut line = 1;
    loop {
        match (a.next(), b.next()) {
            (Some(a), Some(b)) if a == b => line += 1,
            _ => return Some(line),
        }
    }
}
