//! The engine: the one task that owns a node, broker or coordinator, and the only place with a clock.
//!
//! A turn: take what has come in, hand it to the node, deliver what it gives back, let it tick,
//! deliver again, and let others run. Slow work goes to the blocking pool and comes back as input.

mod clock;
mod events;
pub mod peers;
mod watchdog;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{self, Receiver, Sender, UnboundedSender};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use crate::disk::RealFiles;
use crate::node::{Answer, Call, Input, Job, Located, Node, Now, Output, Ticket};
use crate::numbers::Numbers;
use crate::numbers::requests::{FetchKind, Stamps};
use clock::Clock;
use peers::{Coordinator, Peers};
use watchdog::Turns;

/// Requests that may wait for the engine before connections have to.
const INBOX: usize = 1024;

/// An answer that is given at once is among so many outputs of its request.
const RECENT: usize = 8;

/// Inputs of one turn.
const TURN: usize = 256;

/// What the engine is told.
#[allow(clippy::large_enum_variant, reason = "nearly all of them are the large one")]
pub enum ToEngine {
    /// A connection is there, and takes its answers here. In boxes: the channel has room for 32 of them
    /// from the start, and there may be thousands of channels.
    Connected {
        connection: u32,
        answers: UnboundedSender<Box<Delivery>>,
    },
    Input(Input),
    /// A request whose time is taken: when it was whole, and whether it is a fetch.
    Timed(Instant, FetchKind, Input),
    /// What the node counts is wanted.
    Count(oneshot::Sender<Numbers>),
    /// Stop cleanly.
    Stop,
}

/// The topics in which every record must have a key, as connections see them.
pub type Keyed = watch::Receiver<Arc<BTreeSet<String>>>;

/// An answer on its way to its connection, with the files its slices stand in.
pub struct Delivery {
    pub request: u32,
    pub answer: Answer,
    pub files: Vec<Arc<File>>,
    /// Where its time went, if that is taken.
    pub stamps: Option<Stamps>,
}

pub struct Engine<N> {
    node: N,
    files: RealFiles,
    clock: Clock,
    inbox: Receiver<ToEngine>,
    /// For the ends of jobs.
    sender: Sender<ToEngine>,
    connections: BTreeMap<u32, UnboundedSender<Box<Delivery>>>,
    peers: Peers,
    keyed: watch::Sender<Arc<BTreeSet<String>>>,
    ready: watch::Sender<bool>,
    /// Whether the node has ended: as it was told to, or because it can do nothing any more.
    ended: Option<Result<(), String>>,
    out: Vec<Output>,
    /// Requests under way whose time is taken.
    timed: BTreeMap<Ticket, Stamps>,
    turns: Turns,
}

impl<N: Node> Engine<N> {
    /// An engine, and the way to talk to it. `name` is how the node calls itself where it is the client;
    /// `out` is what its start gave.
    pub fn new(
        node: N,
        name: String,
        files: RealFiles,
        coordinator: Coordinator,
        out: Vec<Output>,
    ) -> (Self, Sender<ToEngine>) {
        let (sender, inbox) = mpsc::channel(INBOX);
        let engine = Self {
            node,
            files,
            clock: Clock::new(),
            inbox,
            sender: sender.clone(),
            connections: BTreeMap::new(),
            peers: Peers::new(name, coordinator, sender.clone()),
            keyed: watch::Sender::default(),
            ready: watch::Sender::new(false),
            ended: None,
            out,
            timed: BTreeMap::new(),
            turns: Turns::default(),
        };
        (engine, sender)
    }

    pub fn keyed(&self) -> Keyed {
        self.keyed.subscribe()
    }

    /// Becomes true when clients may come.
    pub fn ready(&self) -> watch::Receiver<bool> {
        self.ready.subscribe()
    }

