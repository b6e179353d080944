//! Reads what the test harness and the compiler print.

use crate::kit::Place;
use crate::starter::step_of;

/// One test and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    pub name: String,
    pub passed: bool,
    /// Why it failed, without the harness's own lines.
    pub message: String,
    /// Where it panicked.
    pub at: Option<Place>,
}

impl Test {
    pub fn step(&self) -> Option<u32> {
        step_of(&self.name)
    }

    /// The step that is not written, if that is why it failed.
    pub fn waits_for(&self) -> Option<u32> {
        let after = |words: &str| self.message.split_once(words).map(|(_, after)| after);
        let unfinished = || self.message.split_once(" is unfinished: ");
        let own = || unfinished().and_then(|(before, _)| before.rsplit("step ").next());
        let step =
            after("not yet implemented: step ").or(after(" waits for step ")).or_else(own)?;
        step.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    }

    /// It needs no step: what it tests is given.
    pub fn is_given(&self) -> bool {
        is_given(&self.name)
    }

    pub fn unfinished(name: &str, message: &str) -> Self {
        Self { name: name.to_owned(), passed: false, message: message.to_owned(), at: None }
    }
}

/// `step_5_given_truncation_transcript`
pub fn is_given(test: &str) -> bool {
    test.contains("_given_")
}

/// The tests of a run, in the order of their steps.
pub fn tests(output: &str) -> Vec<Test> {
    let mut tests: Vec<Test> = output.lines().filter_map(result_line).collect();
    if output.lines().any(|line| line.starts_with("---- ")) {
        harness_messages(output, &mut tests);
    } else {
        grader_messages(output, &mut tests);
    }
    for test in &mut tests {
        test.message = test.message.trim_end().trim_start_matches('\n').to_owned();
    }
    tests.sort_by_key(|test| (test.step().unwrap_or(u32::MAX), !test.passed));
    tests
}

/// Rust's own harness: a block a failed test, under its name.
fn harness_messages(output: &str, tests: &mut [Test]) {
    let mut current: Option<usize> = None;
    for line in output.lines() {
        let head = line.strip_prefix("---- ").and_then(|line| line.strip_suffix(" stdout ----"));
        if let Some(name) = head {
            current = tests.iter().position(|test| test.name == name);
        } else if line == "failures:" || line.starts_with("test result: ") {
            current = None;
        } else if let Some(test) = current.and_then(|at| tests.get_mut(at)) {
            said(test, line);
        }
    }
}

/// The labs' grader: the failed tests in their order, each on one line, what it says more indented below.
///
/// `step_1_a_b: labs/1-offset-log/src/append.rs:18`, or `step 2 waits for step 1: …`, or `step_2_c: fails too; …`
fn grader_messages(output: &str, tests: &mut [Test]) {
    let after = output.split_once("\nfailures:\n").map_or("", |(_, after)| after);
    let section = after.split("\ntest result: ").next().unwrap_or_default();
    let mut failed = tests.iter_mut().filter(|test| !test.passed);
    let mut current: Option<&mut Test> = None;
    for line in section.lines().filter(|line| !line.is_empty()) {
        if let (Some(more), Some(test)) = (line.strip_prefix("    "), &mut current) {
            test.message.push_str(more);
            test.message.push('\n');
            continue;
        }
        let Some(test) = failed.next() else { break };
        let text = line.strip_prefix(&format!("{}: ", test.name)).unwrap_or(line);
        test.at = place_of(text.rsplit(' ').next().unwrap_or_default());
        // A place alone is no message.
        if text.contains(' ') {
            test.message = format!("{text}\n");
        }
        current = Some(test);
    }
}

/// `test step_1_gives_the_next_offset ... ok`
fn result_line(line: &str) -> Option<Test> {
    let (name, result) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    let passed = match result.split_whitespace().next()? {
        "ok" => true,
        "FAILED" => false,
        _ => return None,
    };
    let name = name.trim_end_matches(" - should panic").to_owned();
    Some(Test { name, passed, message: String::new(), at: None })
}

fn said(test: &mut Test, line: &str) {
    if line.starts_with("note: run with `RUST_BACKTRACE") {
        return;
    }
    if line.starts_with("thread '")
        && let Some((_, place)) = line.split_once(" panicked at ")
    {
        test.at = place_of(place.trim_end_matches(':')).or(test.at.take());
        return;
    }
    test.message.push_str(line);
    test.message.push('\n');
}

/// `labs/1-offset-log/src/append.rs:12:5` or without the column.
fn place_of(text: &str) -> Option<Place> {
    let mut parts = text.splitn(3, ".rs:");
    let file = format!("{}.rs", parts.next()?);
    let line = parts.next()?.split(':').next()?.parse().ok()?;
    Some(Place { file: file.replace('\\', "/"), line })
}

/// The first thing the compiler objects to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CompileError {
    /// In one line: `mismatched types`.
    pub what: String,
    pub at: Option<Place>,
    /// As the compiler shows it.
    pub text: String,
}

pub fn first_error(stderr: &str) -> Option<CompileError> {
    let lines: Vec<&str> = stderr.lines().collect();
    let is_error = |line: &&str| line.starts_with("error: ") || line.starts_with("error[");
    let from = lines.iter().position(is_error)?;
    let what = lines[from].split_once(": ").map_or("", |(_, what)| what);
    // A block ends at an empty line; cargo's own errors have their causes after one.
    let mut block: Vec<&str> = Vec::new();
    for line in &lines[from..] {
        let next = line.starts_with("error") || line.starts_with("warning");
        let over = line.is_empty() && block.iter().any(|line| is_arrow(line));
        if !block.is_empty() && (next || over) {
            break;
        }
        // What follows shows the standard library's source, not the reader's.
        if is_arrow(line) && line.contains("/rustc/") {
            block.pop();
            break;
        }
        block.push(line);
    }
    let at = block
        .iter()
        .find(|line| is_arrow(line))
        .and_then(|line| place_of(line.trim_start().trim_start_matches("--> ")));
    Some(CompileError { what: what.to_owned(), at, text: block.join("\n").trim_end().to_owned() })
}

fn is_arrow(line: &str) -> bool {
    line.trim_start().starts_with("--> ")
}

/// The compiler's warnings, each with its first line and its place.
pub fn warnings(stderr: &str) -> Vec<String> {
    let lines: Vec<&str> = stderr.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(what) = line.strip_prefix("warning: ") else { continue };
        // "warning: `offset-log` (lib) generated 1 warning" only counts the others.
        if what.starts_with('`') && what.contains(" generated ") {
            continue;
        }
        let place = lines.get(at + 1).filter(|line| is_arrow(line)).map_or("", |line| line.trim());
        found.push(format!("{what} {place}").trim_end().to_owned());
    }
    found
}

/// The test program that `cargo test --no-run` built: `Executable tests/x.rs (target/debug/deps/x-0123)`.
pub fn executable(stderr: &str) -> Option<&str> {
    let line = stderr.lines().find(|line| line.trim_start().starts_with("Executable "))?;
    line.rsplit_once(" (")?.1.strip_suffix(')')
}
