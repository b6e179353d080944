//! What the screen shows, and what a key or a message changes about it.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::commands::hint;
use crate::grade::{self, Grade, Next, Outcome};
use crate::kit::Kit;
use crate::lab::Lab;
use crate::paint::{Line, reflow, wrap};

pub struct State {
    pub grades: Vec<Grade>,
    /// The lab in front.
    pub lab: usize,
    pub grading: Option<usize>,
    pub view: View,
    pub scroll: usize,
    pub book: Service,
    pub broker: Service,
    /// Of the broker, while it serves.
    pub dashboard: String,
    /// The last thing that happened, in a few words.
    pub said: String,
    pub to_grade: Option<usize>,
    /// Something that asks or prints: the screen makes room for it.
    pub aside: Option<Aside>,
    pub quit: bool,
    /// Columns of the terminal when it was last drawn.
    pub width: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum View {
    Home,
    List,
    /// A text to read: a hint, a step.
    Text(String, Vec<Line>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Service {
    Waiting,
    Building,
    Serving(String),
    /// The learner's own runs in its place.
    Lent(String),
    /// In a sentence.
    Failed(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aside {
    Predict,
    Trace,
}

/// What the threads tell.
pub enum News {
    Grading(usize),
    Graded(usize, Box<Grade>),
    Book(Service),
    Broker(Service),
    /// Where the broker's dashboard is.
    Dashboard(String),
}

impl State {
    pub fn new(kit: &Kit) -> Self {
        let grades: Vec<Grade> = kit.labs.iter().map(|lab| Grade::looked(kit, lab)).collect();
        let begun = |grade: &Grade| grade.steps.iter().any(|s| s.state == grade::State::Todo);
        let lab = grades.iter().position(begun).unwrap_or(grades.len().saturating_sub(1));
        Self {
            grades,
            lab,
            grading: None,
            view: View::Home,
            scroll: 0,
            book: Service::Waiting,
            broker: Service::Waiting,
            dashboard: String::new(),
            said: String::new(),
            to_grade: None,
            aside: None,
            quit: false,
            width: 80,
        }
    }

    pub fn grade(&self) -> Option<&Grade> {
        self.grades.get(self.lab)
    }

    pub fn news(&mut self, news: News) {
        match news {
            News::Grading(lab) => self.grading = Some(lab),
            News::Graded(lab, grade) => {
                self.grading = None;
                self.said =
                    match self.grades.get(lab).and_then(|before| turned_green(before, &grade)) {
                        Some(step) => format!("step {step} is green · t shows what your code did"),
                        None => format!("graded in {:.1} s", grade.took.as_secs_f64()),
                    };
                if let Some(place) = self.grades.get_mut(lab) {
                    *place = *grade;
                }
            }
            News::Book(service) => self.book = service,
            News::Broker(service) => self.broker = service,
            News::Dashboard(at) => self.dashboard = at,
        }
    }

    /// A file of a lab was saved: that lab comes to the front.
    pub fn saved(&mut self, kit: &Kit, lab: usize) {
        if self.lab != lab {
            self.choose(kit, lab);
        }
        self.said = "saved".to_owned();
    }

    fn choose(&mut self, kit: &Kit, lab: usize) {
        if let Some(asked) = kit.labs.get(lab) {
            self.lab = lab;
            self.view = View::Home;
            self.to_grade = Some(lab);
            if let Some(place) = self.grades.get_mut(lab) {
                *place = Grade::looked(kit, asked);
            }
        }
    }

    pub fn key(&mut self, kit: &Kit, key: KeyEvent) {
        if key.kind == KeyEventKind::Release {
            return;
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c' | 'd') if control => self.quit = true,
            KeyCode::Char('q') => self.quit = true,
            KeyCode::Char('h' | '?') => self.hint(kit),
            KeyCode::Char('n') => self.next(),
            KeyCode::Char('p') => self.aside = Some(Aside::Predict),
            KeyCode::Char('t') => self.aside = Some(Aside::Trace),
            KeyCode::Char('l') => self.turn(View::List),
            KeyCode::Char('o') => self.open(),
            KeyCode::Char('g') => self.to_grade = Some(self.lab),
            KeyCode::Char(digit @ '1'..='9') if self.view == View::List => {
                let number = digit.to_digit(10).unwrap_or_default();
                if let Some(lab) = kit.labs.iter().position(|lab| lab.number == number) {
                    self.choose(kit, lab);
                }
            }
            KeyCode::Esc | KeyCode::Enter | KeyCode::Backspace => self.turn(View::Home),
            KeyCode::Down | KeyCode::Char('j') => self.scroll += 1,
            KeyCode::Up | KeyCode::Char('k') => self.scroll = self.scroll.saturating_sub(1),
            KeyCode::PageDown | KeyCode::Char(' ') => self.scroll += 10,
            KeyCode::PageUp => self.scroll = self.scroll.saturating_sub(10),
            _ => {}
        }
    }

    fn turn(&mut self, view: View) {
        self.view = view;
        self.scroll = 0;
    }

    fn hint(&mut self, kit: &Kit) {
        let Some(grade) = self.grade() else { return };
        let lines = match grade.step_at_hand() {
            None => vec![Line::from("Every step passes: there is nothing to hint at.")],
            Some(step) => {
                let lines = hint::next(kit, grade, step, self.width.saturating_sub(4));
                if lines.is_empty() {
                    vec![Line::from("This step has no hints yet.")]
                } else {
                    lines
                }
            }
        };
        self.turn(View::Text("Hint".to_owned(), lines));
    }

    /// What the README says about the next thing to do.
    fn next(&mut self) {
        let Some(grade) = self.grade() else { return };
        let width = self.width.saturating_sub(4);
        let mut lines = crate::report::next(grade, crate::report::Seen::OnTheScreen, width);
        let at_hand = match grade.next() {
            Next::Step(index) => grade.steps.get(index),
            Next::Predict { .. } => grade.step_at_hand(),
            _ => None,
        };
        if let Some(step) = at_hand {
            lines.push(Line::new());
            lines.push(Line::new().bold(format!("Step {}: {}", step.step.number, step.step.title)));
            lines.extend(readable(&step.step.text, width));
            lines.push(Line::new());
            lines.extend(crate::report::rules(&grade.lab, &step.step.rules, width));
        }
        self.turn(View::Text("Next".to_owned(), lines));
    }

    fn open(&mut self) {
        let page = self.grade().and_then(|grade| page(&grade.lab));
        self.said = match (&self.book, &page) {
            (Service::Serving(url), page) => {
                let url =
                    format!("{}/{}", url.trim_end_matches('/'), page.as_deref().unwrap_or(""));
                match browse(&url) {
                    true => format!("opened {url}"),
                    false => format!("no browser found: open {url}"),
                }
            }
            (Service::Failed(why), _) => format!("the book does not serve: {why}"),
            (_, Some(page)) => {
                format!(
                    "the book is being built; meanwhile: book/src/{}",
                    page.replace(".html", ".md")
                )
            }
            (_, None) => "the book is being built".to_owned(),
        };
    }
}

/// The last step that passes now and did not before; nothing where the first grade of a visit comes in.
fn turned_green(before: &Grade, now: &Grade) -> Option<u32> {
    let is_done = |grade: &Grade, number: u32| {
        grade.steps.iter().any(|s| s.step.number == number && s.state == grade::State::Done)
    };
    if before.outcome != Outcome::Ran {
        return None;
    }
    let green = now.steps.iter().rev().map(|step| step.step.number);
    green.into_iter().find(|number| is_done(now, *number) && !is_done(before, *number))
}

/// The page of a lab: `book/src/1-….md` is served as `1-….html`.
fn page(lab: &Lab) -> Option<String> {
    Some(lab.chapter.as_ref()?.rsplit('/').next()?.replace(".md", ".html"))
}

/// Asks the desktop to show a page.
fn browse(url: &str) -> bool {
    use std::process::{Command, Stdio};
    let mut command = if cfg!(windows) {
        let mut command = Command::new("cmd");
        command.args(["/C", "start", "", url]);
        command
    } else {
        let mut command = Command::new(if cfg!(target_os = "macos") { "open" } else { "xdg-open" });
        command.arg(url);
        command
    };
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().is_ok()
}

/// A README's text for a terminal: prose wrapped, code as it is.
pub fn readable(text: &str, width: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut code = false;
    for line in reflow(text).lines() {
        if line.trim_start().starts_with("```") {
            code = !code;
        } else if code {
            lines.push(Line::new().mark(format!("    {line}")));
        } else if line.trim().is_empty() {
            lines.push(Line::new());
        } else if !line.trim_start().starts_with("<!--") {
            lines.extend(wrap(line, width.min(96)).into_iter().map(Line::from));
        }
    }
    lines
}
