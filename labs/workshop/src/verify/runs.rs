//! What must be compiled: the solution, the starter, and every wrong solution, one after the other in the same place.

use std::path::Path;

use super::files::{Wrong, wrong};
use super::{Made, Troubles};
use crate::cargo::Stop;
use crate::failure::{Result, could_not, read, write};
use crate::grade::{Built, Outcome, Wanted, build, run_built};
use crate::kit::{Kit, rust_files};
use crate::lab::{Lab, rule_ids};
use crate::libtest::Test;
use crate::paint::{self, Line};
use crate::starter;

pub fn check(kit: &Kit, lab: &Lab, made: &[Made]) -> Result<Troubles> {
    let scratch = scratch(kit, lab)?;
    let mut troubles = solution(&scratch, lab, made)?;
    if troubles.is_empty() {
        troubles.extend(starter_fails(&scratch, lab, made)?);
        troubles.extend(step_by_step(&scratch, lab, made)?);
        troubles.extend(wrongs(kit, &scratch, lab, made)?);
    }
    Ok(troubles)
}

/// A small workspace that holds a copy of one lab. Each lab has its own, so two can be looked at side by side.
fn scratch(kit: &Kit, lab: &Lab) -> Result<Kit> {
    let root = kit.scratch(&format!("verify-{}", lab.number));
    let folder = root.join(lab.folder());
    let _ = std::fs::remove_dir_all(&folder);
    copy(&kit.path(&lab.folder()), &folder)?;
    // What labs share stands beside them.
    for name in rust_files(&kit.path("labs")) {
        write(&root.join("labs").join(&name), &read(&kit.path("labs").join(&name))?)?;
    }
    let manifest = read(&kit.path("Cargo.toml"))?;
    let Some(manifest) = alone(&manifest, &lab.folder()) else {
        return could_not("Cargo.toml: no list of members to make a smaller one from.");
    };
    write(&root.join("Cargo.toml"), &manifest)?;
    for file in ["Cargo.lock", ".config/insta.yaml"] {
        if let Ok(text) = read(&kit.path(file)) {
            write(&root.join(file), &text)?;
        }
    }
    Ok(Kit::at(&root, root.join("target")))
}

/// A workspace's manifest with one member.
fn alone(manifest: &str, member: &str) -> Option<String> {
    let mut text = manifest.to_owned();
    for (key, list) in
        [("\ndefault-members = [", String::new()), ("\nmembers = [", format!("\"{member}\""))]
    {
        let Some(at) = text.find(key) else { continue };
        let open = at + key.len();
        let close = open + text[open..].find(']')?;
        if list.is_empty() {
            text.replace_range(at + 1..=close, "");
        } else {
            text.replace_range(open..close, &list);
        }
    }
    text.contains(member).then_some(text)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let copied = (|| -> std::io::Result<Vec<std::path::PathBuf>> {
        std::fs::create_dir_all(to)?;
        let mut folders = Vec::new();
        for entry in std::fs::read_dir(from)?.flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                std::fs::copy(entry.path(), to.join(entry.file_name()))?;
            }
        }
        Ok(folders)
    })();
    match copied {
        Ok(folders) => folders
            .iter()
            .try_for_each(|folder| copy(folder, &to.join(folder.file_name().unwrap_or_default()))),
        Err(why) => {
            could_not(format!("Cannot copy {} to {}: {why}.", from.display(), to.display()))
        }
    }
}

/// Puts files in place and builds them; a trouble where they do not compile.
fn built(
    scratch: &Kit,
    lab: &Lab,
    files: &[(&str, &str)],
) -> Result<std::result::Result<Built, String>> {
    for (name, text) in files {
        let path = scratch.path(&format!("{}/src/{name}", lab.folder()));
        if read(&path).ok().as_deref() != Some(*text) {
            write(&path, text)?;
        }
    }
    Ok(build(scratch, lab).map_err(said))
}

fn run(
    scratch: &Kit,
    lab: &Lab,
    built: &Built,
    filter: Option<&str>,
) -> std::result::Result<Vec<Test>, String> {
    let wanted = Wanted { filter, ..Wanted::default() };
    run_built(scratch, lab, built, wanted, &Stop::default()).map(|ran| ran.tests).map_err(said)
}

