//! The world: a queue of events in virtual time, and everything that they happen to. One seed decides
//! all of it.

use std::collections::{BTreeMap, VecDeque};

use mini_broker::broker::{Broker, Call, Config, Event as Told, Input, Output};
use mini_broker::coordinator::Coordinator;
use mini_broker::engine::peers::Line;
use wire::{Request, Response};

use crate::checks::Checks;
use crate::clients::Client;
use crate::deletions::COMINGS;
use crate::dice::Dice;
use crate::faults::{Fault, Plan};
use crate::files::SimFiles;
use crate::host::{COORDINATOR, Host, Program};
use crate::net::Net;
use crate::planted::{Memory, Planted};

pub const BROKERS: usize = 3;

pub enum Event {
    /// A node takes a turn.
    Wake {
        host: usize,
        life: u32,
    },
    JobEnd {
        host: usize,
        life: u32,
        call: Call,
    },
    Open {
        from: usize,
        life: u32,
        to: usize,
        line: Line,
        tries: u32,
    },
    ToServer {
        connection: u32,
        request: Box<Request>,
    },
    ToClient {
        connection: u32,
        number: u32,
        body: Box<Response>,
    },
    ServerGone {
        connection: u32,
    },
    ClientGone {
        connection: u32,
    },
    ClientWake {
        client: usize,
    },
    Fault,
    /// A fault that was made ends.
    Over(Fault),
    Start {
        host: usize,
        life: u32,
    },
    Sweep,
}

/// What a run went through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts(pub BTreeMap<&'static str, u64>);

impl Counts {
    pub fn add(&mut self, what: &'static str, count: u64) {
        *self.0.entry(what).or_default() += count;
    }
}

pub struct World {
    pub now_us: u64,
    order: u64,
    queue: BTreeMap<(u64, u64), Event>,
    pub dice: Dice,
    pub hosts: Vec<Host>,
    pub net: Net,
    pub clients: Vec<Client>,
    pub checks: Checks,
    pub plan: Plan,
    pub counts: Counts,
    pub memory: Memory,
    /// Nothing goes wrong any more.
    pub healed: bool,
    /// Readers read everything a last time.
    pub reading: bool,
    /// Why the run is over.
    pub failed: Option<String>,
    /// The last lines, if somebody wants to read them.
    pub transcript: Option<VecDeque<String>>,
    pub lines: u64,
    /// Of all that happened, in order.
    pub hash: u64,
}

impl World {
    pub fn new(plan: Plan, mut dice: Dice, transcript: bool) -> Self {
        let hosts = (0..=BROKERS).map(|_| Host::new(&mut dice)).collect();
        let mut world = Self {
            now_us: 0,
            order: 0,
            queue: BTreeMap::new(),
            dice,
            hosts,
            net: Net::default(),
            clients: Vec::new(),
            checks: Checks::default(),
            plan,
            counts: Counts::default(),
            memory: Memory::default(),
            healed: false,
            reading: false,
            failed: None,
            transcript: transcript.then(VecDeque::new),
            lines: 0,
            hash: 0xcbf2_9ce4_8422_2325,
        };
        (0..=BROKERS).for_each(|host| world.start(host));
        world.at(1_000_000, Event::Sweep);
        world
    }

    pub fn at(&mut self, at_us: u64, event: Event) {
        self.order += 1;
        self.queue.insert((at_us, self.order), event);
    }

    /// The next event. False: there is none.
    pub fn step(&mut self) -> bool {
        let Some(((at_us, order), event)) = self.queue.pop_first() else { return false };
        self.now_us = at_us;
        self.mix(at_us);
        self.mix(order);
        self.counts.add("steps", 1);
        self.happens(event);
        true
    }

