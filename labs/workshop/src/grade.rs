//! The grade of one lab: what its tests say now. Nothing is remembered from an earlier run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::cargo::{self, Stop};
use crate::kit::{Kit, Place};
use crate::lab::{Lab, Step};
use crate::libtest::{self, CompileError, Test};

/// A test that takes longer has a loop without an end. The labs' grader notices that itself, after 30 seconds.
const QUIET: Duration = Duration::from_secs(45);

#[derive(Debug, Clone)]
pub struct Grade {
    pub lab: Lab,
    pub outcome: Outcome,
    pub steps: Vec<StepGrade>,
    pub took: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Only the files were looked at: a step whose `todo!` still stands is not done.
    Looked,
    Ran,
    NotCompiled(CompileError),
    NotRun(String),
}

#[derive(Debug, Clone)]
pub struct StepGrade {
    pub step: Step,
    pub state: State,
    pub tests: Vec<Test>,
    pub place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Done,
    /// Its `todo!` still stands.
    Todo,
    /// Written, and not right yet.
    Red,
    /// Written, and not graded yet.
    Unknown,
}

/// The first thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    Compile(CompileError),
    Predict { open: usize, at: Place },
    Step(usize),
    NotRun(String),
    Done,
}

impl Grade {
    /// What the files alone tell, at once.
    pub fn looked(kit: &Kit, lab: &Lab) -> Self {
        let lab = Lab::read(&kit.root, lab.number, &lab.name);
        let steps = lab
            .steps
            .iter()
            .map(|step| {
                let todo = kit.todo(&lab, step.number);
                let state = if todo.is_some() { State::Todo } else { State::Unknown };
                let place = todo.unwrap_or_else(|| kit.place(&lab, step.number));
                StepGrade { step: step.clone(), state, tests: Vec::new(), place }
            })
            .collect();
        let outcome = match lab.steps.is_empty() {
            true => Outcome::NotRun(format!("{}/README.md has no steps to do.", lab.folder())),
            false => Outcome::Looked,
        };
        Self { lab, outcome, steps, took: Duration::ZERO }
    }

    /// Compiles the lab and runs its tests.
    pub fn ran(kit: &Kit, lab: &Lab, stop: &Stop) -> Self {
        let started = Instant::now();
        let mut grade = Self::looked(kit, lab);
        if grade.steps.is_empty() {
            return grade;
        }
        match run_tests(kit, lab, Wanted::default(), stop) {
            Ok(tests) => grade.take(tests),
            Err(outcome) => grade.outcome = outcome,
        }
        grade.took = started.elapsed();
        grade
    }

    /// Places a run's tests under their steps.
    pub fn take(&mut self, tests: Vec<Test>) {
        self.outcome = Outcome::Ran;
        for step in &mut self.steps {
            step.tests =
                tests.iter().filter(|t| t.step() == Some(step.step.number)).cloned().collect();
            step.state = match step.state {
                State::Todo => State::Todo,
                _ if step.tests.is_empty() => State::Red,
                _ if step.tests.iter().all(|test| test.passed) => State::Done,
                _ => State::Red,
            };
        }
        let known = |test: &Test| self.steps.iter().any(|s| test.step() == Some(s.step.number));
        let others: Vec<Test> = tests.iter().filter(|test| !known(test)).cloned().collect();
        if let Some(failed) = others.into_iter().find(|test| !test.passed) {
            self.outcome = Outcome::NotRun(format!(
                "The test {}, which belongs to no step, fails: {}",
                failed.name,
                failed.message.lines().next().unwrap_or_default()
            ));
        }
    }

    pub fn done_steps(&self) -> usize {
        self.steps.iter().filter(|step| step.state == State::Done).count()
    }

    /// Every step passes and every prediction is answered.
    pub fn is_done(&self) -> bool {
        self.outcome == Outcome::Ran
            && !self.steps.is_empty()
            && self.done_steps() == self.steps.len()
            && self.lab.answered() == self.lab.predictions.len()
    }

    pub fn minutes_left(&self) -> u32 {
        let open = self.steps.iter().filter(|step| step.state != State::Done);
        open.map(|step| step.step.minutes).sum()
    }

    pub fn next(&self) -> Next {
        match &self.outcome {
            Outcome::NotCompiled(error) => return Next::Compile(error.clone()),
            Outcome::NotRun(why) => return Next::NotRun(why.clone()),
            Outcome::Looked | Outcome::Ran => {}
        }
        let looked = self.outcome == Outcome::Looked;
        let open = |s: &StepGrade| s.state == State::Todo || (!looked && s.state != State::Done);
        let untouched = self.steps.iter().all(|step| step.state == State::Todo);
        // A step that is wrong comes before one that is not written, and that before one that only waits for another.
        let wrong = self.steps.iter().position(StepGrade::is_wrong);
        let todo = || self.steps.iter().position(|step| step.state == State::Todo);
        match wrong.or_else(todo).or_else(|| self.steps.iter().position(open)) {
            Some(step) if !untouched => Next::Step(step),
            step => self.predict().or(step.map(Next::Step)).unwrap_or(Next::Done),
        }
    }

    /// The first prediction without an answer.
    fn predict(&self) -> Option<Next> {
        let first = self.lab.predictions.iter().find(|p| !p.is_answered())?;
        let at = Place { file: format!("{}/predict.toml", self.lab.folder()), line: first.line };
        Some(Next::Predict { open: self.lab.predictions.len() - self.lab.answered(), at })
    }

