//! `predict`: a lab's questions, answered before coding.

use std::io::IsTerminal;

use crate::commands::{ask, width};
use crate::failure::{NOT_DONE, Result, could_not, read, read_or_empty, write};
use crate::grade::{Grade, Next};
use crate::kit::Kit;
use crate::lab::Lab;
use crate::paint::{self, Line, wrap};
use crate::predictions::{self, Prediction};

pub fn predict(kit: &Kit, asked: Option<&str>) -> Result<u8> {
    let lab = match asked {
        Some(asked) => kit.lab(asked)?,
        None => at_hand(kit)?,
    };
    // The file may have been written since the kit was looked at.
    let lab = &Lab::read(&kit.root, lab.number, &lab.name);
    let path = kit.path(&format!("{}/predict.toml", lab.folder()));
    if let Err(why) = predictions::parse(&read(&path)?) {
        return could_not(format!("{}/predict.toml, {why}.", lab.folder()));
    }
    if lab.predictions.is_empty() {
        return could_not(format!("Lab {} asks no questions.", lab.name));
    }
    if !std::io::stdin().is_terminal() {
        return show(kit, lab);
    }
    paint::print(&[
        Line::new().bold(format!("Lab {}: {}", lab.number, lab.about)),
        Line::from("Answer with a number or a word. A guess is as good as knowing. Enter skips."),
    ]);
    for prediction in &lab.predictions {
        paint::print(&[Line::new()]);
        paint::print(&question(prediction));
        if prediction.is_answered() {
            paint::print(&[you_said(prediction)]);
        } else {
            let Some(answer) = ask("  your answer: ") else { break };
            if answer.is_empty() {
                continue;
            }
            // Read again: the answers before this one have moved the rest of the file.
            let text = read(&path)?;
            let now = predictions::parse(&text).unwrap_or_default();
            if let Some(place) = now.iter().find(|p| p.id == prediction.id) {
                write(&path, &predictions::with_answer(&text, place, &answer))?;
            }
        }
        paint::print(&told(kit, lab, prediction));
    }
    let lab = Lab::read(&kit.root, lab.number, &lab.name);
    let grade = Grade::looked(kit, &lab);
    paint::print(&[
        Line::new(),
        Line::from(format!(
            "{} of {} answered, in {}/predict.toml.",
            lab.answered(),
            lab.predictions.len(),
            lab.folder()
        )),
    ]);
    if !matches!(grade.next(), Next::Predict { .. }) {
        paint::print(&crate::report::next(&grade, crate::report::Seen::AtThePrompt, width()));
    }
    Ok(code(&lab))
}

/// Without a terminal: the questions, the answers so far with their why, and where to write.
fn show(kit: &Kit, lab: &Lab) -> Result<u8> {
    for prediction in &lab.predictions {
        paint::print(&question(prediction));
        if prediction.is_answered() {
            paint::print(&[you_said(prediction)]);
            paint::print(&told(kit, lab, prediction));
        } else {
            let at = format!("{}/predict.toml:{}", lab.folder(), prediction.line);
            paint::print(&[Line::new().plain("  answer at  ").mark(at)]);
        }
        paint::print(&[Line::new()]);
    }
    paint::print(&[Line::from(format!(
        "{} of {} answered.",
        lab.answered(),
        lab.predictions.len()
    ))]);
    Ok(code(lab))
}

fn code(lab: &Lab) -> u8 {
    if lab.answered() == lab.predictions.len() { 0 } else { NOT_DONE }
}

/// The first lab with an open question, or the first lab.
fn at_hand(kit: &Kit) -> Result<&Lab> {
    let open = kit.labs.iter().find(|lab| lab.answered() < lab.predictions.len());
    open.map_or_else(|| kit.some_lab(), Ok)
}

fn question(prediction: &Prediction) -> Vec<Line> {
    let mut lines = Vec::new();
    for (at, line) in prose(&prediction.question).into_iter().enumerate() {
        let id = if at == 0 { prediction.id.as_str() } else { "" };
        lines.push(Line::new().bold(format!("{id:<5} ")).plain(line));
    }
    lines
}

/// What the solution's file says about it.
fn told(kit: &Kit, lab: &Lab, prediction: &Prediction) -> Vec<Line> {
    let file = kit.path(&format!("{}/predict.toml", lab.solution_folder()));
    let solution = predictions::parse(&read_or_empty(&file)).unwrap_or_default();
    let Some(told) = solution.iter().find(|p| p.id == prediction.id) else { return Vec::new() };
    let mut lines = vec![Line::from(format!("  it is        {}", told.answer))];
    lines.extend(prose(&told.why).into_iter().map(|line| Line::new().dim("  │ ").plain(line)));
    lines
}

fn you_said(prediction: &Prediction) -> Line {
    Line::from(format!("  you said     {}", prediction.answer))
}

fn prose(text: &str) -> Vec<String> {
    wrap(&paint::reflow(text), width().saturating_sub(8).min(90))
}
