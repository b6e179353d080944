//! A machine with its clock, its disk, and the node that runs on it, if it does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mini_broker::broker::{Broker, Call, Input, Node, Now};
use mini_broker::coordinator::Coordinator;

use crate::dice::Dice;
use crate::disk::{Disk, Running};

/// The coordinator's place among the hosts. A broker's is its node id.
pub const COORDINATOR: usize = 0;

pub enum Program {
    Broker(Box<Broker>),
    Coordinator(Box<Coordinator>),
}

impl Program {
    pub fn node(&mut self) -> &mut dyn Node {
        match self {
            Program::Broker(broker) => &mut **broker,
            Program::Coordinator(coordinator) => &mut **coordinator,
        }
    }
}

pub struct Host {
    /// Counts processes.
    pub life: u32,
    /// `None`: no process runs.
    pub program: Option<Program>,
    /// The machine is out: nobody even says that nobody is there.
    pub off: bool,
    /// The process was stopped by a signal, and does nothing until it is let go on.
    pub hung: bool,
    pub disk: Disk,
    pub clock: Clock,
    pub inbox: Vec<Input>,
    /// When it will take what is in its inbox, or look at its timers.
    pub wake_us: Option<u64>,
    pub jobs: BTreeMap<Call, Running>,
    pub listening: bool,
    pub keyed: Arc<BTreeSet<String>>,
    pub is_told_to_stop: bool,
    /// A disk failed it, so that only a new start helps.
    pub needs_restart: bool,
}

impl Host {
    pub fn new(dice: &mut Dice) -> Self {
        Self {
            life: 0,
            program: None,
            off: false,
            hung: false,
            disk: Disk::default(),
            clock: Clock::new(dice),
            inbox: Vec::new(),
            wake_us: None,
            jobs: BTreeMap::new(),
            listening: false,
            keyed: Arc::default(),
            is_told_to_stop: false,
            needs_restart: false,
        }
    }

    pub fn runs(&self) -> bool {
        self.program.is_some() && !self.hung
    }

    pub fn broker(&self) -> Option<&Broker> {
        match &self.program {
            Some(Program::Broker(broker)) => Some(broker),
            _ => None,
        }
    }
}

/// What the engine's clock does, on a machine whose own is a little wrong.
pub struct Clock {
    /// Millionths by which it is too fast, or too slow.
    drift: i64,
    wall_offset_ms: i64,
    read_us: u64,
    mono_us: u64,
}

/// The most that waiting time moves on in one turn, as in the engine.
const MOST_A_TURN_US: u64 = 1_000_000;
/// When all of this takes place.
const WALL_MS: i64 = 1_700_000_000_000;

impl Clock {
    fn new(dice: &mut Dice) -> Self {
        Self {
            drift: dice.between(0, 20_000) as i64 - 10_000,
            wall_offset_ms: dice.between(0, 20_000) as i64 - 10_000,
            read_us: 0,
            mono_us: 0,
        }
    }

    /// A process has begun.
    pub fn begin(&mut self, at_us: u64) {
        (self.read_us, self.mono_us) = (at_us, 0);
    }

    pub fn now(&mut self, at_us: u64) -> Now {
        let passed = (at_us - self.read_us) as i64;
        self.mono_us += ((passed + passed * self.drift / 1_000_000) as u64).min(MOST_A_TURN_US);
        self.read_us = at_us;
        let wall_ms = WALL_MS + self.wall_offset_ms + (at_us / 1000) as i64;
        Now { mono_ms: self.mono_us / 1000, wall_ms: wall_ms as u64 }
    }

    /// How long to sleep for a deadline, in µs.
    pub fn until(&self, at_us: u64, mono_ms: u64) -> u64 {
        let reached = self.mono_us + (at_us - self.read_us);
        let left = (mono_ms * 1000).saturating_sub(reached);
        // A clock that is slow is not there yet.
        (left + left / 50 + 1).min(MOST_A_TURN_US)
    }
}
