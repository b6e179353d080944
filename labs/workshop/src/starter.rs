//! A starter is made, not kept: the solution's file with `todo!`s in place of the steps' bodies.
//!
//! ```text
//!     // STARTER: todo!("step 1: give the batch the next offset, {now_ms} {batch:?}")
//!     // ANCHOR: step_1
//!     …the body…
//!     // ANCHOR_END: step_1
//! ```
//! becomes the `todo!` line. All else stays, but for the path of given code, which the solution reaches through the lab.

use std::fmt::Write as _;

use crate::lab::Lab;

/// The body of one anchored step in a solution's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// `step_1`, or `step_1_a` where a step has two bodies.
    pub anchor: String,
    /// What stands there in the starter.
    pub starter: Vec<String>,
    pub lines: Vec<String>,
    /// The line of the file before the body that opens its function: `pub fn append(…`.
    pub function: String,
}

impl Body {
    pub fn step(&self) -> Option<u32> {
        step_of(&self.anchor)
    }

    /// The lines a learner writes: neither empty nor a comment.
    pub fn count(&self) -> u32 {
        let code = |line: &&String| !line.trim().is_empty() && !line.trim().starts_with("//");
        u32::try_from(self.lines.iter().filter(code).count()).unwrap_or(u32::MAX)
    }
}

/// `step_3_rolls_by_size` → 3.
pub fn step_of(name: &str) -> Option<u32> {
    let rest = name.strip_prefix("step_")?;
    rest.split('_').next()?.parse().ok()
}

/// Every anchored body of a solution's file, or a sentence about the first marker that is out of place.
pub fn bodies(solution: &str) -> Result<Vec<Body>, String> {
    let mut bodies: Vec<Body> = Vec::new();
    let mut starter: Vec<String> = Vec::new();
    let mut open: Option<Body> = None;
    let mut function = String::new();
    for (at, line) in solution.lines().enumerate() {
        let wrong = |what: &str| Err(format!("line {}: {what}: {}", at + 1, line.trim()));
        match (marker(line), &mut open) {
            (Marker::Starter(text), None) => starter.push(format!("{}{text}", indent(line))),
            (Marker::Anchor(name), None) if step_of(name).is_some() => {
                if starter.is_empty() {
                    return wrong("a step's ANCHOR without a STARTER line above it");
                }
                open = Some(Body {
                    anchor: name.to_owned(),
                    starter: std::mem::take(&mut starter),
                    lines: Vec::new(),
                    function: function.clone(),
                });
            }
            (Marker::End(name), Some(body)) if name == body.anchor => bodies.extend(open.take()),
            (Marker::None, Some(body)) => body.lines.push(line.to_owned()),
            (_, Some(_)) => return wrong("a marker inside a step's body"),
            (Marker::End(name), None) if step_of(name).is_some() => {
                return wrong("an ANCHOR_END without its ANCHOR");
            }
            (_, None) if !starter.is_empty() => {
                return wrong("a STARTER line that no step's ANCHOR follows");
            }
            (_, None) if is_function(line) => function = line.trim().to_owned(),
            (_, None) => {}
        }
    }
    match open {
        Some(body) => Err(format!("{} has no ANCHOR_END", body.anchor)),
        None => Ok(bodies),
    }
}

/// The starter's text of a solution's file.
pub fn starter(lab: &Lab, solution: &str) -> Result<String, String> {
    rebuild(lab, solution, |body| Some(body.starter.clone()))
}

/// The solution's text as it stands in the lab, with another body for one step.
pub fn with_body(lab: &Lab, solution: &str, anchor: &str, other: &str) -> Result<String, String> {
    rebuild(lab, solution, |body| {
        (body.anchor == anchor).then(|| other.lines().map(str::to_owned).collect())
    })
}

/// The solution's text as it stands in the lab when only the steps up to one are written.
pub fn up_to(lab: &Lab, solution: &str, step: u32) -> Result<String, String> {
    rebuild(lab, solution, |body| (body.step() > Some(step)).then(|| body.starter.clone()))
}

fn rebuild(
    lab: &Lab,
    solution: &str,
    replacement: impl Fn(&Body) -> Option<Vec<String>>,
) -> Result<String, String> {
    let bodies = bodies(solution)?;
    let mut next = bodies.iter();
    let mut out = String::new();
    let mut inside = false;
    for line in solution.lines() {
        match marker(line) {
            Marker::Anchor(name) if step_of(name).is_some() => {
                inside = true;
                let Some(body) = next.next() else { continue };
                for line in replacement(body).as_ref().unwrap_or(&body.lines) {
                    let _ = writeln!(out, "{line}");
                }
            }
            Marker::End(name) if step_of(name).is_some() => inside = false,
            Marker::Starter(_) => {}
            _ if inside => {}
            _ => {
                let _ = writeln!(out, "{}", own_path(lab, line));
            }
        }
    }
    Ok(out)
}

/// `#[path = "../../../labs/1-offset-log/given/x.rs"]` → `#[path = "../given/x.rs"]`.
fn own_path(lab: &Lab, line: &str) -> String {
    line.replace(&format!("\"../../../{}/", lab.folder()), "\"../")
}

enum Marker<'a> {
    Starter(&'a str),
    Anchor(&'a str),
    End(&'a str),
    None,
}

fn marker(line: &str) -> Marker<'_> {
    let Some(comment) = line.trim_start().strip_prefix("// ") else { return Marker::None };
    if let Some(text) = comment.strip_prefix("STARTER: ") {
        Marker::Starter(text)
    } else if let Some(name) = comment.strip_prefix("ANCHOR: ") {
        Marker::Anchor(name.trim())
    } else if let Some(name) = comment.strip_prefix("ANCHOR_END: ") {
        Marker::End(name.trim())
    } else {
        Marker::None
    }
}

fn indent(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

fn is_function(line: &str) -> bool {
    let line = line.trim_start();
    !line.starts_with("//") && (line.starts_with("fn ") || line.contains(" fn "))
}

/// The line of the function that holds a step in a solution's file.
pub fn function_of(solution: &str, step: u32) -> Option<String> {
    let bodies = bodies(solution).ok()?;
    bodies.into_iter().find(|body| body.step() == Some(step)).map(|body| body.function)
}

/// The line, from 1, on which the `todo!` of a step still stands.
pub fn todo_line(text: &str, step: u32) -> Option<usize> {
    todos(text).into_iter().find(|(number, _)| *number == step).map(|(_, line)| line)
}

/// Every `todo!("step N…` of a file that is not commented out: the step and the line.
pub fn todos(text: &str) -> Vec<(u32, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(position) = line.find("todo!(") else { continue };
        if line[..position].contains("//") {
            continue;
        }
        // rustfmt may put the text on the next line.
        let rest = &line[position + "todo!(".len()..];
        let text = if rest.trim().is_empty() { lines.get(at + 1).copied() } else { Some(rest) };
        let words = text.unwrap_or_default().trim().strip_prefix("\"step ").unwrap_or_default();
        let digits: String = words.chars().take_while(char::is_ascii_digit).collect();
        if let Ok(step) = digits.parse() {
            found.push((step, at + 1));
        }
    }
    found
}
