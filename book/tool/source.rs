//! The pages as mdBook sees them, line by line, each line with the place it came from.
//!
//! Inclusions are unfolded here a second time, beside mdBook, so that a problem in an included lab
//! README is reported where it stands. Only the forms the book uses are understood: a whole file, an
//! anchor, a range of lines.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::{Result, render};

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
        match inclusion(text) {
            None => out.push(Line { at, text: text.to_string() }),
            Some(_) if depth == MAX_DEPTH => {
                problems.push(Problem { at, what: "inclusions go round in a circle".into() });
            }
            Some(target) => {
                let before = out.len();
                let dir = file.parent().expect("a file has a folder");
                if let Err(what) = included(dir, target, depth, out, problems) {
                    problems.push(Problem { at: at.clone(), what });
                } else if out.len() == before {
                    problems.push(Problem { at, what: format!("`{target}` includes nothing") });
                }
            }
        }
    }
    Ok(())
}

fn included(
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
    unfold(&file, &part, depth + 1, out, problems).map_err(|error| error.to_string())
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
        Part::Whole => numbered.collect(),
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

/// The target of an inclusion. The book writes one a line, with nothing beside it.
fn inclusion(line: &str) -> Option<&str> {
    let inside = line.trim().strip_prefix("{{#include ")?.strip_suffix("}}")?;
    Some(inside.trim())
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
