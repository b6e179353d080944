//! The pages with everything that they include, line by line, each line with the place it came from.
//!
//! Inclusions are unfolded here rather than by mdBook, so that a problem in an included lab README is
//! reported where it stands, and one that finds nothing is an error. mdBook gets the result. On a line
//! of its own, a page may write:
//!
//! - `{{#include FILE}}`, `{{#include FILE:ANCHOR}}`, `{{#include FILE:FIRST:LAST}}`, as in mdBook; of a
//!   snapshot (`.snap`) only what was recorded, without the head;
//! - `{{#fold FILE}}`: a Markdown file, with each part under a `###` heading folded;
//! - `{{#questions FILE}}`: a lab's predictions, with their answers folded if the file has them.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::{Result, directives, render};

/// mdBook's own limit, against a file that includes itself.
const MAX_DEPTH: usize = 10;

/// One file of the book, with what it includes.
pub struct Page {
    pub path: PathBuf,
    pub lines: Vec<Line>,
}

pub struct Line {
    pub at: Place,
    pub text: String,
}

/// Where a line stands in the working tree.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub file: PathBuf,
    pub line: usize,
}

/// Something the book's author has to mend.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    pub at: Place,
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.at.file.strip_prefix(render::workspace()).unwrap_or(&self.at.file);
        write!(f, "{}:{}: {}", file.display(), self.at.line, self.what)
    }
}

impl Page {
    /// The page as one text, and for each byte offset the line it belongs to.
    pub fn text(&self) -> String {
        self.lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n")
    }

    /// The place of a byte of [`Page::text`].
    pub fn place_of(&self, offset: usize) -> Place {
        let mut end = 0;
        for line in &self.lines {
            end += line.text.len() + 1;
            if offset < end {
                return line.at.clone();
            }
        }
        Place { file: self.path.clone(), line: self.lines.len() }
    }
}

/// Every Markdown file below `dir`, in order of names, with its inclusions unfolded.
pub fn read_all(dir: &Path) -> Result<(Vec<Page>, Vec<Problem>)> {
    let mut pages = Vec::new();
    let mut problems = Vec::new();
    for path in files_below(dir)? {
        if path.extension().is_some_and(|e| e == "md") {
            let mut lines = Vec::new();
            unfold(&path, &Part::Whole, 0, &mut lines, &mut problems)?;
            pages.push(Page { path, lines });
        }
    }
    Ok((pages, problems))
}

/// All files below a folder, sorted, without hidden ones and build output.
pub fn files_below(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut todo = vec![dir.to_path_buf()];
    while let Some(dir) = todo.pop() {
        for entry in std::fs::read_dir(&dir).map_err(|e| format!("{}: {e}", dir.display()))? {
            let entry = entry?;
            let name = entry.file_name();
            if name.to_string_lossy().starts_with('.') || name == "target" {
                continue;
            }
            let path = entry.path();
            if entry.file_type()?.is_dir() { todo.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    Ok(files)
}

/// The part of a file that an inclusion asks for.
enum Part {
    Whole,
    Anchor(String),
    Lines { first: usize, last: usize },
}

fn unfold(
    file: &Path,
    part: &Part,
    depth: usize,
    out: &mut Vec<Line>,
    problems: &mut Vec<Problem>,
) -> Result<()> {
    let text =
        std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    for (number, text) in select(&text, part) {
        let at = Place { file: file.to_path_buf(), line: number };
        let Some((kind, target)) = directive(text) else {
            out.push(Line { at, text: text.to_string() });
            continue;
        };
        if depth == MAX_DEPTH {
            problems.push(Problem { at, what: "inclusions go round in a circle".into() });
            continue;
        }
        let before = out.len();
        let dir = file.parent().expect("a file has a folder");
        if let Err(what) = included(kind, dir, target, depth, out, problems) {
            problems.push(Problem { at: at.clone(), what });
        } else if out.len() == before {
            problems.push(Problem { at, what: format!("`{target}` includes nothing") });
        }
    }
    Ok(())
}

fn included(
    kind: &str,
    dir: &Path,
    target: &str,
    depth: usize,
    out: &mut Vec<Line>,
    problems: &mut Vec<Problem>,
) -> std::result::Result<(), String> {
    let (path, part) = match target.split_once(':') {
        None => (target, Part::Whole),
        Some((path, part)) => (path, parse_part(part)?),
    };
    let file = normal(&dir.join(path));
    if !file.is_file() {
        return Err(format!("`{path}` does not exist"));
    }
    let mut lines = Vec::new();
    match kind {
        "include" => unfold(&file, &part, depth + 1, &mut lines, problems),
        "fold" => unfold(&file, &part, depth + 1, &mut lines, problems).map(|()| {
            lines = directives::folded(std::mem::take(&mut lines));
        }),
        _ => directives::questions(&file).map(|questions| lines = questions),
    }
    .map_err(|error| error.to_string())?;
    out.append(&mut lines);
    Ok(())
}

fn parse_part(part: &str) -> std::result::Result<Part, String> {
    if !part.starts_with(|c: char| c.is_ascii_digit() || c == ':') {
        return Ok(Part::Anchor(part.to_string()));
    }
    let number = |text: &str, empty| match text {
        "" => Ok(empty),
        _ => text.parse().map_err(|_| format!("`{part}` is no range of lines")),
    };
    match part.split_once(':') {
        None => number(part, 1).map(|line| Part::Lines { first: line, last: line }),
        Some((first, last)) => {
            Ok(Part::Lines { first: number(first, 1)?, last: number(last, usize::MAX)? })
        }
    }
}

/// The lines of a part with their numbers; lines that hold an anchor are left out, as mdBook does.
fn select<'a>(text: &'a str, part: &Part) -> Vec<(usize, &'a str)> {
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    match part {
        Part::Whole => numbered.skip(head_lines(text)).collect(),
        Part::Lines { first, last } => {
            numbered.filter(|(number, _)| first <= number && number <= last).collect()
        }
        Part::Anchor(name) => numbered
            .skip_while(|(_, line)| word_after(line, "ANCHOR:") != Some(name))
            .skip(1)
            .take_while(|(_, line)| word_after(line, "ANCHOR_END:") != Some(name))
            .filter(|(_, line)| !line.contains("ANCHOR:") && !line.contains("ANCHOR_END:"))
            .collect(),
    }
}

fn word_after<'a>(line: &'a str, marker: &str) -> Option<&'a str> {
    let rest = line.split_once(marker)?.1.trim_start();
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'));
    Some(&rest[..end.unwrap_or(rest.len())])
}

/// insta puts what a snapshot is of between two lines of dashes, before the snapshot.
fn head_lines(text: &str) -> usize {
    let mut lines = text.lines();
    match (lines.next(), lines.next()) {
        (Some("---"), Some(second)) if second.starts_with("source:") => {
            lines.position(|line| line == "---").map_or(0, |end| end + 3)
        }
        _ => 0,
    }
}

/// `{{#kind target}}`, one a line with nothing beside it.
fn directive(line: &str) -> Option<(&str, &str)> {
    let inside = line.trim().strip_prefix("{{#")?.strip_suffix("}}")?;
    let (kind, target) = inside.split_once(' ')?;
    matches!(kind, "include" | "fold" | "questions").then_some((kind, target.trim()))
}

/// Takes `..` out of a path, so that a message shows it the way one would write it.
pub fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}
