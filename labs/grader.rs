//! How a lab's tests run and what they say. Every lab's test file includes this file.
//!
//! It stands in for Rust's own test harness (`harness = false`), for one reason: what a red run prints last is
//! the first thing to do. Tests run in the order in which they are listed, so by steps. A test that meets another
//! step's `todo!` waits for that step and says so in one line. Of the tests that fail, only those of the first step
//! are shown in full.
//!
//! The lines `test NAME ... ok`, `test NAME ... FAILED` and `test result: …` are those of Rust's harness; so are
//! the arguments that choose tests (a part of a name, `--exact`, `--skip`, `--list`).
#![allow(
    clippy::disallowed_methods,
    reason = "a test that never ends is noticed by a clock, from another thread"
)]

use std::cell::RefCell;
use std::fmt::{Debug, Display};
use std::io::{self, IsTerminal};
use std::panic::{self, PanicHookInfo};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

/// What the grader must know about a lab.
#[derive(Clone, Copy)]
pub struct Lab {
    /// The package, as in `cargo test -p offset-log`.
    pub package: &'static str,
    /// The lab's folder, from the workspace's root.
    pub folder: &'static str,
    /// The texts of the lab's README.md and rules.md.
    pub readme: &'static str,
    pub rules: &'static str,
}

pub type Test = (&'static str, fn());

/// Lists functions together with their names.
#[macro_export]
macro_rules! tests {
    ($($test:ident),* $(,)?) => { &[$((stringify!($test), $test as fn())),*] };
}

/// Longer than any test takes on any machine, and shorter than anybody's patience.
const TOO_LONG: Duration = Duration::from_secs(30);

/// Runs the tests that the command line chooses.
pub fn run(lab: Lab, tests: &[Test]) -> ExitCode {
    let choice = Choice::from_args();
    let chosen: Vec<Test> = tests.iter().copied().filter(|(name, _)| choice.takes(name)).collect();
    if choice.list {
        for (name, _) in &chosen {
            println!("{name}: test");
        }
        return ExitCode::SUCCESS;
    }
    panic::set_hook(Box::new(note_panic));
    println!("\nrunning {} tests", chosen.len());
    let begun = Instant::now();
    let mut failures = Vec::new();
    for (name, test) in &chosen {
        match outcome(*test) {
            Ok(()) => println!("test {name} ... ok"),
            Err(failure) => {
                println!("test {name} ... FAILED");
                let endless = failure.endless;
                failures.push((step_of(name), *name, failure));
                if endless {
                    break; // its thread still runs, and would slow down whatever comes after it
                }
            }
        }
    }
    let first = first_of(&failures);
    if let Some(first) = first {
        println!("\nfailures:\n");
        let told =
            failures.iter().map(|(step, name, failure)| failure.tell(&lab, *step, name, first));
        let told: Vec<String> = told.collect();
        // Many tests wait for the same line: a reader wants it once, a program one for each test.
        let reader = io::stdout().is_terminal();
        for same in told.chunk_by(|a, b| reader && a == b) {
            match same.len() {
                1 => println!("{}", same[0]),
                n => println!("{} ({n} tests)", same[0]),
            }
        }
    }
    println!(
        "\ntest result: {}. {} passed; {} failed; 0 ignored; 0 measured; {} filtered out; finished in {:.2}s\n",
        if failures.is_empty() { "ok" } else { "FAILED" },
        chosen.len() - failures.len(),
        failures.len(),
        tests.len() - chosen.len(),
        begun.elapsed().as_secs_f64(),
    );
    match first {
        None => {
            print_after(&lab, tests, &chosen);
            ExitCode::SUCCESS
        }
        Some(first) => {
            print_next(&lab, first, &failures);
            ExitCode::from(101)
        }
    }
}

/// The step to do first: one that really fails, before one that is only not written yet.
fn first_of(failures: &[(u32, &str, Failure)]) -> Option<u32> {
    let wrong = failures.iter().filter(|(_, _, failure)| failure.todo.is_none());
    let unfinished = failures.iter().filter_map(|(_, _, failure)| failure.todo);
    wrong.map(|(step, _, _)| *step).min().or(unfinished.min())
}

/// The last lines: which step is next, where, and how long it takes.
fn print_next(lab: &Lab, first: u32, failures: &[(u32, &str, Failure)]) {
    let Step { title, minutes } = step_in(lab.readme, first);
    let failing = failures.iter().filter(|(step, _, _)| *step == first);
    let wrong: Vec<_> = failing.filter(|(_, _, failure)| failure.todo.is_none()).collect();
    let unfinished = failures.iter().find(|(_, _, failure)| failure.todo == Some(first));
    if let Some((_, name, failure)) = wrong.first() {
        println!(
            "next: step {first}, {title}: {} of its tests {}; the first is",
            wrong.len(),
            if wrong.len() == 1 { "fails" } else { "fail" }
        );
        println!("      {name}");
        for line in failure.with_rules(lab).lines() {
            println!("      {line}");
        }
        println!("      {}", failure.place);
    } else if let Some((_, _, failure)) = unfinished {
        if first == 1 {
            println!("This red is right: nothing is written yet, and it is your first step.\n");
        }
        println!("next: step {first}, {title}{minutes}");
        // A step's bodies are written in their order, whichever of them a test has met.
        let first_todo = unwritten().into_iter().find(|todo| todo.step == first);
        println!("      {}", first_todo.map_or(failure.place.clone(), |todo| todo.place(lab)));
    }
    println!(
        "      steps: {}/README.md    again: cargo test -p {} step_{first}",
        lab.folder, lab.package
    );
}

/// When all tests of one step were asked for, and pass: what is next.
fn print_after(lab: &Lab, tests: &[Test], chosen: &[Test]) {
    let Some(step) = chosen.first().map(|(name, _)| step_of(name)) else { return };
    let of_step = tests.iter().filter(|(name, _)| step_of(name) == step).count();
    let one_whole_step =
        chosen.iter().all(|(name, _)| step_of(name) == step) && chosen.len() == of_step;
    if chosen.len() == tests.len() {
        println!("all steps are done.");
        return print_plug_in(lab);
    }
    if step == u32::MAX || !one_whole_step {
        return;
    }
    match unwritten().first() {
        Some(next) if next.step != step => {
            let Step { title, minutes } = step_in(lab.readme, next.step);
            println!(
                "step {step} is done. next: step {}, {title}{minutes}: {}",
                next.step,
                next.place(lab)
            );
        }
        _ => {
            println!("step {step} is done, and so are all others.");
            print_plug_in(lab);
        }
    }
}

/// After the last step: the lab's code in a real broker, and the page that says what to do with it.
fn print_plug_in(lab: &Lab) {
    println!("next: your code in a real broker: cargo workshop broker --mine {}", lab.package);
    if let Some(chapter) = chapter(lab) {
        println!("      read {chapter}, \"Plug it in\"    all labs: cargo workshop status");
    }
}

/// The lab's page of the book, from the workspace's root: it begins with the lab's number.
fn chapter(lab: &Lab) -> Option<String> {
    let (labs, name) = lab.folder.split_once('/')?;
    let begin = name.split_inclusive('-').next()?;
    let root = folder_of(lab).ancestors().find(|folder| folder.join(labs).is_dir())?.to_owned();
    let pages = fs::read_dir(root.join("book/src")).ok()?.flatten();
    let names = pages.map(|page| page.file_name().to_string_lossy().into_owned());
    let page = names.filter(|name| name.starts_with(begin) && name.ends_with(".md")).min()?;
    Some(format!("book/src/{page}"))
}

/// A `todo!` that still stands in the lab's `src/`.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Todo {
    step: u32,
    file: String,
    line: usize,
}

