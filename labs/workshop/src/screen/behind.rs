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
use crate::commands::broker;
use crate::failure::read_or_empty;
use crate::kit::Kit;
use crate::libtest::CompileError;

const BOOK: Server = Server {
    name: "book",
    news: News::Book,
    build: book,
    arguments: || vec!["serve".to_owned(), "--port".to_owned(), "0".to_owned()],
    says: "book at ",
};

const BROKER: Server = Server {
    name: "broker",
    news: News::Broker,
    build: |kit, stop| broker::build(kit, &[], stop),
    arguments: || {
        let listen = format!("127.0.0.1:{}", broker::free_port());
        vec!["serve".to_owned(), "--listen".to_owned(), listen]
    },
    says: "listening on ",
};

pub struct Behind {
    go: Sender<()>,
    stop: Stop,
    children: Arc<Mutex<Vec<Child>>>,
    thread: JoinHandle<()>,
}

impl Behind {
    /// Waits for `go`, then builds and serves one after the other.
    pub fn start(kit: &Arc<Kit>, tell: &Sender<News>) -> Self {
        let (go, started) = mpsc::channel();
        let stop = Stop::default();
        let children = Arc::new(Mutex::new(Vec::new()));
        let thread = {
            let (kit, tell, stop) = (Arc::clone(kit), tell.clone(), stop.clone());
            let children = Arc::clone(&children);
            std::thread::spawn(move || {
                if started.recv().is_err() {
                    return;
                }
                for server in [&BOOK, &BROKER] {
                    server.start(&kit, &tell, &stop, &children);
                }
            })
        };
        Self { go, stop, children, thread }
    }

    pub fn go(&self) {
        // A second time nobody listens any more.
        let _ = self.go.send(());
    }

    /// Kills what we started, each by its own id.
    pub fn end(self) {
        self.stop.stop();
        drop(self.go);
        let _ = self.thread.join();
        if let Ok(mut children) = self.children.lock() {
            children.iter_mut().for_each(cargo::end);
        }
    }
}

/// A program that is built, started, and says in one line where it serves.
struct Server {
    name: &'static str,
    news: fn(Service) -> News,
    build: fn(&Kit, &Stop) -> Result<PathBuf, CompileError>,
    arguments: fn() -> Vec<String>,
    says: &'static str,
}

fn book(kit: &Kit, stop: &Stop) -> Result<PathBuf, CompileError> {
    let target = kit.behind();
    let mut command = cargo::cargo(&kit.root, &target);
    command.args(["build", "--package", "book"]);
    broker::built(command, &target, "book", stop)
}

impl Server {
    fn start(
        &'static self,
        kit: &Arc<Kit>,
        tell: &Sender<News>,
        stop: &Stop,
        children: &Mutex<Vec<Child>>,
    ) {
        let tell = tell.clone();
        // Nobody listens any more when the screen has closed.
        let say = move |service| drop(tell.send((self.news)(service)));
        if stop.is_set() {
            return;
        }
        say(Service::Building);
        let program = match (self.build)(kit, stop) {
            Ok(program) => program,
            Err(error) => return say(Service::Failed(format!("does not compile: {}", error.what))),
        };
        let log = kit.scratch(&format!("{}.log", self.name));
        let started = self.spawn(kit, &program, &log);
        let mut child = match started {
            Ok(child) => child,
            Err(why) => return say(Service::Failed(why.to_string())),
        };
        let stdout = child.stdout.take();
        if let Ok(mut children) = children.lock() {
            children.push(child);
        }
        let says = self.says;
        let stop = stop.clone();
        // Reads to the end, so that the program never waits for a reader.
        std::thread::spawn(move || {
            for line in
                stdout.into_iter().flat_map(|out| BufReader::new(out).lines()).map_while(Result::ok)
            {
                if let Some((_, at)) = line.split_once(says) {
                    say(Service::Serving(at.trim().to_owned()));
                }
            }
            if !stop.is_set() {
                let said = read_or_empty(&log);
                let last = said.lines().rev().find(|line| !line.trim().is_empty());
                say(Service::Failed(format!("it ended: {}", last.unwrap_or("it gave no reason"))));
            }
        });
    }

    fn spawn(&self, kit: &Kit, program: &Path, log: &Path) -> std::io::Result<Child> {
        if let Some(folder) = log.parent() {
            std::fs::create_dir_all(folder)?;
        }
        Command::new(program)
            .args((self.arguments)())
            .current_dir(&kit.root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(log)?)
            .spawn()
    }
}
