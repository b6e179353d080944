//! One command a file. Each returns an exit code, or a sentence.

pub mod broker;
pub mod client;
pub mod doctor;
pub mod experiment;
pub mod grade;
pub mod hint;
pub mod organs;
pub mod predict;
pub mod reset;
pub mod trace;

use std::io::Write;

use crate::cargo::Stop;
use crate::failure::Result;
use crate::grade::Grade;
use crate::kit::Kit;

/// The width that plain output is written for.
pub fn width() -> usize {
    crossterm::terminal::size().map_or(80, |(columns, _)| usize::from(columns)).clamp(40, 120)
}

/// A lab as the files tell, run only where that can tell more.
fn graded(kit: &Kit, lab: &crate::lab::Lab) -> Grade {
    let looked = Grade::looked(kit, lab);
    let untouched = looked.steps.iter().all(|step| step.state == crate::grade::State::Todo);
    if untouched && !looked.steps.is_empty() {
        return looked;
    }
    Grade::ran(kit, lab, &Stop::default())
}

/// The lab that was asked for, or the first that is not done.
fn lab_at_hand(kit: &Kit, asked: Option<&str>) -> Result<Grade> {
    if let Some(asked) = asked {
        return Ok(graded(kit, kit.lab(asked)?));
    }
    kit.some_lab()?;
    let mut last = None;
    for lab in &kit.labs {
        let grade = graded(kit, lab);
        if !grade.is_done() {
            return Ok(grade);
        }
        last = Some(grade);
    }
    match last {
        Some(grade) => Ok(grade),
        None => Ok(graded(kit, kit.some_lab()?)),
    }
}

/// Asks one line of the reader; nothing at the end of the input.
pub fn ask(question: &str) -> Option<String> {
    print!("{question}");
    let _ = std::io::stdout().flush();
    let mut line = String::new();
    match std::io::stdin().read_line(&mut line) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(line.trim().to_owned()),
    }
}