    /// Runs until it is told to stop, or can do nothing any more: the error. After a stop everything written is on the disk.
    pub async fn run(mut self) -> io::Result<()> {
        let watching = tokio::spawn(self.turns.clone().watch());
        let mut turn = Vec::with_capacity(TURN);
        self.deliver();
        loop {
            let wait = self.node.deadline().map(|at| self.clock.until(at));
            tokio::select! {
                biased;
                _ = self.inbox.recv_many(&mut turn, TURN) => {}
                () = tokio::time::sleep(wait.unwrap_or(Duration::MAX)), if wait.is_some() => {}
            }
            self.turns.count();
            let now = self.clock.now();
            for told in turn.drain(..) {
                match told {
                    ToEngine::Connected { connection, answers } => {
                        self.connections.insert(connection, answers);
                    }
                    ToEngine::Input(input) => self.handle(now, input),
                    ToEngine::Timed(received, kind, input) => {
                        self.handle_timed(now, received, kind, input);
                    }
                    ToEngine::Count(answer) => {
                        // Whoever has asked may be gone.
                        let _ = answer.send(self.node.numbers(now, &mut self.out));
                    }
                    ToEngine::Stop => self.node.begin_stop(now, &mut self.out),
                }
            }
            self.deliver();
            self.node.tick(now, &mut self.out);
            self.deliver();
            if let Some(ended) = self.ended.take() {
                watching.abort();
                return ended.map_err(io::Error::other).and_then(|()| self.node.stop());
            }
            self.turns.count();
            tokio::task::yield_now().await;
        }
    }

    fn handle(&mut self, now: Now, input: Input) {
        if let Input::Gone { connection } = &input {
            self.connections.remove(connection);
            self.timed.retain(|ticket, _| ticket.connection != *connection);
        }
        // Mostly a turn's answers leave together. But an answer names bytes of files, which are opened
        // when it is delivered: they must still be there, and be the same ones.
        if !input.leaves_files_alone() {
            self.deliver();
        }
        self.node.handle(now, input, &mut self.out);
    }

    fn handle_timed(&mut self, now: Now, received: Instant, kind: FetchKind, input: Input) {
        let Input::Request { ticket, .. } = &input else { return self.handle(now, input) };
        let ticket = *ticket;
        let begun = Instant::now();
        self.handle(now, input);
        let done = Instant::now();
        // What was answered at once has waited for nobody, though the turn goes on before the answer leaves.
        let answers =
            |output: &Output| matches!(output, Output::Answer { ticket: of, .. } if *of == ticket);
        let waits = !self.out.iter().rev().take(RECENT).any(answers);
        self.timed.insert(ticket, Stamps { kind, received, begun, done, waits, answered: done });
    }

    fn deliver(&mut self) {
        for output in std::mem::take(&mut self.out) {
            match output {
                Output::Answer { ticket, answer } => {
                    let Some(connection) = self.connections.get(&ticket.connection) else {
                        self.timed.remove(&ticket);
                        continue;
                    };
                    let (answer, files) = resolve(&self.files, answer);
                    // A connection that is closing takes no answers any more.
                    let stamps = self.timed.remove(&ticket).map(Stamps::answered);
                    let delivery = Delivery { request: ticket.request, answer, files, stamps };
                    let _ = connection.send(Box::new(delivery));
                }
                Output::Do { call, job } => self.start(call, job),
                Output::Send { call, to, request } => self.peers.send(call, to, request),
                Output::Tell(event) => events::log(&event),
                Output::Keyed(topics) => drop(self.keyed.send_replace(topics)),
                Output::Ready => drop(self.ready.send_replace(true)),
                Output::Stop(why) => self.ended = Some(Err(why)),
                Output::Stopped => self.ended = Some(Ok(())),
            }
        }
    }

    fn start(&self, call: Call, job: Job) {
        let (files, sender) = (self.files.clone(), self.sender.clone());
        tokio::spawn(async move {
            let done = tokio::task::spawn_blocking(move || files.run(job)).await;
            let done = done.unwrap_or_else(|panic| Err(io::Error::other(panic)));
            let _ = sender.send(ToEngine::Input(Input::Done { call, done })).await;
        });
    }
}

/// Opens the files of an answer's slices now: they may be deleted before the last byte is sent.
fn resolve(files: &RealFiles, answer: Answer) -> (Answer, Vec<Arc<File>>) {
    let Answer::Response { slices, .. } = &answer else { return (answer, Vec::new()) };
    let open = |slice: &Located| files.segment(&slice.dir, slice.segment);
    match slices.iter().map(open).collect() {
        Ok(open) => (answer, open),
        Err(error) => (Answer::HangUp(format!("a segment cannot be opened: {error}")), Vec::new()),
    }
}
