//! `trace`: your transcripts beside the expected ones.
//!
//! Tests write what your code did into the folder that `WORKSHOP_TRACE` names, one file a snapshot.

use std::path::Path;

use crate::cargo::Stop;
use crate::commands::{lab_at_hand, width};
use crate::failure::{NOT_DONE, Result, could_not, read_or_empty};
use crate::grade::{Outcome, Wanted, run_tests};
use crate::kit::{Kit, Place};
use crate::lab::{Lab, rule_ids};
use crate::libtest::{self, Test};
use crate::paint::{self, Line, Style};
use crate::starter::step_of;

/// One transcript: what was expected, and what came, if the test got that far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcript {
    /// The snapshot's name: `append`.
    pub name: String,
    /// The test that compares it: `step_1_transcript`.
    pub test: String,
    pub expected: String,
    pub yours: Option<String>,
}

impl Transcript {
    fn is_same(&self) -> bool {
        self.yours.as_ref().is_some_and(|yours| yours.trim_end() == self.expected.trim_end())
    }

    fn is_given(&self) -> bool {
        libtest::is_given(&self.test)
    }
}

/// A transcript that has not come to be, and the step that it waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub step: u32,
    pub at: Place,
}

pub fn trace(kit: &Kit, lab: Option<&str>, step: Option<u32>) -> Result<u8> {
    let lab = match lab {
        Some(asked) => kit.lab(asked)?.clone(),
        None => lab_at_hand(kit, None)?.lab,
    };
    if let Some(step) = step
        && lab.step(step).is_none()
    {
        return could_not(format!("Lab {} has no step {step}.", lab.name));
    }
    let folder = kit.scratch(&format!("trace-{}", lab.name));
    let _ = std::fs::remove_dir_all(&folder);
    if let Err(why) = std::fs::create_dir_all(&folder) {
        return could_not(format!("Cannot make {}: {why}.", folder.display()));
    }
    let wanted = Wanted { trace: Some(&folder), ..Wanted::default() };
    let tests = match run_tests(kit, &lab, wanted, &Stop::default()) {
        Ok(tests) => tests,
        Err(Outcome::NotCompiled(error)) => {
            let at = error.at.map(|at| format!("\n  mend   {at}")).unwrap_or_default();
            return could_not(format!("{}\n\n{} does not compile.{at}", error.text, lab.name));
        }
        Err(Outcome::NotRun(why)) => return could_not(why),
        Err(_) => Vec::new(),
    };
    let source = test_source(kit, &lab);
    let mut transcripts = transcripts(kit, &lab, &folder, &source);
    transcripts.retain(|transcript| step.is_none() || step_of(&transcript.test) == step);
    if transcripts.is_empty() {
        return could_not(format!("{} has no transcripts to show.", lab.name));
    }
    let (mut wrong, mut seen) = (None, Vec::new());
    for transcript in transcripts {
        let waiting = waiting(kit, &lab, &transcript, &tests);
        if waiting.is_none() && !transcript.is_same() && wrong.is_none() {
            wrong = Some(transcript.clone());
        }
        seen.push((transcript, waiting));
    }
    if let Some(wrong) = wrong {
        paint::print(&show(&lab, &wrong, &tests, &source, width()));
        return Ok(NOT_DONE);
    }
    paint::print(&told(&lab, &seen));
    Ok(if seen.iter().all(|(_, waiting)| waiting.is_none()) { 0 } else { NOT_DONE })
}

/// What an unfinished step keeps a transcript from: its own, or another that its test has met.
fn waiting(kit: &Kit, lab: &Lab, transcript: &Transcript, tests: &[Test]) -> Option<Waiting> {
    if transcript.is_same() || transcript.is_given() {
        return None;
    }
    let own = || step_of(&transcript.test).filter(|step| kit.todo(lab, *step).is_some());
    let test = tests.iter().find(|test| test.name == transcript.test && !test.passed);
    let step = test.and_then(Test::waits_for).or_else(own)?;
    Some(Waiting { step, at: kit.place(lab, step) })
}