    /// The step at hand: the first that is not done.
    pub fn step_at_hand(&self) -> Option<&StepGrade> {
        match self.next() {
            Next::Step(at) => self.steps.get(at),
            Next::Compile(error) => self.step_of_error(&error),
            _ => self.steps.iter().find(|step| step.state != State::Done),
        }
    }

    /// While nothing compiles no test says what is done. The step at hand is the one that the error is in, or else the
    /// first that is not written, or the last.
    fn step_of_error(&self, error: &CompileError) -> Option<&StepGrade> {
        let at = error.at.as_ref();
        let inside = self.steps.iter().filter(|step| {
            at.is_some_and(|at| at.file == step.place.file && step.place.line <= at.line)
        });
        let same_file =
            || self.steps.iter().find(|step| at.is_some_and(|at| at.file == step.place.file));
        let unwritten = || self.steps.iter().find(|step| step.state == State::Todo);
        inside
            .max_by_key(|step| step.place.line)
            .or_else(same_file)
            .or_else(unwritten)
            .or(self.steps.last())
    }
}

impl StepGrade {
    /// Written, and not right: more than waiting for another step.
    pub fn is_wrong(&self) -> bool {
        let waits = |test: &Test| test.message.contains(" waits for step ");
        self.state == State::Red
            && (self.tests.is_empty() || self.tests.iter().any(|test| !test.passed && !waits(test)))
    }

    /// The failing test to look at: one of this step's own, rather than one that waits for another step.
    pub fn red(&self) -> Option<&Test> {
        let failed = || self.tests.iter().filter(|test| !test.passed);
        failed().find(|test| !test.message.contains(" waits for step ")).or_else(|| failed().next())
    }
}

/// What a run of a lab's tests is to do besides.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// Only tests whose name contains this.
    pub filter: Option<&'a str>,
    /// Where the tests write their transcripts.
    pub trace: Option<&'a Path>,
}

/// Builds and runs a lab's test file. `stop` ends the tests: a compiler is left to finish, for the next one would meet
/// its half-written files.
pub fn run_tests(kit: &Kit, lab: &Lab, wanted: Wanted, stop: &Stop) -> Result<Vec<Test>, Outcome> {
    let built = build(kit, lab)?;
    Ok(run_built(kit, lab, &built, wanted, stop)?.tests)
}

pub struct Built {
    program: PathBuf,
    pub warnings: Vec<String>,
}

pub fn build(kit: &Kit, lab: &Lab) -> Result<Built, Outcome> {
    let mut command = cargo::cargo(&kit.root, &kit.target);
    command.args(["test", "--no-run", "--package", &lab.name, "--test", &lab.test_target()]);
    let ended = cargo::run(command, None, &Stop::default())
        .map_err(|why| Outcome::NotRun(format!("cargo did not start: {why}.")))?;
    match libtest::executable(&ended.stderr) {
        Some(program) if ended.success() => Ok(Built {
            program: kit.root.join(program),
            warnings: libtest::warnings(&ended.stderr),
        }),
        _ => Err(Outcome::NotCompiled(libtest::first_error(&ended.stderr).unwrap_or_else(|| {
            CompileError { what: "cargo failed".to_owned(), at: None, text: ended.stderr }
        }))),
    }
}

pub struct Ran {
    pub tests: Vec<Test>,
    /// What the test program said last, after the result.
    pub last_words: String,
}

pub fn run_built(
    kit: &Kit,
    lab: &Lab,
    built: &Built,
    wanted: Wanted,
    stop: &Stop,
) -> Result<Ran, Outcome> {
    let mut command = test_program(kit, lab, &built.program);
    command.args(wanted.filter);
    if let Some(folder) = wanted.trace {
        command.env("WORKSHOP_TRACE", folder);
    }
    let ended = match cargo::run(command, Some(QUIET), stop) {
        Ok(ended) => ended,
        Err(why) => return Err(Outcome::NotRun(format!("The tests did not start: {why}."))),
    };
    if ended.stopped {
        return Err(Outcome::NotRun("Stopped.".to_owned()));
    }
    let mut tests = libtest::tests(&ended.stdout);
    if let Some((_, after)) = ended.stdout.split_once("\ntest result: ") {
        let last_words = after.split_once('\n').map_or("", |(_, words)| words).to_owned();
        return Ok(Ran { tests, last_words });
    }
    let why = if ended.too_long {
        format!("did not end within {} seconds: is there a loop without an end?", QUIET.as_secs())
    } else {
        let said = ended.stderr.lines().find(|line| !line.trim().is_empty());
        format!("the test program was aborted: {}", said.unwrap_or("it gave no reason"))
    };
    let mut list = test_program(kit, lab, &built.program);
    list.args(wanted.filter).args(["--list", "--format", "terse"]);
    let list = cargo::run(list, Some(QUIET), stop).unwrap_or_default();
    for name in list.stdout.lines().filter_map(|line| line.strip_suffix(": test")) {
        if !tests.iter().any(|test| test.name == name) {
            tests.push(Test::unfinished(name, &why));
        }
    }
    Ok(Ran { tests, last_words: String::new() })
}

/// The test program as cargo would start it.
fn test_program(kit: &Kit, lab: &Lab, program: &Path) -> Command {
    let folder = kit.path(&lab.folder());
    let mut command = Command::new(program);
    command
        .stdin(std::process::Stdio::null())
        .env("CARGO_MANIFEST_DIR", &folder)
        .env("INSTA_WORKSPACE_ROOT", &kit.root)
        .env("RUST_BACKTRACE", "0")
        .env_remove("WORKSHOP_TRACE")
        .current_dir(folder);
    command
}
