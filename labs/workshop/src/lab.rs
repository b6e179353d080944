//! One lab, read from its folder: the README's steps, the rules, the hints and the predictions.
//!
//! Reading never fails. What is not as the other labs have it is kept in `troubles`, which `verify` reports,
//! so that a half-written lab leaves the others working.

use std::collections::BTreeMap;
use std::path::Path;

use crate::failure::read_or_empty;
use crate::predictions::{self, Prediction};

#[derive(Debug, Clone, Default)]
pub struct Lab {
    pub number: u32,
    pub name: String,
    /// The question the lab answers.
    pub about: String,
    pub steps: Vec<Step>,
    pub rules: Vec<Rule>,
    /// The hints of a step, the gentlest first.
    pub hints: BTreeMap<u32, Vec<String>>,
    pub predictions: Vec<Prediction>,
    /// The page of the book, from the root; none while nobody has written it.
    pub chapter: Option<String>,
    pub troubles: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub number: u32,
    pub title: String,
    pub minutes: u32,
    pub lines: u32,
    /// One of the steps that a room of 90 minutes does.
    pub core: bool,
    /// From the lab's folder: `src/append.rs`.
    pub file: String,
    pub rules: Vec<String>,
    /// What the README says about it.
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub id: String,
    pub text: String,
}

impl Lab {
    pub fn read(root: &Path, number: u32, name: &str) -> Self {
        let mut lab = Self { number, name: name.to_owned(), ..Self::default() };
        let folder = root.join(lab.folder());
        let (steps, troubles) = steps(&read_or_empty(&folder.join("README.md")));
        lab.steps = steps;
        lab.troubles.extend(troubles.into_iter().map(|t| format!("README.md: {t}")));
        lab.rules = rules(&read_or_empty(&folder.join("rules.md")));
        lab.hints = hints(&read_or_empty(&folder.join("hints.md")));
        match predictions::parse(&read_or_empty(&folder.join("predict.toml"))) {
            Ok(predictions) => lab.predictions = predictions,
            Err(why) => lab.troubles.push(format!("predict.toml: {why}")),
        }
        lab.chapter = chapter(root, number);
        lab.about = about(&read_or_empty(&folder.join("Cargo.toml")));
        lab
    }

    pub fn folder(&self) -> String {
        format!("labs/{}-{}", self.number, self.name)
    }

    pub fn solution_folder(&self) -> String {
        format!("solutions/{}-{}", self.number, self.name)
    }

    /// The name of the test file without `.rs`, which is also the crate's.
    pub fn test_target(&self) -> String {
        self.name.replace('-', "_")
    }

    pub fn step(&self, number: u32) -> Option<&Step> {
        self.steps.iter().find(|step| step.number == number)
    }

    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    pub fn answered(&self) -> usize {
        self.predictions.iter().filter(|p| p.is_answered()).count()
    }

    pub fn minutes(&self) -> u32 {
        self.steps.iter().map(|step| step.minutes).sum()
    }
}

/// Reads `## Step N: Title` and the line of facts under each.
pub fn steps(readme: &str) -> (Vec<Step>, Vec<String>) {
    let mut steps: Vec<Step> = Vec::new();
    let mut troubles = Vec::new();
    let mut lines = readme.lines().enumerate().peekable();
    let mut in_step = false;
    while let Some((at, line)) = lines.next() {
        if line.starts_with("## ") || line.starts_with("# ") || line.contains("ANCHOR_END: steps") {
            in_step = false;
        }
        let Some(heading) = line.strip_prefix("## Step ") else {
            if in_step && let Some(step) = steps.last_mut() {
                step.text.push_str(line);
                step.text.push('\n');
            }
            continue;
        };
        let Some((number, title)) = heading.split_once(": ") else {
            troubles.push(format!("line {}: want \"## Step N: Title\", got \"{line}\"", at + 1));
            continue;
        };
        while lines.next_if(|(_, line)| line.trim().is_empty()).is_some() {}
        let facts = lines.next().map(|(_, line)| line).unwrap_or_default();
        let (Ok(number), Some(step)) = (number.parse(), facts_line(facts)) else {
            troubles.push(format!(
                "line {}: under a step's heading want \"10 minutes · 10 lines · core · src/append.rs · R1.1 R1.2\" \
                 (core only for a core step), got \"{facts}\"",
                at + 2
            ));
            continue;
        };
        in_step = true;
        steps.push(Step { number, title: title.trim().to_owned(), ..step });
    }
    for step in &mut steps {
        step.text = step.text.trim().to_owned();
    }
    (steps, troubles)
}

