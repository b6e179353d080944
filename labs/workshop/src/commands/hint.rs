//! `hint`: the next hint of the step at hand.
//!
//! The step is what passes now; only how many hints were shown is kept, under target/, and may be lost.

use crate::commands::{lab_at_hand, width};
use crate::failure::{Result, could_not, read_or_empty, write};
use crate::grade::{Grade, Next, StepGrade};
use crate::kit::Kit;
use crate::paint::{self, Line, wrap};
use crate::report;

pub fn hint(kit: &Kit, lab: Option<&str>) -> Result<u8> {
    let grade = lab_at_hand(kit, lab)?;
    let Some(step) = grade.step_at_hand() else {
        paint::print(&[Line::from(format!(
            "Every step of lab {} ({}) passes: there is nothing to hint at.",
            grade.lab.number, grade.lab.name
        ))]);
        return Ok(0);
    };
    let lines = next(kit, &grade, step, width());
    if lines.is_empty() {
        return could_not(format!(
            "Step {} of {} has no hints yet ({}/hints.md).",
            step.step.number,
            grade.lab.name,
            grade.lab.folder()
        ));
    }
    paint::print(&lines);
    Ok(0)
}

/// The next hint, and the ones before it only by number. Nothing where the step has none.
pub fn next(kit: &Kit, grade: &Grade, step: &StepGrade, width: usize) -> Vec<Line> {
    let number = step.step.number;
    let Some(hints) = grade.lab.hints.get(&number).filter(|hints| !hints.is_empty()) else {
        return Vec::new();
    };
    let file = kit.scratch(&format!("hints-{}", grade.lab.name));
    let shown = shown(&read_or_empty(&file), number);
    let at = shown.min(hints.len() - 1);
    // Losing the count only repeats a hint.
    let _ = write(&file, &format!("step {number} shown {}\n", at + 1));

    let mut lines = vec![
        Line::new().bold(format!("Step {number}, {}", step.step.title)).dim(format!(
            "  hint {} of {}",
            at + 1,
            hints.len()
        )),
        Line::new(),
    ];
    lines.extend(text(&hints[at], width));
    lines.push(Line::new());
    lines.push(if at + 1 < hints.len() {
        Line::new().dim("Ask again for the next hint.")
    } else {
        Line::new()
            .dim("That was the last hint. The solution stands in ")
            .dim(grade.lab.solution_folder())
            .dim("/.")
    });
    match grade.next() {
        // What was written is looked at first: no hint is of use before it compiles.
        Next::Compile(error) => {
            lines.push(Line::new());
            lines.extend(report::does_not_compile(&grade.lab, &error));
        }
        _ => lines.push(Line::new().plain("  write  ").mark(step.place.to_string())),
    }
    lines
}

/// Prose is wrapped; code between fences is left as it is.
fn text(hint: &str, width: usize) -> Vec<Line> {
    let mut code = false;
    let mut lines = Vec::new();
    for line in paint::reflow(hint).lines() {
        if line.trim_start().starts_with("```") {
            code = !code;
        } else if code {
            lines.push(Line::from(format!("    {line}")));
        } else {
            let wrapped = wrap(line, width.saturating_sub(2).min(96));
            let wrapped = if wrapped.is_empty() { vec![String::new()] } else { wrapped };
            lines.extend(wrapped.into_iter().map(|line| Line::from(format!("  {line}"))));
        }
    }
    lines
}

/// How many hints of this step were shown already.
fn shown(kept: &str, step: u32) -> usize {
    let words: Vec<&str> = kept.split_whitespace().collect();
    match words[..] {
        ["step", kept, "shown", count] if kept == step.to_string() => count.parse().unwrap_or(0),
        _ => 0,
    }
}
