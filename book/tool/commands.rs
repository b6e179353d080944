//! Whether a command that a page tells the reader to type can exist.
//!
//! Names are looked up in the sources rather than by running programs: the book's check stays light,
//! and finds the usual mistake, a command or a flag that was renamed.

use std::collections::BTreeMap;
use std::path::Path;

use crate::{Result, source};

pub struct Commands {
    /// Package → the text of its sources.
    packages: BTreeMap<String, String>,
}

/// What the runner hands on to the broker's program, arguments and all.
const HAND_ON: [&str; 4] = ["broker", "produce", "consume", "experiment"];

impl Commands {
    /// Reads every package of the workspace.
    pub fn read(workspace: &Path) -> Result<Commands> {
        let mut packages = BTreeMap::new();
        for file in source::files_below(workspace)? {
            if file.file_name().is_none_or(|name| name != "Cargo.toml") {
                continue;
            }
            let manifest = std::fs::read_to_string(&file)?;
            let Some(name) = manifest.lines().find_map(|line| {
                line.strip_prefix("name = \"").and_then(|rest| rest.strip_suffix('"'))
            }) else {
                continue;
            };
            let dir = file.parent().expect("a file has a folder");
            let mut text = String::new();
            for part in ["src", "tool", "tests"] {
                let Ok(files) = source::files_below(&dir.join(part)) else { continue };
                for file in files.iter().filter(|f| f.extension().is_some_and(|e| e == "rs")) {
                    text.push_str(&std::fs::read_to_string(file)?);
                }
            }
            packages.insert(name.to_string(), text);
        }
        Ok(Commands { packages })
    }

    /// Says what is wrong with a command line, as far as it is one of ours.
    pub fn know(&self, line: &str) -> std::result::Result<(), String> {
        line.split(['|', ';', '&', '#']).try_for_each(|part| self.know_one(part))
    }

    fn know_one(&self, part: &str) -> std::result::Result<(), String> {
        let words: Vec<&str> = part.split_whitespace().take_while(|word| *word != ">").collect();
        match words.as_slice() {
            ["cargo", "test" | "build" | "run" | "doc", rest @ ..] => self.know_cargo(rest),
            ["cargo", "workshop", command, rest @ ..] if HAND_ON.contains(command) => {
                self.know_subcommand("workshop", &[command])?;
                self.know_flags(&["workshop", "mini-broker"], rest)
            }
            ["cargo", "workshop", rest @ ..] => self.know_subcommand("workshop", rest),
            ["cargo", "mini-broker", rest @ ..] => self.know_subcommand("mini-broker", rest),
            _ => Ok(()),
        }
    }

    fn know_cargo(&self, words: &[&str]) -> std::result::Result<(), String> {
        let Some(at) = words.iter().position(|word| matches!(*word, "-p" | "--package")) else {
            return Ok(());
        };
        let package = words.get(at + 1).copied().unwrap_or_default();
        let sources = self.sources(package)?;
        match words.iter().position(|word| *word == "--") {
            Some(dashes) => self.know_subcommand(package, &words[dashes + 1..]),
            // What is left is a filter for tests.
            None => match words.get(at + 2) {
                Some(filter) if !filter.starts_with('-') && !sources.contains(filter) => {
                    Err(format!("no test of {package} has `{filter}` in its name"))
                }
                _ => Ok(()),
            },
        }
    }

    fn know_subcommand(&self, package: &str, words: &[&str]) -> std::result::Result<(), String> {
        let sources = self.sources(package)?;
        if let Some(command) = words.first().filter(|word| !word.starts_with('-')) {
            let variant: String = command.split('-').map(capitalized).collect();
            if !has_word(sources, &variant) && !sources.contains(&format!("\"{command}\"")) {
                return Err(format!("`{package}` has no command `{command}`"));
            }
        }
        self.know_flags(&[package], words)
    }

    /// Each flag is one of the packages'.
    fn know_flags(&self, packages: &[&str], words: &[&str]) -> std::result::Result<(), String> {
        for flag in words.iter().filter_map(|word| word.strip_prefix("--")) {
            let flag = flag.split('=').next().unwrap_or(flag);
            let field = flag.replace('-', "_");
            let mut known = flag.is_empty();
            for package in packages {
                let sources = self.sources(package)?;
                known |= has_word(sources, &field) || sources.contains(&format!("\"{flag}\""));
            }
            if !known {
                return Err(format!("`{}` has no flag `--{flag}`", packages[0]));
            }
        }
        Ok(())
    }

    fn sources(&self, package: &str) -> std::result::Result<&str, String> {
        match self.packages.get(package) {
            Some(sources) => Ok(sources),
            None => Err(format!("no package is called `{package}`")),
        }
    }
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn has_word(text: &str, word: &str) -> bool {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        !text[..at].ends_with(in_word) && !text[at + word.len()..].starts_with(in_word)
    })
}
