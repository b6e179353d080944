//! A grade as text. What stands last is the first thing to do.

use crate::grade::{Grade, Next, Outcome, State, StepGrade};
use crate::lab::{Lab, Rule, Step};
use crate::libtest::CompileError;
use crate::paint::{Line, Style, wrap};

/// Lines of a failing test's message that are shown; the test itself shows the rest.
const MESSAGE_LINES: usize = 14;

/// One lab: its steps, and what is left.
pub fn board(grade: &Grade, width: usize) -> Vec<Line> {
    let mut lines = vec![lab_line(grade)];
    let title = grade.steps.iter().map(|s| s.step.title.chars().count()).max().unwrap_or(0);
    let title = title.clamp(10, width.saturating_sub(34).max(10));
    lines.extend(grade.steps.iter().map(|step| step_line(step, title)));
    if !grade.lab.predictions.is_empty() {
        lines.push(predictions_line(grade));
    }
    lines
}

pub fn lab_line(grade: &Grade) -> Line {
    let lab = &grade.lab;
    Line::new().bold(format!("Lab {}  {}", lab.number, lab.name)).plain(format!("  {}", lab.about))
}

pub fn step_line(step: &StepGrade, title: usize) -> Line {
    let (sign, style, words) = match step.state {
        State::Done => ("✓", Style::Good, "done"),
        State::Red => ("✗", Style::Bad, "red"),
        State::Todo => ("·", Style::Dim, "to write"),
        State::Unknown => ("?", Style::Dim, "not graded yet"),
    };
    let name: String = step.step.title.chars().take(title).collect();
    let core = if step.step.core { "core" } else { "" };
    Line::new()
        .with(style, format!("  {sign} "))
        .plain(format!("{}  {name}", step.step.number))
        .to(title + 9)
        .dim(format!("{:>3} min  {core:<4}  ", step.step.minutes))
        .with(style, words)
}

pub fn predictions_line(grade: &Grade) -> Line {
    let (answered, all) = (grade.lab.answered(), grade.lab.predictions.len());
    let style = if answered == all { Style::Good } else { Style::Dim };
    let sign = if answered == all { "✓" } else { "·" };
    Line::new()
        .with(style, format!("  {sign} "))
        .plain(format!("{answered} of {all} predictions answered"))
}

/// Where the reader reads: on the open screen a key does what a command does at the prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    AtThePrompt,
    OnTheScreen,
}

/// What to do first, and where. The place stands in the last line.
pub fn next(grade: &Grade, seen: Seen, width: usize) -> Vec<Line> {
    let lab = &grade.lab;
    match grade.next() {
        Next::Compile(error) => {
            let mut lines: Vec<Line> = error.text.lines().map(Line::from).collect();
            lines.push(Line::new());
            lines.extend(does_not_compile(lab, &error));
            lines
        }
        Next::NotRun(why) => {
            wrap(&format!("Next: {why}"), width).into_iter().map(Line::from).collect()
        }
        Next::Predict { open, at } => predict(grade, open, &at.to_string(), seen),
        Next::Step(index) => match grade.steps.get(index) {
            Some(step) => step_next(grade, step, seen, width),
            None => Vec::new(),
        },
        Next::Done => {
            let done = Line::new().bold(format!("Lab {} is done.", lab.number));
            let mut lines = vec![done.plain(" See your own code carry messages:")];
            lines.extend(plug_in(lab));
            lines
        }
    }
}

/// The compiler's first error in one line, and its place.
pub fn does_not_compile(lab: &Lab, error: &CompileError) -> Vec<Line> {
    let next = format!("Next: {} does not compile: {}", lab.name, error.what);
    let at = error.at.as_ref().map(|at| Line::new().plain("  mend   ").mark(at.to_string()));
    [Line::new().bold(next)].into_iter().chain(at).collect()
}

/// After the last step: the page that says what to do with the finished code, and the command.
fn plug_in(lab: &Lab) -> Vec<Line> {
    let page = lab.chapter.as_ref().map(|page| format!("  read   {page}, \"Plug it in\""));
    let run = Line::new().plain("  run    ");
    let run = run.mark(format!("cargo workshop broker --mine {}", lab.name));
    page.map(Line::from).into_iter().chain([run]).collect()
}

