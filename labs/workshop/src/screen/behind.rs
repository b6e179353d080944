//! The book and the reference broker, built and served behind the screen, and ended with it.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::state::{News, Service};
use crate::cargo::{self, Stop};
use crate::commands::{broker, organs};
use crate::failure::read_or_empty;
use crate::kit::Kit;
use crate::libtest::CompileError;

const BOOK: Server = Server {
    name: "book",
    news: News::Book,
    build: |kit, stop| organs::built(kit, &["--package", "book"], "book", stop),
    arguments: || vec!["serve".to_owned(), "--port".to_owned(), "0".to_owned()],
    says: "book at ",
    also: None,
};

const BROKER: Server = Server {
    name: "broker",
    news: News::Broker,
    build: |kit, stop| organs::build(kit, &[], stop),
    arguments: || {
        let listen = format!("127.0.0.1:{}", broker::free_port());
        let http = format!("127.0.0.1:{}", broker::free_port_from(DASHBOARD));
        ["serve", "--listen", &listen, "--http", &http].map(str::to_owned).to_vec()
    },
    says: "listening on ",
    also: Some(Also { says: "dashboard on ", news: News::Dashboard }),
};

/// The dashboard's port, or the next that nobody listens on.
const DASHBOARD: u16 = 9080;

pub struct Behind {
    kit: Arc<Kit>,
    tell: Sender<News>,
    go: Sender<()>,
    stop: Stop,
    running: Arc<Mutex<Vec<Running>>>,
    thread: JoinHandle<()>,
}

/// A program of ours that serves.
struct Running {
    name: &'static str,
    child: Child,
    /// Set before we end it ourselves, so that its end is no news.
    ending: Stop,
}

impl Behind {
    /// Waits for `go`, then builds and serves one after the other.
    pub fn start(kit: &Arc<Kit>, tell: &Sender<News>) -> Self {
        let (go, started) = mpsc::channel();
        let stop = Stop::default();
        let running = Arc::new(Mutex::new(Vec::new()));
        let thread = {
            let (kit, tell, stop) = (Arc::clone(kit), tell.clone(), stop.clone());
            let running = Arc::clone(&running);
            std::thread::spawn(move || {
                if started.recv().is_err() {
                    return;
                }
                for server in [&BOOK, &BROKER] {
                    server.build(&kit, &tell, &stop, &running);
                }
            })
        };
        Self { kit: Arc::clone(kit), tell: tell.clone(), go, stop, running, thread }
    }

    pub fn go(&self) {
        // A second time nobody listens any more.
        let _ = self.go.send(());
    }

    /// Ends the reference broker for a while; false where it does not run.
    pub fn end_broker(&self) -> bool {
        let Ok(mut running) = self.running.lock() else { return false };
        let Some(at) = running.iter().position(|one| one.name == BROKER.name) else { return false };
        running.swap_remove(at).end();
        true
    }

    pub fn start_broker(&self) {
        BROKER.serve(&self.kit, &self.tell, &self.running);
    }

    /// Kills what we started, each by its own id.
    pub fn end(self) {
        self.stop.stop();
        drop(self.go);
        let _ = self.thread.join();
        if let Ok(mut running) = self.running.lock() {
            running.drain(..).for_each(Running::end);
        }
    }
}

impl Running {
    fn end(mut self) {
        self.ending.stop();
        cargo::end(&mut self.child);
    }
}

/// A program that is built, started, and says in one line where it serves.
struct Server {
    name: &'static str,
    news: fn(Service) -> News,
    build: fn(&Kit, &Stop) -> Result<PathBuf, CompileError>,
    arguments: fn() -> Vec<String>,
    says: &'static str,
    also: Option<Also>,
}

/// What else such a program says: how that line begins, and the news that it is.
struct Also {
    says: &'static str,
    news: fn(String) -> News,
}

impl Server {
    fn build(
        &'static self,
        kit: &Kit,
        tell: &Sender<News>,
        stop: &Stop,
        running: &Mutex<Vec<Running>>,
    ) {
        // Nobody listens any more when the screen has closed.
        let say = |service| drop(tell.send((self.news)(service)));
        if stop.is_set() {
            return;
        }
        say(Service::Building);
        let program = match (self.build)(kit, stop) {
            Ok(program) => program,
            Err(error) => return say(Service::Failed(format!("does not compile: {}", error.what))),
        };
        // A copy runs: some systems do not let cargo replace a program that runs.
        let _ = std::fs::create_dir_all(kit.scratch(""));
        match std::fs::copy(&program, self.program(kit)) {
            Ok(_) => self.serve(kit, tell, running),
            Err(why) => say(Service::Failed(why.to_string())),
        }
    }

    fn program(&self, kit: &Kit) -> PathBuf {
        kit.scratch(&format!("{}{}", self.name, std::env::consts::EXE_SUFFIX))
    }

    fn serve(&'static self, kit: &Kit, tell: &Sender<News>, running: &Mutex<Vec<Running>>) {
        let tell = tell.clone();
        let also = tell.clone();
        let say = move |service| drop(tell.send((self.news)(service)));
        let log = kit.scratch(&format!("{}.log", self.name));
        let mut child = match self.spawn(kit, &log) {
            Ok(child) => child,
            Err(why) => return say(Service::Failed(why.to_string())),
        };
        let stdout = child.stdout.take();
        let ending = Stop::default();
        if let Ok(mut running) = running.lock() {
            running.push(Running { name: self.name, child, ending: ending.clone() });
        }
        // Reads to the end, so that the program never waits for a reader.
        std::thread::spawn(move || {
            let lines = stdout.into_iter().flat_map(|out| BufReader::new(out).lines());
            for line in lines.map_while(Result::ok) {
                if let Some((_, at)) = line.split_once(self.says) {
                    say(Service::Serving(at.trim().to_owned()));
                }
                if let Some(Also { says, news }) = self.also
                    && let Some((_, at)) = line.split_once(says)
                {
                    let _ = also.send(news(at.trim().to_owned()));
                }
            }
            if !ending.is_set() {
                let said = read_or_empty(&log);
                let last = said.lines().rev().find(|line| !line.trim().is_empty());
                say(Service::Failed(format!("it ended: {}", last.unwrap_or("it gave no reason"))));
            }
        });
    }

    fn spawn(&self, kit: &Kit, log: &Path) -> std::io::Result<Child> {
        Command::new(self.program(kit))
            .args((self.arguments)())
            .current_dir(&kit.root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(log)?)
            .spawn()
    }
}