impl Todo {
    fn place(&self, lab: &Lab) -> String {
        format!("{}/src/{}:{}", lab.folder, self.file, self.line)
    }
}

/// All of them, in the order in which they are to be written. (The answer key's package has none.)
fn unwritten() -> Vec<Todo> {
    let sources = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let mut todos = Vec::new();
    for source in sources.into_iter().flatten().flatten() {
        let text = fs::read_to_string(source.path()).unwrap_or_default();
        for (words, line) in text.lines().zip(1..) {
            let step = words.trim_start().strip_prefix("todo!(\"step ").and_then(|rest| {
                rest.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u32>().ok()
            });
            let file = source.file_name().to_string_lossy().into_owned();
            todos.extend(step.map(|step| Todo { step, file, line }));
        }
    }
    todos.sort();
    todos
}

struct Failure {
    message: String,
    /// File and line.
    place: String,
    /// The step whose `todo!` it was.
    todo: Option<u32>,
    endless: bool,
}

impl Failure {
    /// All there is to say for a test of the first failing step; one line for all others.
    fn tell(&self, lab: &Lab, step: u32, name: &str, first: u32) -> String {
        match self.todo {
            Some(todo) if todo == step => format!("step {step} is unfinished: {}", self.place),
            Some(todo) => format!("step {step} waits for step {todo}: {}", self.place),
            None if step > first => format!("step {step} fails too, but step {first} comes first"),
            None => {
                let text = self.with_rules(lab).replace('\n', "\n    ");
                format!("{name}: {}\n    {text}", self.place)
            }
        }
    }

