//! What can be seen without compiling.

use std::collections::BTreeSet;

use super::{Made, Troubles};
use crate::failure::read_or_empty;
use crate::kit::Kit;
use crate::lab::{Lab, rule_ids};
use crate::predictions;
use crate::starter::{step_of, todo_line, todos};

const LAB_MINUTES: u32 = 90;
const CORE_MINUTES: u32 = 45;
const LAB_LINES: u32 = 80;
const HINTS: usize = 3;

pub fn check(kit: &Kit, lab: &Lab, made: &[Made]) -> Troubles {
    let folder = lab.folder();
    let mut troubles: Troubles =
        lab.troubles.iter().map(|trouble| format!("{folder}/{trouble}")).collect();
    troubles.extend(steps(lab, made).into_iter().map(|t| format!("{folder}/README.md: {t}")));
    troubles.extend(todo_lines(lab, made));
    troubles.extend(shown_reds(lab, made).into_iter().map(|t| format!("{folder}/README.md: {t}")));
    troubles.extend(rules(kit, lab));
    troubles.extend(hints(lab).into_iter().map(|t| format!("{folder}/hints.md: {t}")));
    troubles.extend(asked(kit, lab));
    troubles
}

/// The README's steps: in order, within their time, and as long as the solution's bodies are.
fn steps(lab: &Lab, made: &[Made]) -> Troubles {
    let mut troubles = Vec::new();
    if lab.steps.is_empty() {
        troubles.push("no steps".to_owned());
    }
    for (at, step) in lab.steps.iter().enumerate() {
        if usize::try_from(step.number) != Ok(at + 1) {
            troubles.push(format!("step {} stands in the place of step {}", step.number, at + 1));
        }
        let of_step =
            |made: &&Made| made.bodies.iter().any(|body| body.step() == Some(step.number));
        let files: Vec<&str> = made.iter().filter(of_step).map(|made| made.name.as_str()).collect();
        if !files.iter().any(|file| step.file == format!("src/{file}")) {
            let files = if files.is_empty() { "no file".to_owned() } else { files.join(", ") };
            troubles.push(format!(
                "step {} names {}, but {files} has its anchor",
                step.number, step.file
            ));
        }
        let counted = lines(made, step.number);
        // A learner's first version may be longer than the solution's.
        if !(counted..=counted + counted / 4).contains(&step.lines) {
            troubles.push(format!(
                "step {} says {} lines; between its anchors stand {counted}",
                step.number, step.lines
            ));
        }
        for id in step.rules.iter().filter(|id| lab.rule(id).is_none()) {
            troubles.push(format!("step {} names {id}, which rules.md does not have", step.number));
        }
    }
    let core: u32 = lab.steps.iter().filter(|step| step.core).map(|step| step.minutes).sum();
    let limits = [
        ("minutes", lab.minutes(), LAB_MINUTES),
        ("core minutes", core, CORE_MINUTES),
        ("lines for the learner", lab.steps.iter().map(|step| step.lines).sum(), LAB_LINES),
    ];
    for (what, is, most) in limits {
        if is > most {
            troubles.push(format!("{is} {what}, and {most} is the most"));
        }
    }
    if core == 0 {
        troubles.push("no core step for a room of 90 minutes".to_owned());
    }
    troubles
}

/// The lines of a step's bodies in the solution.
fn lines(made: &[Made], step: u32) -> u32 {
    let bodies = made.iter().flat_map(|made| &made.bodies);
    bodies.filter(|body| body.step() == Some(step)).map(|body| body.count()).sum()
}

/// The `todo!` of a body names the body's own step.
fn todo_lines(lab: &Lab, made: &[Made]) -> Troubles {
    let mut troubles = Vec::new();
    for made in made {
        for body in &made.bodies {
            let named = todos(&body.starter.join("\n"));
            if named.len() != 1 || named.first().map(|(step, _)| *step) != body.step() {
                troubles.push(format!(
                    "{}/src/{}: the STARTER of {} must be one todo!(\"step {}: …\")",
                    lab.solution_folder(),
                    made.name,
                    body.anchor,
                    body.step().unwrap_or_default()
                ));
            }
        }
    }
    troubles
}

/// The place in a red run that the README shows is where the starter's `todo!` stands.
fn shown_reds(lab: &Lab, made: &[Made]) -> Troubles {
    let folder = format!("{}/src/", lab.folder());
    let mut troubles = Vec::new();
    for step in &lab.steps {
        let places = made.iter().filter_map(|made| {
            let line = todo_line(&made.starter, step.number)?;
            Some(format!("{folder}{}:{line}", made.name))
        });
        let places: Vec<String> = places.collect();
        let shown = step.text.lines().map(str::trim).filter(|line| line.starts_with(&folder));
        for shown in shown.filter(|shown| !places.iter().any(|place| place == shown)) {
            let places = places.join(", ");
            troubles.push(format!("step {} shows {shown}; it is {places}", step.number));
        }
    }
    troubles
}