fn predict(grade: &Grade, open: usize, at: &str, seen: Seen) -> Vec<Line> {
    let questions = if open == 1 { "one question".to_owned() } else { format!("{open} questions") };
    let step = grade.steps.iter().find(|step| step.state != State::Done);
    let mut lines = Vec::new();
    if step.is_none() {
        lines.push(Line::from("All steps pass. See your own code carry messages:"));
        lines.extend(plug_in(&grade.lab));
        lines.push(Line::new());
    }
    let when = if step.is_some() { "before you write code" } else { "as if you did not know" };
    lines.push(Line::new().bold("Next: predict.").plain(format!(" Answer {questions} {when}.")));
    lines.push(Line::from("  A guess is as good as knowing: it only has to be yours."));
    if let Some(step) = step {
        let Step { number, minutes, .. } = &step.step;
        lines
            .push(Line::from(format!("  then   step {number}, {minutes} minutes: {}", step.place)));
    }
    lines.push(Line::from(format!("  file   {at}")));
    lines.push(match seen {
        Seen::AtThePrompt => Line::new()
            .plain("  type   ")
            .mark(format!("cargo workshop predict {}", grade.lab.name)),
        Seen::OnTheScreen => Line::new().plain("  press  ").mark("p"),
    });
    lines
}

fn step_next(grade: &Grade, step: &StepGrade, seen: Seen, width: usize) -> Vec<Line> {
    let lab = &grade.lab;
    let mut lines = Vec::new();
    let red = step.red().filter(|_| step.state == State::Red);
    if let Some(test) = red {
        lines.push(Line::new().with(Style::Bad, "  ✗ ").bold(test.name.clone()));
        lines.extend(message(&test.message, width));
    } else if step.state == State::Red {
        lines.push(Line::from(format!("  No test ran for step {}.", step.step.number)));
    }
    // The open screen has no room for the rules of a step that nobody has begun: they are a key away.
    if red.is_some() || seen == Seen::AtThePrompt {
        let named = red.map(|test| crate::lab::rule_ids(&test.message)).unwrap_or_default();
        let ids = if named.is_empty() { &step.step.rules } else { &named };
        lines.extend(rules(lab, ids, width));
    }
    if !lines.is_empty() {
        lines.push(Line::new());
    }
    let core = if step.step.core { ", core" } else { "" };
    lines.push(
        Line::new()
            .bold(format!("Next: step {}, {}", step.step.number, step.step.title))
            .dim(format!(" ({} minutes{core})", step.step.minutes)),
    );
    lines.push(Line::from(format!(
        "  read   {}/README.md, step {}",
        lab.folder(),
        step.step.number
    )));
    lines
        .push(Line::from(format!("  run    cargo test -p {} step_{}", lab.name, step.step.number)));
    if seen == Seen::AtThePrompt {
        lines.push(Line::from(format!("  stuck  cargo workshop hint {}", lab.name)));
    }
    lines.push(Line::new().plain("  write  ").mark(step.place.to_string()));
    lines
}

/// The texts of rules, each with its id in front of it.
pub fn rules(lab: &Lab, ids: &[String], width: usize) -> Vec<Line> {
    ids.iter().filter_map(|id| lab.rule(id)).flat_map(|one| rule(one, width)).collect()
}

fn rule(rule: &Rule, width: usize) -> Vec<Line> {
    let indent = rule.id.chars().count() + 4;
    let text = wrap(&rule.text, width.saturating_sub(indent + 2).min(90));
    let id = |at: usize| if at == 0 { format!("  {}", rule.id) } else { String::new() };
    text.into_iter()
        .enumerate()
        .map(|(at, text)| Line::new().bold(id(at)).to(indent).plain(text))
        .collect()
}

/// The beginning of a failing test's message.
pub fn message(text: &str, width: usize) -> Vec<Line> {
    // The texts of rules follow by themselves.
    let said = |line: &&str| !line.trim().is_empty() && !line.starts_with("rule R");
    let all = text.lines().filter(said);
    let count = all.clone().count();
    let cut = |line: &str| line.chars().take(width.saturating_sub(4)).collect::<String>();
    let mut lines: Vec<Line> =
        all.take(MESSAGE_LINES).map(|line| Line::from(format!("    {}", cut(line)))).collect();
    if count > MESSAGE_LINES {
        lines.push(Line::new().dim(format!("    … {} more lines", count - MESSAGE_LINES)));
    }
    lines
}

/// Several labs, and the first thing to do in the first that is not done.
pub fn whole(grades: &[Grade], width: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    for grade in grades {
        lines.extend(board(grade, width));
        lines.push(Line::new());
    }
    let first = grades.iter().find(|grade| !grade.is_done()).or(grades.last());
    lines.extend(first.map(|grade| next(grade, Seen::AtThePrompt, width)).unwrap_or_default());
    lines
}

/// In a few words, for one line: `2 of 6 steps, 3 of 3 predictions`.
pub fn summary(grade: &Grade) -> String {
    let tally = format!("{} of {} steps", grade.done_steps(), grade.steps.len());
    match &grade.outcome {
        Outcome::NotCompiled(error) => format!("does not compile: {}", error.what),
        Outcome::NotRun(why) => why.clone(),
        Outcome::Looked if grade.steps.iter().any(|s| s.state == State::Unknown) => {
            "not graded yet".to_owned()
        }
        Outcome::Looked | Outcome::Ran => tally,
    }
}