    pub fn happens(&mut self, event: Event) {
        match event {
            Event::Wake { host, life } => {
                let known = &mut self.hosts[host];
                if known.life == life && known.wake_us == Some(self.now_us) && known.runs() {
                    known.wake_us = None;
                    self.turn(host);
                }
            }
            Event::JobEnd { host, life, call } => self.job_ends(host, life, call),
            Event::Open { from, life, to, line, tries } => self.opened(from, life, to, line, tries),
            Event::ToServer { connection, request } => self.at_server(connection, request),
            Event::ToClient { connection, number, body } => {
                self.at_client(connection, number, body);
            }
            Event::ServerGone { connection } => self.server_gone(connection),
            Event::ClientGone { connection } => self.client_gone(connection),
            Event::ClientWake { client } => self.client_wakes(client),
            Event::Fault => self.fault(),
            Event::Over(fault) => self.fault_over(fault),
            Event::Start { host, life } => {
                if self.hosts[host].life == life && self.hosts[host].program.is_none() {
                    self.start(host);
                }
            }
            Event::Sweep => {
                self.sweep();
                self.at(self.now_us + 2_000_000, Event::Sweep);
            }
        }
    }

    /// A process begins.
    pub fn start(&mut self, host: usize) {
        let seed = self.dice.number();
        let now_us = self.now_us;
        let was_off = std::mem::replace(&mut self.hosts[host].off, false);
        if was_off {
            self.machine_back(host);
        }
        let known = &mut self.hosts[host];
        known.life += 1;
        known.needs_restart = false;
        known.wake_us = None;
        known.clock.begin(now_us);
        known.disk.lock().begin_anew();
        known.disk.lock().keeps_all = self.plan.planted == Planted::TornTailKept;
        let files = Box::new(SimFiles(known.disk.clone()));
        let config = config(host, &self.plan);
        let mut out = Vec::new();
        let program = match host {
            COORDINATOR => Coordinator::new(config, files, seed)
                .map(|coordinator| Program::Coordinator(Box::new(coordinator))),
            _ => Broker::new(config, files, seed, &mut out)
                .map(|broker| Program::Broker(Box::new(broker))),
        };
        match program {
            Ok(program) => known.program = Some(program),
            // The disk may not let it start now.
            Err(error) => {
                self.note(|| format!("{}: does not start: {error}", name(host)));
                let life = self.hosts[host].life;
                if !self.plan.disk_faults {
                    self.fail(format!("{} does not start: {error}", name(host)));
                }
                return self.at(now_us + 500_000, Event::Start { host, life });
            }
        }
        known.listening = host == COORDINATOR;
        self.note(|| format!("{}: starts", name(host)));
        self.deliver(host, out);
        self.wake(host, 0);
    }

    /// The process is gone, with all that it has not written.
    pub fn stop(&mut self, host: usize, silent: bool) {
        self.look(host);
        let known = &mut self.hosts[host];
        known.life += 1;
        known.program = None;
        known.hung = false;
        known.is_told_to_stop = false;
        known.off = silent;
        known.listening = false;
        known.inbox.clear();
        known.wake_us = None;
        known.jobs.clear();
        self.checks.process_gone(host);
        self.process_gone(host, silent);
        self.look(host);
    }

    /// Something has come for a node.
    pub fn input(&mut self, host: usize, input: Input) {
        let known = &mut self.hosts[host];
        if known.program.is_none() {
            return;
        }
        known.inbox.push(input);
        let pause = match self.dice.below(50) {
            0 => self.dice.between(500, 20_000), // others want the processor, too
            _ => self.dice.between(5, 100),
        };
        self.wake(host, pause);
    }

    pub fn wake(&mut self, host: usize, after_us: u64) {
        let at_us = self.now_us + after_us;
        let known = &mut self.hosts[host];
        if known.wake_us.is_none_or(|wake| wake > at_us) {
            known.wake_us = Some(at_us);
            let life = known.life;
            self.at(at_us, Event::Wake { host, life });
        }
    }

    /// A turn, as the engine does it.
    fn turn(&mut self, host: usize) {
        let known = &mut self.hosts[host];
        let now = known.clock.now(self.now_us);
        let inputs = std::mem::take(&mut known.inbox);
        let mut out = Vec::new();
        for mut input in inputs {
            self.falsify_received(host, &mut input);
            if !input.leaves_files_alone() {
                self.deliver(host, std::mem::take(&mut out));
            }
            let Some(program) = &mut self.hosts[host].program else { return };
            program.node().handle(now, input, &mut out);
            self.look(host);
        }
        if std::mem::take(&mut self.hosts[host].is_told_to_stop)
            && let Some(program) = &mut self.hosts[host].program
        {
            program.node().begin_stop(now, &mut out);
        }
        self.deliver(host, std::mem::take(&mut out));
        let Some(program) = &mut self.hosts[host].program else { return };
        program.node().tick(now, &mut out);
        self.deliver(host, out);
        let Some(program) = &mut self.hosts[host].program else { return };
        if let Some(deadline) = program.node().deadline() {
            let after = self.hosts[host].clock.until(self.now_us, deadline);
            self.wake(host, after);
        }
        self.look(host);
    }