    /// The message, and the text of each rule that it names.
    fn with_rules(&self, lab: &Lab) -> String {
        let mut text = self.message.clone();
        for line in lab.rules.lines() {
            if let Some((id, rule)) =
                line.strip_prefix("- **").and_then(|line| line.split_once("**"))
                && self
                    .message
                    .split(|c: char| !c.is_alphanumeric() && c != '.')
                    .any(|word| word == id)
            {
                text += &format!("\nrule {id}:{rule}");
            }
        }
        text
    }
}

thread_local! {
    static PANIC: RefCell<Option<(String, String)>> = const { RefCell::new(None) };
    static DURING: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Says what a test is doing right now: a panic in the lab's code is reported with it.
pub fn during(what: impl FnOnce() -> String) {
    DURING.with(|during| *during.borrow_mut() = what());
}

fn note_panic(info: &PanicHookInfo) {
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let mut message = text.unwrap_or("a panic").to_owned();
    let during = DURING.with(|during| during.borrow().clone());
    if !during.is_empty() {
        message += &format!("\n  during:   {during}");
    }
    let place = info.location().map_or_else(String::new, |place| {
        format!("{}:{}", without_detours(place.file()), place.line())
    });
    PANIC.with(|panic| *panic.borrow_mut() = Some((message, place)));
}

/// `labs/1-offset-log/src/../given/walk.rs` is `labs/1-offset-log/given/walk.rs`.
fn without_detours(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split(['/', '\\']) {
        match part {
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn outcome(test: fn()) -> Result<(), Failure> {
    let (done, wait) = mpsc::channel();
    thread::spawn(move || {
        let result = panic::catch_unwind(test);
        let _ = done.send(result.map_err(|_| PANIC.with(|panic| panic.take()).unwrap_or_default()));
    });
    match wait.recv_timeout(TOO_LONG) {
        Ok(Ok(())) => Ok(()),
        Ok(Err((message, place))) => {
            let todo = message
                .strip_prefix("not yet implemented: step ")
                .and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next())
                .and_then(|step| step.parse().ok());
            Err(Failure { message, place, todo, endless: false })
        }
        Err(_) => Err(Failure {
            message: format!(
                "did not end within {} s: is there a loop that never ends?",
                TOO_LONG.as_secs()
            ),
            place: String::new(),
            todo: None,
            endless: true,
        }),
    }
}

/// `step_3_…` belongs to step 3; what belongs to no step comes last.
fn step_of(test: &str) -> u32 {
    test.strip_prefix("step_")
        .and_then(|rest| rest.split('_').next())
        .and_then(|step| step.parse().ok())
        .unwrap_or(u32::MAX)
}

struct Step {
    title: String,
    minutes: String,
}

/// A step's title and minutes, from the two lines of the README that hold them.
fn step_in(readme: &str, step: u32) -> Step {
    let heading = format!("## Step {step}: ");
    let mut lines = readme.lines().skip_while(|line| !line.starts_with(&heading));
    let title = lines.next().and_then(|line| line.strip_prefix(&heading)).unwrap_or_default();
    let minutes = lines.find(|line| !line.is_empty()).and_then(|line| line.split(" · ").next());
    let minutes = minutes.filter(|minutes| minutes.ends_with("minutes"));
    Step {
        title: title.to_owned(),
        minutes: minutes.map_or_else(String::new, |minutes| format!(" ({minutes})")),
    }
}

struct Choice {
    parts: Vec<String>,
    skip: Vec<String>,
    exact: bool,
    list: bool,
}

impl Choice {
    fn from_args() -> Self {
        let mut choice = Choice { parts: Vec::new(), skip: Vec::new(), exact: false, list: false };
        let mut args = env::args().skip(1);
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--exact" => choice.exact = true,
                "--list" => choice.list = true,
                "--skip" => choice.skip.extend(args.next()),
                "--test-threads" | "--format" | "--color" | "--logfile" | "-Z" => drop(args.next()),
                // No test is ignored, so there is nothing to show of those.
                "--ignored" => choice.skip.push(String::new()),
                other if other.starts_with('-') => {}
                part => choice.parts.push(part.to_owned()),
            }
        }
        choice
    }

    fn takes(&self, name: &str) -> bool {
        let hit =
            |part: &String| if self.exact { name == part } else { name.contains(part.as_str()) };
        (self.parts.is_empty() || self.parts.iter().any(hit)) && !self.skip.iter().any(hit)
    }
}

/// Wants two values to be equal, and names the rule if they are not.
#[track_caller]
pub fn check<T: PartialEq + Debug>(rule: &str, what: impl AsRef<str>, got: T, expected: T) {
    if got != expected {
        panic!("{rule}: {}\n  expected: {expected:?}\n  got:      {got:?}", what.as_ref());
    }
}

/// Wants something to succeed, and says what failed and why.
#[allow(dead_code, reason = "where nothing can fail, nothing has to succeed")]
pub trait Works<T> {
    fn works(self, what: &str) -> T;
}

impl<T, E: Display> Works<T> for Result<T, E> {
    #[track_caller]
    fn works(self, what: &str) -> T {
        self.unwrap_or_else(|error| {
            panic!("{what} fails\n  expected: no error\n  got:      {error}")
        })
    }
}

/// Wants a transcript to be the one in `tests/snapshots/NAME.snap`, and shows the first line that is not.
///
/// With `WORKSHOP_TRACE=DIR` the transcript also goes to `DIR/NAME.txt`. With `INSTA_UPDATE=always` it
/// becomes the snapshot; insta writes it.
#[track_caller]
pub fn check_transcript(lab: &Lab, name: &str, actual: &str) {
    if let Some(dir) = env::var_os("WORKSHOP_TRACE") {
        let file = Path::new(&dir).join(format!("{name}.txt"));
        let written = fs::create_dir_all(&dir).and_then(|()| fs::write(&file, actual));
        written.unwrap_or_else(|error| panic!("cannot write {}: {error}", file.display()));
    }
    let snapshots = folder_of(lab).join("tests/snapshots");
    let update = env::var("INSTA_UPDATE").is_ok_and(|update| !matches!(update.as_str(), "" | "no"));
    let snapshot = fs::read_to_string(snapshots.join(format!("{name}.snap"))).unwrap_or_default();
    let expected = snapshot.splitn(3, "---\n").nth(2).unwrap_or_default();
    if update || snapshot.is_empty() {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(snapshots);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name, actual));
        return;
    }
    let (mut got_lines, mut input) = (actual.trim_end().lines(), "");
    for expected in expected.trim_end().lines() {
        let got = got_lines.next().unwrap_or("(nothing)");
        if expected != got {
            panic!("transcript {name}, after `{input}`\n  expected: {expected}\n  got:      {got}");
        }
        if !got.starts_with(' ') && !got.is_empty() {
            input = got;
        }
    }
    if let Some(got) = got_lines.next() {
        panic!("transcript {name}, after `{input}`\n  expected: (nothing)\n  got:      {got}");
    }
}

/// The lab's folder: tests run in their package's folder, which is another one for the answer key.
pub fn folder_of(lab: &Lab) -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let roots = package.ancestors().map(|root| root.join(lab.folder));
    roots.into_iter().find(|folder| folder.is_dir()).expect("the lab's folder is above its tests")
}
