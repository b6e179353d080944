//! Finding one function in a learner's file: its line, and the text between its braces.
//!
//! This is not a Rust parser. It knows strings, characters and comments, which is what it takes to match braces.

use std::ops::Range;

/// The name in a line such as `pub fn append(&mut self`.
fn name_of(signature: &str) -> Option<&str> {
    let after = signature.split("fn ").nth(1)?;
    let end = after.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(after.len());
    (end > 0).then(|| &after[..end])
}

/// The line, from 1, of the function that a signature's line names: the same line, or else the same name.
pub fn function_line(text: &str, signature: &str) -> Option<usize> {
    let name = name_of(signature)?;
    let same = text.lines().position(|line| line.trim() == signature);
    let named = || {
        text.lines()
            .position(|line| !line.trim_start().starts_with("//") && name_of(line) == Some(name))
    };
    same.or_else(named).map(|at| at + 1)
}

/// The bytes between the braces of that function.
pub fn body(text: &str, signature: &str) -> Option<Range<usize>> {
    let line = function_line(text, signature)?;
    let start = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let mut depth = 0usize;
    let mut opened = 0;
    for (at, brace) in braces(text, start) {
        if brace {
            if depth == 0 {
                opened = at + 1;
            }
            depth += 1;
        } else {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(opened..at);
            }
        }
    }
    None
}

/// The braces of code from a position on: where, and whether it opens.
fn braces(text: &str, start: usize) -> Vec<(usize, bool)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = start;
    while at < bytes.len() {
        let rest = &bytes[at..];
        at += match rest[0] {
            b'/' if rest.starts_with(b"//") => until(rest, b"\n", 2),
            b'/' if rest.starts_with(b"/*") => until(rest, b"*/", 2),
            b'"' => string(rest),
            b'r' | b'b' if !word_before(bytes, at) => raw_string(rest).unwrap_or(1),
            b'\'' => character(rest),
            b'{' => {
                found.push((at, true));
                1
            }
            b'}' => {
                found.push((at, false));
                1
            }
            _ => 1,
        };
    }
    found
}

fn word_before(bytes: &[u8], at: usize) -> bool {
    at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_')
}

/// How far it is to behind the next `end`.
fn until(rest: &[u8], end: &[u8], from: usize) -> usize {
    let found = rest[from..].windows(end.len()).position(|window| window == end);
    found.map_or(rest.len(), |at| from + at + end.len())
}

fn string(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// `r"…"`, `r#"…"#`, `br"…"`.
fn raw_string(rest: &[u8]) -> Option<usize> {
    let after_r = rest.strip_prefix(b"br").or_else(|| rest.strip_prefix(b"r"))?;
    let hashes = after_r.iter().take_while(|b| **b == b'#').count();
    if after_r.get(hashes) != Some(&b'"') {
        return None;
    }
    let mut end = vec![b'"'];
    end.resize(1 + hashes, b'#');
    let from = rest.len() - after_r.len() + hashes + 1;
    Some(until(rest, &end, from))
}

/// `'x'`, `'\n'`, `'\u{1F980}'`; a lifetime is one byte and its name.
fn character(rest: &[u8]) -> usize {
    if rest.get(1) == Some(&b'\\') {
        return until(rest, b"'", 3).max(1);
    }
    let width = match rest.get(1) {
        Some(first) if *first >= 0xF0 => 4,
        Some(first) if *first >= 0xE0 => 3,
        Some(first) if *first >= 0xC0 => 2,
        _ => 1,
    };
    if rest.get(1 + width) == Some(&b'\'') { width + 2 } else { 1 }
}