/// Every rule has a test that names it, and the other way round.
fn rules(kit: &Kit, lab: &Lab) -> Troubles {
    let test = format!("{}/tests/{}.rs", lab.folder(), lab.test_target());
    let source = read_or_empty(&kit.path(&test));
    let rules = format!("{}/rules.md", lab.folder());
    let mut troubles = Vec::new();
    let mut seen = BTreeSet::new();
    for rule in &lab.rules {
        if !seen.insert(&rule.id) {
            troubles.push(format!("{rules}: {} stands there twice", rule.id));
        }
        if !rule.id.starts_with(&format!("R{}.", lab.number)) {
            troubles.push(format!("{rules}: {} does not carry the lab's number", rule.id));
        }
    }
    let tested = rule_ids(&source);
    for rule in lab.rules.iter().filter(|rule| !tested.contains(&rule.id)) {
        troubles.push(format!("{test}: no test names {}", rule.id));
    }
    for id in tested.iter().filter(|id| lab.rule(id).is_none()) {
        troubles.push(format!("{rules}: the tests name {id}, which is not there"));
    }
    if lab.rules.is_empty() {
        troubles.push(format!("{rules}: no rules"));
    }
    troubles
}

fn hints(lab: &Lab) -> Troubles {
    let mut troubles = Vec::new();
    for step in &lab.steps {
        let hints = lab.hints.get(&step.number).map_or(&[][..], Vec::as_slice);
        if hints.len() != HINTS {
            troubles.push(format!("step {} has {} hints, want {HINTS}", step.number, hints.len()));
        }
        if hints.iter().any(|hint| hint.is_empty()) {
            troubles.push(format!("step {} has an empty hint", step.number));
        }
    }
    for step in lab.hints.keys().filter(|number| lab.step(**number).is_none()) {
        troubles.push(format!("hints for step {step}, which the README does not have"));
    }
    troubles
}

/// The lab asks what the solution answers, and answers nothing itself.
fn asked(kit: &Kit, lab: &Lab) -> Troubles {
    let here = format!("{}/predict.toml", lab.folder());
    let there = format!("{}/predict.toml", lab.solution_folder());
    let answers = match predictions::parse(&read_or_empty(&kit.path(&there))) {
        Ok(answers) => answers,
        Err(why) => return vec![format!("{there}: {why}")],
    };
    let mut troubles = Vec::new();
    if lab.predictions.is_empty() {
        troubles.push(format!("{here}: no questions"));
    }
    for question in &lab.predictions {
        if question.is_answered() {
            troubles.push(format!("{here}:{}: {} is answered already", question.line, question.id));
        }
        let Some(answer) = answers.iter().find(|answer| answer.id == question.id) else {
            troubles.push(format!("{there}: no answer to {}", question.id));
            continue;
        };
        if answer.question != question.question {
            troubles.push(format!("{there}: {} is another question than in the lab", answer.id));
        }
        if !answer.is_answered() || answer.why.is_empty() {
            troubles.push(format!("{there}: {} wants an answer and a why", answer.id));
        }
    }
    for answer in &answers {
        if !lab.predictions.iter().any(|question| question.id == answer.id) {
            troubles
                .push(format!("{here}: {} is answered in the solution, and not asked", answer.id));
        }
    }
    troubles
}

/// A wrong solution's first line: `//! step_3 caught by step_3: why it is wrong (R1.6)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    pub anchor: String,
    pub caught_by: String,
    pub why: String,
    pub body: String,
}

pub fn wrong(text: &str) -> Result<Wrong, String> {
    let (first, body) = text.split_once('\n').unwrap_or((text, ""));
    let parts = first.strip_prefix("//! ").and_then(|rest| {
        let (head, why) = rest.split_once(": ")?;
        let (anchor, caught_by) = head.split_once(" caught by ")?;
        Some((anchor.trim(), caught_by.trim(), why.trim()))
    });
    let shape =
        "the first line must be `//! step_3 caught by step_3: the mistake, and the rule it breaks`";
    let Some((anchor, caught_by, why)) = parts else { return Err(shape.to_owned()) };
    if step_of(anchor).is_none() || step_of(caught_by).is_none() || body.trim().is_empty() {
        return Err(shape.to_owned());
    }
    if rule_ids(why).is_empty() {
        return Err("the first line names no rule".to_owned());
    }
    Ok(Wrong {
        anchor: anchor.to_owned(),
        caught_by: caught_by.to_owned(),
        why: why.to_owned(),
        body: body.to_owned(),
    })
}