/// What the README shows of a red run of one step is what is printed, with the steps before it written.
fn shown_red(scratch: &Kit, lab: &Lab, built: &Built, step: u32) -> Troubles {
    let Some(step) = lab.step(step) else { return Vec::new() };
    let shown =
        step.text.lines().map(str::trim).skip_while(|line| !line.starts_with("next: step "));
    let shown: Vec<&str> = shown.take_while(|line| !line.is_empty()).collect();
    if shown.is_empty() {
        return Vec::new();
    }
    let filter = format!("step_{}", step.number);
    let wanted = Wanted { filter: Some(&filter), ..Wanted::default() };
    let printed = match run_built(scratch, lab, built, wanted, &Stop::default()) {
        Ok(ran) => ran.last_words,
        Err(outcome) => said(outcome),
    };
    let lines = printed.lines().map(str::trim).skip_while(|line| !line.starts_with("next: "));
    let lines: Vec<&str> = lines.take(shown.len()).collect();
    if lines == shown {
        return Vec::new();
    }
    let (shown, lines) = (shown.join(" / "), lines.join(" / "));
    let at = format!("{}/README.md: step {}", lab.folder(), step.number);
    vec![format!("{at} shows \"{shown}\"; printed is \"{lines}\"")]
}

fn said(outcome: Outcome) -> String {
    match outcome {
        Outcome::NotCompiled(error) => format!("does not compile:\n{}", error.text),
        Outcome::NotRun(why) => why,
        Outcome::Looked | Outcome::Ran => String::new(),
    }
}

/// The solution, in the lab's place, passes every test.
fn solution(scratch: &Kit, lab: &Lab, made: &[Made]) -> Result<Troubles> {
    let texts = in_the_labs_place(lab, made, None)?;
    let at = format!("{}/src", lab.solution_folder());
    let built = match built(scratch, lab, &files(made, &texts))? {
        Ok(built) => built,
        Err(why) => return Ok(vec![format!("{at}: {why}")]),
    };
    let mut troubles: Troubles =
        built.warnings.iter().map(|warning| format!("{at}: warning: {warning}")).collect();
    match run(scratch, lab, &built, None) {
        Ok(tests) => troubles.extend(
            tests
                .iter()
                .filter(|test| !test.passed)
                .map(|test| format!("{at}: fails {}: {}", test.name, first(test))),
        ),
        Err(why) => troubles.push(format!("{at}: {why}")),
    }
    Ok(troubles)
}

fn files<'a>(made: &'a [Made], texts: &'a [String]) -> Vec<(&'a str, &'a str)> {
    made.iter().zip(texts).map(|(made, text)| (made.name.as_str(), text.as_str())).collect()
}

/// The solution's files as the lab would have them, with another body for one step.
fn in_the_labs_place(lab: &Lab, made: &[Made], other: Option<&Wrong>) -> Result<Vec<String>> {
    let (anchor, body) = other.map_or(("", ""), |wrong| (&wrong.anchor, &wrong.body));
    made.iter()
        .map(|made| match starter::with_body(lab, &made.solution, anchor, body) {
            Ok(text) => Ok(text),
            Err(why) => could_not(format!("{}: {why}.", made.name)),
        })
        .collect()
}

/// The starter compiles without a warning, and every step of it fails because of its `todo!` alone.
fn starter_fails(scratch: &Kit, lab: &Lab, made: &[Made]) -> Result<Troubles> {
    let texts: Vec<String> = made.iter().map(|made| made.starter.clone()).collect();
    let at = format!("{}/src", lab.folder());
    let built = match built(scratch, lab, &files(made, &texts))? {
        Ok(built) => built,
        Err(why) => return Ok(vec![format!("{at}: {why}")]),
    };
    let mut troubles: Troubles =
        built.warnings.iter().map(|warning| format!("{at}: warning: {warning}")).collect();
    troubles.extend(shown_red(scratch, lab, &built, 1));
    let tests = match run(scratch, lab, &built, None) {
        Ok(tests) => tests,
        Err(why) => return Ok(vec![format!("{at}: {why}")]),
    };
    for step in &lab.steps {
        let mut of_step = tests.iter().filter(|test| test.step() == Some(step.number)).peekable();
        if of_step.peek().is_none() {
            troubles.push(format!("{}: no test for step {}", lab.folder(), step.number));
        } else if of_step.all(|test| test.passed) {
            troubles.push(format!("{at}: step {} passes before it is written", step.number));
        }
    }
    for test in &tests {
        let is_transcript = test.name.ends_with("_transcript");
        if test.is_given() && !test.passed {
            troubles.push(format!("{at}: {} is called given, and needs a step", test.name));
        } else if !test.is_given() && test.passed && is_transcript {
            let why = "passes before anything is written; one that does is called step_N_given_…";
            troubles.push(format!("{at}: {} {why}", test.name));
        }
    }
    for test in tests.iter().filter(|test| !test.passed && test.waits_for().is_none()) {
        troubles.push(format!("{at}: {} fails by more than a todo!: {}", test.name, first(test)));
    }
    Ok(troubles)
}