/// Every snapshot of the lab, in the order of the steps.
fn transcripts(kit: &Kit, lab: &Lab, traced: &Path, source: &str) -> Vec<Transcript> {
    let folder = kit.path(&format!("{}/tests/snapshots", lab.folder()));
    let mut found: Vec<Transcript> = std::fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let file = entry.file_name().into_string().ok()?;
            let stem = file.strip_suffix(".snap")?;
            let name = stem.rsplit_once("__").map_or(stem, |(_, name)| name).to_owned();
            let yours = traced.join(format!("{name}.txt"));
            let yours = yours.is_file().then(|| read_or_empty(&yours));
            let expected = content(&read_or_empty(&entry.path())).to_owned();
            let test = test_of(source, &name).unwrap_or(&name).to_owned();
            Some(Transcript { name, test, expected, yours })
        })
        .collect();
    found.sort_by_key(|t| (step_of(&t.test).unwrap_or(u32::MAX), t.name.clone()));
    found
}

/// The test function that names a snapshot.
fn test_of<'a>(source: &'a str, snapshot: &str) -> Option<&'a str> {
    let quoted = format!("\"{snapshot}\"");
    let line = |at: usize| source[..at].rsplit('\n').next().unwrap_or_default();
    let mut found = source.match_indices(&quoted).map(|(at, _)| at);
    let at = found.clone().find(|at| line(*at).contains("transcript")).or_else(|| found.next())?;
    let (_, after) = source[..at].rsplit_once("fn step_")?;
    let start = at - after.len() - "step_".len();
    source[start..].split('(').next()
}

/// A snapshot file without the header that insta puts above it.
fn content(snapshot: &str) -> &str {
    let after = snapshot.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n"));
    after.map_or(snapshot, |(_, content)| content)
}

fn test_source(kit: &Kit, lab: &Lab) -> String {
    read_or_empty(&kit.path(&format!("{}/tests/{}.rs", lab.folder(), lab.test_target())))
}

/// No transcript differs: those that are there, and which steps the others wait for.
pub fn told(lab: &Lab, seen: &[(Transcript, Option<Waiting>)]) -> Vec<Line> {
    let mut lines = Vec::new();
    let block = |lines: &mut Vec<Line>, sign: (Style, &str), transcript: &Transcript| {
        lines.push(Line::new().with(sign.0, sign.1).bold(heading(transcript)));
        let text = transcript.expected.trim_end().lines();
        lines.extend(text.map(|line| Line::from(format!("  {line}"))));
        lines.push(Line::new());
    };
    let yours = seen.iter().filter(|(transcript, _)| !transcript.is_given());
    let done: Vec<&Transcript> =
        yours.clone().filter(|(_, waiting)| waiting.is_none()).map(|(yours, _)| yours).collect();
    for transcript in &done {
        block(&mut lines, (Style::Good, "✓ "), transcript);
    }
    let waiting: Vec<(&Transcript, &Waiting)> =
        yours.filter_map(|(yours, waiting)| Some((yours, waiting.as_ref()?))).collect();
    if done.is_empty()
        && let Some((first, _)) = waiting.first()
    {
        lines.push(Line::from("This is expected, when it is written:"));
        lines.push(Line::new());
        block(&mut lines, (Style::Dim, "· "), first);
    }
    let given = seen.iter().filter(|(transcript, _)| transcript.is_given());
    let given: Vec<&str> = given.map(|(transcript, _)| transcript.name.as_str()).collect();
    if !given.is_empty() {
        let names = given.join(", ");
        lines.push(Line::from(format!("Given, so not yours to write: {names}. Read them in")));
        lines.push(Line::from(format!("{}/tests/snapshots/.", lab.folder())));
        lines.push(Line::new());
    }
    if !done.is_empty() {
        lines.push(Line::from(format!("Your {} did this, as expected.", lab.name)));
    }
    if let Some((_, first)) = waiting.iter().min_by_key(|(_, waiting)| waiting.step) {
        lines.push(Line::from("Not there yet:"));
        for (transcript, waiting) in &waiting {
            let heading = heading(transcript);
            let on = format!("{heading:<24}  waits for step {}", waiting.step);
            lines.push(Line::new().dim("  · ").plain(on));
        }
        lines.push(Line::new().plain("  write  ").mark(first.at.to_string()));
    }
    lines
}

fn heading(transcript: &Transcript) -> String {
    match step_of(&transcript.test) {
        Some(step) if step_of(&transcript.name).is_none() => {
            format!("step {step}: {}", transcript.name)
        }
        _ => transcript.name.clone(),
    }
}

