//! The workshop's screen. It stands before anything is compiled but the runner, and is graded on every save.
//!
//! One loop owns the state. Threads grade and build, and tell it by messages; they never draw.

mod behind;
mod draw;
mod lend;
mod state;
mod terminal;
mod watch;

pub use draw::draw;
pub use state::{Aside, News, Service, State, View};

use std::io::IsTerminal;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crossterm::event::{self, Event};

use crate::cargo::Stop;
use crate::commands::grade::status;
use crate::commands::{ask, predict, trace};
use crate::failure::Result;
use crate::grade::Grade;
use crate::kit::Kit;
use behind::Behind;
use lend::Lend;
use terminal::Terminal;
use watch::Watch;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_millis(150);

pub fn open(kit: &Kit) -> Result<u8> {
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return status(kit, None);
    }
    kit.some_lab()?;
    let mut terminal = Terminal::enter()?;
    let mut state = State::new(kit);
    terminal.show(&state)?;

    let kit = Arc::new(Kit::at(&kit.root, kit.target.clone()));
    let (tell, news) = mpsc::channel();
    let grader = Grader::start(&kit, &tell);
    let behind = Behind::start(&kit, &tell);
    let mut watch = Watch::new(&kit);
    grader.ask(state.lab);
    let told = run(&kit, &mut state, &mut terminal, &mut watch, &grader, &behind, &news);
    drop(terminal);
    grader.stop();
    behind.end();
    told?;
    Ok(0)
}

fn run(
    kit: &Arc<Kit>,
    state: &mut State,
    terminal: &mut Terminal,
    watch: &mut Watch,
    grader: &Grader,
    behind: &Behind,
    news: &Receiver<News>,
) -> Result<()> {
    let mut lend = Lend::new(kit);
    while !state.quit && !terminal.killed() {
        state.width = terminal.show(state)?;
        if event::poll(LOOK).unwrap_or(false)
            && let Ok(Event::Key(key)) = event::read()
        {
            state.key(kit, key);
        }
        for lab in watch.changed() {
            state.saved(kit, lab);
            grader.ask(lab);
        }
        while let Ok(news) = news.try_recv() {
            // The machine's first work is the grade; book and broker are built when it is done.
            if matches!(news, News::Graded(..)) {
                behind.go();
            }
            state.news(news);
        }
        if let Some(lab) = state.to_grade.take() {
            grader.ask(lab);
        }
        if let Some(broker) = lend.look(&state.broker, behind) {
            state.broker = broker;
        }
        if let Some(what) = state.aside.take() {
            terminal.aside(|| aside(kit, what, state.lab))?;
        }
    }
    Ok(())
}

/// Asks or prints in the plain terminal, and waits.
fn aside(kit: &Kit, what: Aside, lab: usize) {
    let Some(lab) = kit.labs.get(lab) else { return };
    let done = match what {
        Aside::Predict => predict::predict(kit, Some(&lab.name)),
        Aside::Trace => trace::trace(kit, Some(&lab.name), None),
    };
    if let Err(failure) = done {
        println!("{}", failure.text);
    }
    let _ = ask("\nEnter brings you back to the workshop. ");
}

/// Grades one lab at a time; a newer question ends the tests that answer an older one.
struct Grader {
    ask: Sender<usize>,
    /// Of the run that is under way.
    stop: Arc<Mutex<Stop>>,
}

impl Grader {
    fn start(kit: &Arc<Kit>, tell: &Sender<News>) -> Self {
        let (ask, asked) = mpsc::channel::<usize>();
        let current = Arc::new(Mutex::new(Stop::default()));
        let (kit, tell, shared) = (Arc::clone(kit), tell.clone(), Arc::clone(&current));
        std::thread::spawn(move || {
            while let Ok(mut index) = asked.recv() {
                // Several saves in a row are one question.
                while let Ok(newer) = asked.try_recv() {
                    index = newer;
                }
                let Some(lab) = kit.labs.get(index) else { continue };
                let stop = Stop::default();
                if let Ok(mut current) = shared.lock() {
                    *current = stop.clone();
                }
                if tell.send(News::Grading(index)).is_err() {
                    return;
                }
                let grade = Grade::ran(&kit, lab, &stop);
                if !stop.is_set() && tell.send(News::Graded(index, Box::new(grade))).is_err() {
                    return;
                }
            }
        });
        Self { ask, stop: current }
    }

    fn ask(&self, lab: usize) {
        // The thread ends only with us.
        let _ = self.ask.send(lab);
        self.stop();
    }

    fn stop(&self) {
        if let Ok(stop) = self.stop.lock() {
            stop.stop();
        }
    }
}