fn facts_line(line: &str) -> Option<Step> {
    let mut parts: Vec<&str> = line.split('·').map(str::trim).collect();
    let core = parts.get(2) == Some(&"core");
    if core {
        parts.remove(2);
    }
    let [minutes, lines, file, rules] = parts[..] else { return None };
    let number = |text: &str, unit: &str| -> Option<u32> {
        text.strip_suffix(unit).or_else(|| text.strip_suffix(&unit[..unit.len() - 1]))?.parse().ok()
    };
    let rules: Vec<String> = rules.split_whitespace().map(str::to_owned).collect();
    if !file.starts_with("src/") || rules.is_empty() || !rules.iter().all(|id| is_rule_id(id)) {
        return None;
    }
    Some(Step {
        number: 0,
        title: String::new(),
        minutes: number(minutes, " minutes")?,
        lines: number(lines, " lines")?,
        core,
        file: file.to_owned(),
        rules,
        text: String::new(),
    })
}

/// `R3.1`: a capital R, the lab's number, a dot, a number.
pub fn is_rule_id(word: &str) -> bool {
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    word.strip_prefix('R')
        .and_then(|rest| rest.split_once('.'))
        .is_some_and(|(lab, rule)| digits(lab) && digits(rule))
}

/// Every rule id that a text names, once, in order.
pub fn rule_ids(text: &str) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.') {
        let word = word.trim_matches('.');
        if is_rule_id(word) && !ids.iter().any(|id| id == word) {
            ids.push(word.to_owned());
        }
    }
    ids
}

/// Reads lines `- **R1.1** text`.
pub fn rules(text: &str) -> Vec<Rule> {
    text.lines()
        .filter_map(|line| {
            let (id, text) = line.strip_prefix("- **")?.split_once("**")?;
            Some(Rule { id: id.to_owned(), text: text.trim().to_owned() })
        })
        .collect()
}

/// Reads `## Step N` with `### Hint 1`, `### Hint 2`, … under it.
pub fn hints(text: &str) -> BTreeMap<u32, Vec<String>> {
    let mut hints: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    let mut step = None;
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            let number = heading.strip_prefix("Step ").unwrap_or_default();
            let number = number.split(':').next().unwrap_or_default();
            step = number.trim().parse::<u32>().ok();
        } else if let (Some(step), true) = (step, line.starts_with("### Hint ")) {
            hints.entry(step).or_default().push(String::new());
        } else if let Some(hint) =
            step.and_then(|s| hints.get_mut(&s)).and_then(|all| all.last_mut())
        {
            hint.push_str(line);
            hint.push('\n');
        }
    }
    for hint in hints.values_mut().flatten() {
        *hint = hint.trim().to_owned();
    }
    hints
}

/// The page whose name begins with the lab's number.
fn chapter(root: &Path, number: u32) -> Option<String> {
    let pages = std::fs::read_dir(root.join("book/src")).ok()?.flatten();
    let names = pages.filter_map(|page| page.file_name().into_string().ok());
    let of_lab = |name: &String| name.starts_with(&format!("{number}-")) && name.ends_with(".md");
    Some(format!("book/src/{}", names.filter(of_lab).min()?))
}

/// The package's description, without the lab's number: it stands above as it is.
fn about(manifest: &str) -> String {
    let description = manifest
        .lines()
        .find_map(|line| line.strip_prefix("description = "))
        .map(|value| value.trim().trim_matches('"'))
        .unwrap_or_default();
    let question = match description.split_once(": ") {
        Some((lab, question)) if lab.starts_with("Lab ") => question,
        _ => description,
    };
    let mut letters = question.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}
