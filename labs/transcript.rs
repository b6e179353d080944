//! Transcripts, as all labs have them: a script of inputs becomes the same script with what came of
//! each. The grammar is in labs/README.md; what the verbs mean is each lab's own, in its
//! `tests/support/transcript.rs`, which includes this file.
#![allow(dead_code, reason = "no lab needs all of it")]

use std::collections::BTreeMap;
use std::fmt::{Display, Write};

/// An input line, taken apart.
pub struct Line<'a> {
    /// What the clock says: the last `@MS` so far.
    pub now_ms: u64,
    /// This line's own `@MS`.
    pub at_ms: Option<u64>,
    pub verb: &'a str,
    /// The plain words behind the verb.
    pub words: Vec<&'a str>,
    named: BTreeMap<&'a str, u64>,
}

impl Line<'_> {
    /// The n-th word behind the verb, from 0 on, as a number.
    pub fn number(&self, n: usize) -> u64 {
        self.words[n].parse().unwrap_or_else(|_| panic!("`{}` is no number", self.words[n]))
    }

    /// The value of `name=value`.
    pub fn named(&self, name: &str) -> Option<u64> {
        self.named.get(name).copied()
    }
}

/// Runs a script and returns it with the outputs in place. An error is an output too.
pub fn run<E: Display>(
    script: &str,
    mut input: impl FnMut(&Line) -> Result<Vec<String>, E>,
) -> String {
    let mut now_ms = 0;
    let mut text = String::new();
    for line in script.trim().lines().map(str::trim) {
        writeln!(text, "{line}").expect("a string takes all");
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = taken_apart(line, &mut now_ms);
        let outputs = input(&line).unwrap_or_else(|error| vec![format!("error: {error}")]);
        for output in outputs {
            writeln!(text, "  {output}").expect("a string takes all");
        }
    }
    text
}

fn taken_apart<'a>(line: &'a str, now_ms: &mut u64) -> Line<'a> {
    let mut words = Vec::new();
    let mut named = BTreeMap::new();
    let mut at_ms = None;
    for word in line.split_whitespace() {
        if let Some(ms) = word.strip_prefix('@') {
            *now_ms = ms.parse().expect("@ and milliseconds");
            at_ms = Some(*now_ms);
        } else if let Some((name, value)) = word.split_once('=') {
            named.insert(name, value.parse().expect("a number after ="));
        } else {
            words.push(word);
        }
    }
    let verb = words.remove(0);
    Line { now_ms: *now_ms, at_ms, verb, words, named }
}