/// With the bodies of the steps up to one, the tests of these steps pass: none needs a later step. And the red of the
/// step after them is as the README shows it.
fn step_by_step(scratch: &Kit, lab: &Lab, made: &[Made]) -> Result<Troubles> {
    let mut troubles = Vec::new();
    for written in lab.steps.iter().map(|step| step.number) {
        let mut texts = Vec::new();
        for made in made {
            match starter::up_to(lab, &made.solution, written) {
                Ok(text) => texts.push(text),
                Err(why) => return could_not(format!("{}: {why}.", made.name)),
            }
        }
        let at = format!("{}, steps 1 to {written} written", lab.folder());
        let ran = built(scratch, lab, &files(made, &texts))?
            .and_then(|built| Ok((run(scratch, lab, &built, None)?, built)));
        let (tests, built) = match ran {
            Ok(ran) => ran,
            Err(why) => return Ok(vec![format!("{at}: {why}")]),
        };
        troubles.extend(shown_red(scratch, lab, &built, written + 1));
        let red = |test: &&Test| !test.passed && test.step() <= Some(written);
        troubles.extend(
            tests
                .iter()
                .filter(red)
                .map(|test| format!("{at}: {} is red: {}", test.name, first(test))),
        );
        if !tests.iter().any(|test| red(&test)) {
            paint::print(&[Line::new().dim(format!("  green with steps 1 to {written} written"))]);
        }
    }
    Ok(troubles)
}

fn first(test: &Test) -> &str {
    test.message.lines().find(|line| !line.trim().is_empty()).unwrap_or("it gave no reason").trim()
}

/// Every wrong solution is caught by the step that it names.
fn wrongs(kit: &Kit, scratch: &Kit, lab: &Lab, made: &[Made]) -> Result<Troubles> {
    let folder = format!("{}/wrong", lab.solution_folder());
    let mut troubles = Vec::new();
    for name in rust_files(&kit.path(&folder)) {
        let at = format!("{folder}/{name}");
        match one_wrong(kit, scratch, lab, made, &at)? {
            // At once: an author watches.
            Ok(line) => paint::print(&[line]),
            Err(why) => troubles.push(format!("{at}: {why}")),
        }
    }
    Ok(troubles)
}

fn one_wrong(
    kit: &Kit,
    scratch: &Kit,
    lab: &Lab,
    made: &[Made],
    at: &str,
) -> Result<std::result::Result<Line, String>> {
    let wrong = match wrong(&read(&kit.path(at))?) {
        Ok(wrong) => wrong,
        Err(why) => return Ok(Err(why)),
    };
    if !made.iter().flat_map(|made| &made.bodies).any(|body| body.anchor == wrong.anchor) {
        return Ok(Err(format!("the solution has no anchor {}", wrong.anchor)));
    }
    if let Some(id) = rule_ids(&wrong.why).iter().find(|id| lab.rule(id).is_none()) {
        return Ok(Err(format!("it names {id}, which rules.md does not have")));
    }
    let texts = in_the_labs_place(lab, made, Some(&wrong))?;
    let built = match built(scratch, lab, &files(made, &texts))? {
        Ok(built) => built,
        Err(why) => return Ok(Err(why)),
    };
    let tests = match run(scratch, lab, &built, Some(&wrong.caught_by)) {
        Ok(tests) => tests,
        Err(why) => return Ok(Err(why)),
    };
    let caught = |test: &&Test| test.name.starts_with(&wrong.caught_by) && !test.passed;
    let caught: Vec<&Test> = tests.iter().filter(caught).collect();
    Ok(match (caught.first(), misled(&caught, &wrong)) {
        (None, _) => Err(format!("no test {}… fails: {}", wrong.caught_by, wrong.why)),
        (_, Some(why)) => Err(why),
        (Some(test), None) => {
            Ok(Line::new().dim(format!("  caught by {}: {}", test.name, wrong.why)))
        }
    })
}

/// A message that names only rules which are kept. It sends its reader to the wrong place, so those that are read first
/// may not: the first test of the step, and whichever chance finds.
fn misled(caught: &[&Test], wrong: &Wrong) -> Option<String> {
    let broken = rule_ids(&wrong.why);
    let by_chance = |test: &&&Test| test.name.contains("_any_");
    let read_first = caught.iter().take(1).chain(caught.iter().skip(1).filter(by_chance));
    let named = read_first.map(|test| (test, rule_ids(&test.message)));
    let mut astray =
        named.filter(|(_, named)| !named.is_empty() && !named.iter().any(|id| broken.contains(id)));
    let (test, named) = astray.next()?;
    let (named, broken) = (named.join(" "), broken.join(" "));
    Some(format!("{} names {named}, and what is broken is {broken}: {}", test.name, first(test)))
}