/// The first transcript that differs: expected and yours side by side, and the rule.
pub fn show(
    lab: &Lab,
    transcript: &Transcript,
    tests: &[Test],
    source: &str,
    width: usize,
) -> Vec<Line> {
    let step = step_of(&transcript.test);
    let test = tests
        .iter()
        .find(|test| test.name == transcript.test)
        .or_else(|| tests.iter().find(|test| !test.passed && test.step() == step));
    let mut lines = vec![Line::new().with(Style::Bad, "✗ ").bold(heading(transcript)), Line::new()];
    if transcript.is_given() {
        let given = format!("{}/given/", lab.folder());
        lines
            .push(Line::from(format!("This is given. It was as expected before {given} changed.")));
        lines.push(Line::new());
    }
    let at = match &transcript.yours {
        Some(yours) => beside(&mut lines, &transcript.expected, yours, width),
        None => {
            lines.extend(
                transcript.expected.trim_end().lines().map(|l| Line::from(format!("  {l}"))),
            );
            lines.push(Line::new());
            let why = "This is expected. Your code did not get far enough to be compared:";
            lines.push(Line::from(why));
            None
        }
    };
    if transcript.yours.is_none()
        && let Some(test) = test.filter(|test| !test.passed)
    {
        lines.extend(crate::report::message(&test.message, width));
        let place = test.at.as_ref().map(|at| at.to_string());
        let place = place.filter(|place| !test.message.contains(place));
        lines.extend(place.map(|place| Line::new().plain("    ").mark(place)));
        return lines;
    }
    lines.push(Line::new());
    if let Some(at) = at {
        lines.push(Line::new().bold(format!("The first difference is in line {at}.")));
    }
    lines.extend(rules(lab, transcript, test, source, width));
    lines
}

/// The rules that the failing message names, or else the test, or else the step.
fn rules(
    lab: &Lab,
    transcript: &Transcript,
    test: Option<&Test>,
    source: &str,
    width: usize,
) -> Vec<Line> {
    let said = test.map(|test| rule_ids(&test.message)).unwrap_or_default();
    let tested = test.map(|test| rule_ids(function(source, &test.name))).unwrap_or_default();
    let step = step_of(&transcript.test).and_then(|number| lab.step(number));
    let ids = [said, tested, step.map(|step| step.rules.clone()).unwrap_or_default()];
    let ids = ids.into_iter().find(|ids| !ids.is_empty()).unwrap_or_default();
    crate::report::rules(lab, &ids, width)
}

/// From the comments above a test to the test after it.
fn function<'a>(source: &'a str, name: &str) -> &'a str {
    let Some(at) = source.find(&format!("fn {name}(")) else { return "" };
    let start = source[..at].rfind("\n\n").unwrap_or(0);
    let end = source[at..].find("\n}").map_or(source.len(), |end| at + end);
    &source[start..end]
}

/// Two columns; returns the first line that differs, from 1.
fn beside(lines: &mut Vec<Line>, expected: &str, yours: &str, width: usize) -> Option<usize> {
    let expected: Vec<&str> = expected.trim_end().lines().collect();
    let yours: Vec<&str> = yours.trim_end().lines().collect();
    let rows = expected.len().max(yours.len());
    let first = (0..rows).find(|at| expected.get(*at) != yours.get(*at));
    // The left column is as wide as it must be, and at most a half.
    let longest = |side: &[&str]| side.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    let room = width.saturating_sub(5);
    let left = longest(&expected).clamp(8, (room / 2).max(8));
    let right = room.saturating_sub(left);
    let cell = |text: &str, column: usize| -> String {
        let long = text.chars().count() > column;
        let cut: String = text.chars().take(column.saturating_sub(usize::from(long))).collect();
        if long { cut + "…" } else { format!("{cut:<column$}") }
    };
    lines.push(Line::new().bold(format!("  {} │ yours", cell("expected", left))));
    for at in 0..rows {
        let (sign, style) = match first {
            Some(first) if at == first => ("▸ ", Style::Bad),
            _ => ("  ", Style::Plain),
        };
        let theirs = cell(expected.get(at).copied().unwrap_or(""), left);
        let own = cell(yours.get(at).copied().unwrap_or(""), right);
        let line = Line::new().with(style, sign).plain(theirs).dim(" │ ");
        lines.push(line.with(style, own.trim_end()));
    }
    let cut = |at: usize| {
        let longer =
            |side: &[&str], column| side.get(at).is_some_and(|l| l.chars().count() > column);
        longer(&expected, left) || longer(&yours, right)
    };
    if let Some(at) = first
        && cut(at)
    {
        lines.push(Line::new());
        lines.push(Line::from(format!("  expected  {}", expected.get(at).unwrap_or(&"(nothing)"))));
        lines.push(Line::from(format!("  yours     {}", yours.get(at).unwrap_or(&"(nothing)"))));
    }
    first.map(|at| at + 1)
}
