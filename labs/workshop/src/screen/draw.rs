//! The state as lines: a pure function, so that every screen is a snapshot in the tests.

use super::state::{self, Service, View, readable};
use crate::grade::{Grade, Next, Outcome, State};
use crate::paint::{Line, Style};
use crate::report;

const KEYS: &str =
    " h hint · n next · p predict · t trace · l list · o open page · g grade · q quit";
const KEYS_NARROW: &str = " h hint · n next · l list · o open · q quit";
const KEYS_AWAY: &str = " Esc back · ↑↓ scroll · h hint · n next · l list · o open page · q quit";

/// What a first visit is met with, where there is room.
const WELCOME: [&str; 2] = [
    " You build the organs of a Kafka broker, and real Kafka clients use them.",
    " Every save is graded. Nothing is installed, and nothing leaves this machine.",
];

/// Exactly `height` lines, none wider than `width` when painted.
pub fn draw(state: &state::State, width: usize, height: usize) -> Vec<Line> {
    let body_height = height.saturating_sub(5);
    let mut body = match &state.view {
        View::Home => home(state, width, body_height),
        View::List => list(state),
        View::Text(title, lines) => {
            let mut all = vec![Line::new().mark(format!(" {title}")), Line::new()];
            all.extend(lines.iter().map(|line| indented(line, 2)));
            all
        }
    };
    // The last page stays full.
    let scroll = state.scroll.min(body.len().saturating_sub(body_height));
    let more = body.len() > scroll + body_height;
    body = body.into_iter().skip(scroll).take(body_height).collect();
    if more && let Some(last) = body.last_mut() {
        *last = Line::new().dim("  ↓ more");
    }
    body.resize(body_height, Line::new());

    let mut lines = vec![header(state, width), Line::new()];
    lines.extend(body);
    lines.push(Line::new());
    lines.push(services(state));
    let keys = match (&state.view, width < 80) {
        (_, true) => KEYS_NARROW,
        (View::Home, false) => KEYS,
        (_, false) => KEYS_AWAY,
    };
    lines.push(bar(keys, "", width));
    lines.truncate(height);
    lines
}

fn bar(left: &str, right: &str, width: usize) -> Line {
    let room = width.saturating_sub(left.chars().count() + right.chars().count());
    Line::new().with(Style::Bar, format!("{left}{}{right}", " ".repeat(room)))
}

fn header(state: &state::State, width: usize) -> Line {
    let right = match (state.grading, &state.said) {
        (Some(lab), _) => {
            let name = state.grades.get(lab).map_or("", |grade| grade.lab.name.as_str());
            format!("grading {name} … ")
        }
        (None, said) => format!("{said} "),
    };
    let lab = state
        .grade()
        .map(|grade| format!(" The workshop · lab {} {}", grade.lab.number, grade.lab.name));
    bar(&lab.unwrap_or_default(), &right, width)
}

/// Where you are and the next thing to do. What does not fit is left out from the top: the next thing stays.
fn home(state: &state::State, width: usize, height: usize) -> Vec<Line> {
    let Some(grade) = state.grade() else { return Vec::new() };
    let next: Vec<Line> = report::next(grade, report::Seen::OnTheScreen, width.saturating_sub(2))
        .into_iter()
        .map(|line| indented(&line, 1))
        .collect();
    let mut board: Vec<Line> = report::board(grade, width).into_iter().skip(1).collect();
    let mut top = list(state);
    top.push(Line::new());
    board.push(Line::new());

    let mut lines = Vec::new();
    let room = height.saturating_sub(next.len());
    if WELCOME.len() + 1 + top.len() + board.len() <= room && grade.done_steps() == 0 {
        lines.extend(WELCOME.map(Line::from));
        lines.push(Line::new());
    }
    if top.len() + board.len() <= room {
        lines.extend(top);
        lines.extend(board);
    } else if board.len() <= room {
        lines.extend(board);
    } else if room >= 2 {
        lines.push(lab_line(grade, true, grade.steps.len()));
        lines.push(Line::new());
    }
    // A large window has room for what the README says about the step.
    if let Next::Step(at) = grade.next()
        && let Some(step) = grade.steps.get(at).filter(|step| step.state == State::Todo)
    {
        let mut text = readable(&step.step.text, width.saturating_sub(4));
        if lines.len() + text.len() + 1 + next.len() <= height {
            text.push(Line::new());
            lines.extend(text.iter().map(|line| indented(line, 3)));
        }
    }
    // Of a long message the end is what counts: there stands what to do.
    let skip = next.len().saturating_sub(height);
    lines.extend(next.into_iter().skip(skip));
    lines
}

fn list(state: &state::State) -> Vec<Line> {
    let steps = state.grades.iter().map(|grade| grade.steps.len()).max().unwrap_or(0);
    let mut lines: Vec<Line> = state
        .grades
        .iter()
        .enumerate()
        .map(|(at, grade)| lab_line(grade, at == state.lab, steps))
        .collect();
    if state.view == View::List {
        lines.insert(0, Line::new());
        lines.insert(0, Line::new().bold(" The labs").dim("   a number brings one to the front"));
        lines.push(Line::new());
        for grade in &state.grades {
            lines.extend(report::board(grade, 80));
            lines.push(Line::new());
        }
    }
    lines
}

/// `▸ 1 offset-log        ■■■□□□  45 min left   Where does a record live?`
///
/// The question stands last: it is the one part that a narrow window may cut.
fn lab_line(grade: &Grade, front: bool, steps: usize) -> Line {
    let lab = &grade.lab;
    let sign = if front { "▸" } else { " " };
    let style = if front { Style::Bold } else { Style::Plain };
    let done = grade.done_steps();
    let gauge = format!("{}{}", "■".repeat(done), "□".repeat(grade.steps.len() - done));
    let line = Line::new()
        .with(Style::Mark, format!(" {sign} "))
        .with(style, format!("{} {:<18}", lab.number, lab.name));
    let line = match (&grade.outcome, grade.minutes_left()) {
        (Outcome::NotCompiled(_), _) => line.with(Style::Bad, "does not compile"),
        (Outcome::NotRun(_), _) => line.with(Style::Bad, "did not run"),
        (_, 0) if grade.is_done() => {
            line.with(Style::Good, format!("{gauge:<steps$}  {:<12}", "done"))
        }
        (_, minutes) => line
            .with(Style::Good, format!("{gauge:<steps$}"))
            .dim(format!("  {:<12}", format!("{minutes} min left"))),
    };
    line.plain(format!("  {}", lab.about))
}

fn services(state: &state::State) -> Line {
    let mut line = Line::new().plain(" ");
    let services = [("book", &state.book, ""), ("broker", &state.broker, &*state.dashboard)];
    for (at, (name, service, also)) in services.into_iter().enumerate() {
        if at > 0 {
            line = line.dim("   ");
        }
        line = match service {
            Service::Waiting => line.dim(format!("{name} …")),
            Service::Building => line.dim(format!("building the {name} …")),
            Service::Serving(at) => {
                let line = line.with(Style::Good, "● ").plain(format!("{name} {at}"));
                if also.is_empty() { line } else { line.plain(format!(" {also}")) }
            }
            Service::Lent(at) => line.with(Style::Good, "● ").plain(format!("{name} {at}")),
            Service::Failed(why) => line.with(Style::Bad, format!("✗ {name}: ")).plain(why.clone()),
        };
    }
    line
}

fn indented(line: &Line, by: usize) -> Line {
    let mut all = Line::new().plain(" ".repeat(by));
    all.0.extend(line.0.iter().cloned());
    all
}