    fn deliver(&mut self, host: usize, out: Vec<Output>) {
        if self.hosts[host].disk.lock().dead {
            return self.dies(host);
        }
        for output in out {
            if self.failed.is_some() || self.hosts[host].program.is_none() {
                return;
            }
            let Some(output) = self.falsify_sent(host, output) else { continue };
            match output {
                Output::Answer { ticket, answer } => {
                    self.mix(u64::from(ticket.connection) << 32 | u64::from(ticket.request));
                    self.note_answer(host, &answer);
                    self.answered(host, ticket, answer);
                }
                Output::Do { call, job } => {
                    let running = self.hosts[host].disk.begin(job);
                    let life = self.hosts[host].life;
                    self.hosts[host].jobs.insert(call, running);
                    let pause = match self.dice.below(10) {
                        0 => self.dice.between(10_000, 400_000),
                        _ => self.dice.between(200, 8_000),
                    };
                    self.at(self.now_us + pause, Event::JobEnd { host, life, call });
                }
                Output::Send { call, to, request } => {
                    self.note_request(host, &to, &request);
                    self.send(host, call, &to, request);
                }
                Output::Tell(event) => self.told(host, &event),
                Output::Keyed(topics) => self.hosts[host].keyed = topics,
                Output::Ready => self.hosts[host].listening = true,
                // A process that cannot go on ends; somebody starts it again.
                Output::Stop(why) if self.plan.disk_faults && why.contains("data directory") => {
                    self.note(|| format!("{} stops: {why}", name(host)));
                    return self.kill(host);
                }
                Output::Stopped => return self.stopped(host),
                Output::Stop(why) => self.fail(format!("{} stops: {why}", name(host))),
            }
        }
    }

    fn job_ends(&mut self, host: usize, life: u32, call: Call) {
        if self.hosts[host].life != life {
            return;
        }
        let Some(running) = self.hosts[host].jobs.remove(&call) else { return };
        let job = self.transcript.is_some().then(|| format!("{:?}", running.job));
        let done = self.hosts[host].disk.end(running);
        if let Some(job) = job {
            let end = if done.is_ok() { "done" } else { "failed" };
            self.note(|| format!("{}: {end} {}", name(host), first_line(&job)));
        }
        self.input(host, Input::Done { call, done });
    }

    fn told(&mut self, host: usize, event: &Told) {
        self.note(|| format!("{}: {event:?}", name(host)));
        match event {
            Told::OrganBroke { .. } => self.fail(format!("{}: {event:?}", name(host))),
            Told::Storage { offline: true, .. } => self.hosts[host].needs_restart = true,
            Told::Truncated { .. } => self.counts.add("truncations", 1),
            Told::BegunAnew { .. } => self.counts.add("begun anew", 1),
            Told::Cut { .. } => self.counts.add("torn tails", 1),
            Told::BrokerRegistered { .. }
            | Told::BrokerFenced { .. }
            | Told::BrokerUnfenced { .. } => self.counts.add(COMINGS, 1),
            Told::LeadersReturned { partitions } => {
                self.counts.add("leaders returned", *partitions as u64);
            }
            _ => {}
        }
    }

    pub fn fail(&mut self, why: String) {
        if self.failed.is_none() {
            self.note(|| format!("FAILED: {why}"));
            self.failed = Some(why);
        }
    }
}

pub fn name(host: usize) -> String {
    match host {
        COORDINATOR => "coordinator".into(),
        broker => format!("broker {broker}"),
    }
}

fn first_line(text: &str) -> String {
    text.chars().take(120).collect()
}

fn config(host: usize, plan: &Plan) -> Config {
    let id = if host == COORDINATOR { 3000 } else { host as i32 };
    let mut config = Config::new(id, "127.0.0.1", 9000 + host as u16);
    for (name, value) in &plan.settings {
        config.set(name, value).expect("a setting of the broker");
    }
    config
}
