//! A grade for programs: JSON, described in `labs/workshop/README.md`, and JUnit XML.

use std::fmt::Write as _;

use crate::grade::{Grade, Next, Outcome, State, StepGrade};
use crate::libtest::Test;

/// The number to raise when a field changes its meaning or goes away.
const FORMAT: u32 = 1;

pub fn json(grades: &[Grade]) -> String {
    let labs = list(grades.iter().map(lab_json));
    let done = grades.iter().all(Grade::is_done);
    object(&[("format", FORMAT.to_string()), ("done", done.to_string()), ("labs", labs)])
}

fn lab_json(grade: &Grade) -> String {
    let lab = &grade.lab;
    let error = match &grade.outcome {
        Outcome::NotCompiled(error) => text(&error.text),
        Outcome::NotRun(why) => text(why),
        Outcome::Looked | Outcome::Ran => "null".to_owned(),
    };
    let predictions = object(&[
        ("asked", lab.predictions.len().to_string()),
        ("answered", lab.answered().to_string()),
    ]);
    object(&[
        ("lab", text(&lab.name)),
        ("number", lab.number.to_string()),
        ("folder", text(&lab.folder())),
        ("done", grade.is_done().to_string()),
        ("compiles", (!matches!(grade.outcome, Outcome::NotCompiled(_))).to_string()),
        ("error", error),
        ("predictions", predictions),
        ("steps", list(grade.steps.iter().map(step_json))),
        ("next", next_json(grade)),
    ])
}

fn step_json(step: &StepGrade) -> String {
    let state = match step.state {
        State::Done => "done",
        State::Todo => "to write",
        State::Red => "red",
        State::Unknown => "not graded",
    };
    object(&[
        ("step", step.step.number.to_string()),
        ("title", text(&step.step.title)),
        ("minutes", step.step.minutes.to_string()),
        ("core", step.step.core.to_string()),
        ("rules", list(step.step.rules.iter().map(|id| text(id)))),
        ("state", text(state)),
        ("at", text(&step.place.to_string())),
        ("tests", list(step.tests.iter().map(test_json))),
    ])
}

fn test_json(test: &Test) -> String {
    object(&[
        ("name", text(&test.name)),
        ("passed", test.passed.to_string()),
        ("message", if test.passed { "null".to_owned() } else { text(&test.message) }),
    ])
}

fn next_json(grade: &Grade) -> String {
    let (act, at) = match grade.next() {
        Next::Compile(error) => ("compile", error.at.map(|at| at.to_string())),
        Next::Predict { at, .. } => ("predict", Some(at.to_string())),
        Next::Step(index) => ("step", grade.steps.get(index).map(|step| step.place.to_string())),
        Next::NotRun(_) => ("run", None),
        Next::Done => return "null".to_owned(),
    };
    let step = match grade.next() {
        Next::Step(index) => grade.steps.get(index).map(|step| step.step.number.to_string()),
        _ => None,
    };
    object(&[
        ("do", text(act)),
        ("step", step.unwrap_or("null".to_owned())),
        ("at", at.map_or("null".to_owned(), |at| text(&at))),
    ])
}

fn object(fields: &[(&str, String)]) -> String {
    let fields: Vec<String> =
        fields.iter().map(|(name, value)| format!("{}:{value}", text(name))).collect();
    format!("{{{}}}", fields.join(","))
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

/// A JSON string.
fn text(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// One suite a lab, one case a test; predictions are cases too.
pub fn junit(grades: &[Grade]) -> String {
    let mut suites = String::new();
    let (mut all, mut red) = (0, 0);
    for grade in grades {
        let cases = cases(grade);
        let failures = cases.iter().filter(|case| case.1.is_some()).count();
        let name = xml(&grade.lab.name);
        let _ = writeln!(
            suites,
            "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"0\" time=\"{:.3}\">",
            cases.len(),
            grade.took.as_secs_f64()
        );
        for (case, failure) in &cases {
            let head = format!("    <testcase classname=\"{name}\" name=\"{}\"", xml(case));
            let _ = match failure {
                None => writeln!(suites, "{head}/>"),
                Some(why) => {
                    let first = xml(why.lines().next().unwrap_or_default());
                    writeln!(
                        suites,
                        "{head}><failure message=\"{first}\">{}</failure></testcase>",
                        xml(why)
                    )
                }
            };
        }
        suites.push_str("  </testsuite>\n");
        all += cases.len();
        red += failures;
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites name=\"workshop\" tests=\"{all}\" failures=\"{red}\" errors=\"0\">\n{suites}</testsuites>"
    )
}

/// Names, and why each failed.
fn cases(grade: &Grade) -> Vec<(String, Option<String>)> {
    let mut cases = Vec::new();
    match &grade.outcome {
        Outcome::NotCompiled(error) => {
            cases.push(("compiles".to_owned(), Some(error.text.clone())))
        }
        Outcome::NotRun(why) => cases.push(("runs".to_owned(), Some(why.clone()))),
        Outcome::Looked | Outcome::Ran => {}
    }
    for step in &grade.steps {
        if step.tests.is_empty() {
            let why = format!("no test ran for step {} ({})", step.step.number, step.place);
            cases.push((format!("step_{}", step.step.number), Some(why)));
        }
        for test in &step.tests {
            cases.push((test.name.clone(), (!test.passed).then(|| test.message.clone())));
        }
    }
    for prediction in &grade.lab.predictions {
        let at = format!("{}/predict.toml:{}", grade.lab.folder(), prediction.line);
        let why = (!prediction.is_answered()).then(|| format!("not answered yet: {at}"));
        cases.push((format!("prediction {}", prediction.id), why));
    }
    cases
}

fn xml(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            // XML 1.0 has no way to write the other control characters.
            c if c.is_control() && !matches!(c, '\n' | '\t') => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out
}
