//! What goes wrong, and when: each run has its own mixture.

use crate::dice::Dice;
use crate::host::COORDINATOR;
use crate::planted::Planted;
use crate::world::{BROKERS, Event, World, name};

/// What ends by itself after a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Hung { host: usize, life: u32 },
    Blocked,
    Full { host: usize },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Kill,
    KillInAWrite,
    Stop,
    PowerLoss,
    PowerLossOfAll,
    Hang,
    Cut,
    Block,
    Full,
    FailingWrite,
    FailingSync,
}

pub struct Plan {
    pub settings: Vec<(String, String)>,
    pub partitions: i32,
    /// Kinds of faults, each as often as it shall come.
    kinds: Vec<Kind>,
    pub unclean: bool,
    pub deletes_records: bool,
    pub disk_faults: bool,
    /// How long there are faults, and how far apart.
    pub storm_us: u64,
    gap_us: u64,
    pub planted: Planted,
}

impl Plan {
    pub fn new(dice: &mut Dice, planted: Planted) -> Self {
        use Kind::*;
        let mut kinds = vec![Kill, Kill, KillInAWrite];
        let sometimes: [(u64, &[Kind]); 7] = [
            (400, &[Stop]),
            (400, &[PowerLoss, PowerLoss]),
            (60, &[PowerLossOfAll]),
            (500, &[Hang, Hang]),
            (600, &[Cut, Cut, Cut]),
            (500, &[Block, Block]),
            (250, &[Full, FailingWrite, FailingSync]),
        ];
        for (per_mille, more) in sometimes {
            if dice.chance(per_mille) {
                kinds.extend(more);
            }
        }
        if matches!(planted, Planted::RegistrationsNotChecked | Planted::PartitionEpochsIgnored) {
            // What only a death and a late question bring out together.
            kinds = vec![PowerLoss, PowerLoss, Kill, Hang, Hang, Block, Block];
        }
        let number = |name: &str, value: u64| (name.to_string(), value.to_string());
        let settings = vec![
            number("default.replication.factor", 3),
            number("broker.heartbeat.interval.ms", 400),
            number("broker.session.timeout.ms", 1_600),
            number("replica.lag.time.max.ms", dice.between(800, 3_000)),
            number("replica.fetch.wait.max.ms", dice.between(200, 600)),
            number("replica.fetch.backoff.ms", 150),
            number("log.flush.interval.ms", dice.between(300, 8_000)),
            number("leader.imbalance.check.interval.seconds", dice.between(1, 6)),
            number("log.index.interval.bytes", dice.between(100, 1_000)),
            number("metadata.log.max.record.bytes.between.snapshots", dice.between(1_000, 8_000)),
            number("metadata.log.segment.bytes", dice.between(1_024, 6_000)),
            number("group.min.session.timeout.ms", 100),
            number("group.initial.rebalance.delay.ms", dice.between(0, 500)),
            number("offsets.commit.timeout.ms", dice.between(500, 3_000)),
            number("offsets.topic.num.partitions", dice.between(1, 3)),
        ];
        let settings = settings.into_iter().chain(match planted {
            Planted::AnybodyElected => {
                Some(("unclean.leader.election.enable".into(), "true".into()))
            }
            _ => None,
        });
        Self {
            settings: settings.collect(),
            partitions: dice.between(1, 2) as i32,
            disk_faults: kinds.contains(&Full),
            kinds,
            unclean: dice.chance(100),
            deletes_records: dice.chance(250) || planted == Planted::StartsIgnored,
            storm_us: dice.between(6_000_000, 14_000_000),
            gap_us: dice.between(150_000, 1_500_000),
            planted,
        }
    }
}

impl Plan {
    /// Kafka's settings, but that leaders soon go back to where they are preferred; a partition to lead for each
    /// broker; and nothing that goes wrong by itself.
    pub fn quiet(dice: &mut Dice) -> Self {
        let number = |name: &str, value: u64| (name.to_string(), value.to_string());
        let settings = vec![
            number("default.replication.factor", 3),
            number("leader.imbalance.check.interval.seconds", 10),
        ];
        let plan = Self::new(dice, Planted::Nothing);
        Self { settings, partitions: BROKERS as i32, kinds: Vec::new(), ..plan }
    }
}

impl World {
    /// Something goes wrong, and something else will.
    pub fn fault(&mut self) {
        if self.now_us >= self.plan.storm_us {
            return self.heal();
        }
        let kind = *self.dice.one_of(&self.plan.kinds);
        let host = match self.dice.below(8) {
            0 => COORDINATOR,
            _ => self.dice.between(1, BROKERS as u64) as usize,
        };
        self.make(kind, host);
        let gap = self.dice.between(self.plan.gap_us / 10, 2 * self.plan.gap_us);
        self.at(self.now_us + gap, Event::Fault);
    }

    fn make(&mut self, kind: Kind, host: usize) {
        let runs = self.hosts[host].runs();
        let for_a_while = self.now_us + self.dice.between(100_000, 4_000_000);
        match kind {
            Kind::Kill if self.hosts[host].program.is_some() => self.kill(host),
            Kind::KillInAWrite if runs => {
                let (writes, torn) = (self.dice.between(1, 12) as u32, self.dice.below(1001));
                let mut disk = self.hosts[host].disk.lock();
                (disk.writes_left, disk.torn_per_mille) = (Some(writes), torn);
            }
            Kind::Stop if runs => self.stop_clean(host),
            Kind::PowerLoss if !self.hosts[host].off => self.lose_power(host),
            Kind::PowerLossOfAll => {
                self.counts.add("power losses of all", 1);
                (0..=BROKERS).for_each(|host| self.lose_power(host));
            }
            Kind::Hang if runs => {
                self.counts.add("hangs", 1);
                self.note(|| format!("{}: hangs", name(host)));
                self.hosts[host].hung = true;
                let life = self.hosts[host].life;
                self.at(for_a_while, Event::Over(Fault::Hung { host, life }));
            }
            Kind::Cut => {
                let all: Vec<u32> = self.net.connections.keys().copied().collect();
                if !all.is_empty() {
                    let connection = *self.dice.one_of(&all);
                    self.counts.add("cut connections", 1);
                    self.note(|| format!("connection {connection} is cut"));
                    self.cut(connection);
                }
            }
            Kind::Block => {
                let other = (host + self.dice.between(1, BROKERS as u64) as usize) % (BROKERS + 1);
                self.counts.add("partitions of the network", 1);
                self.note(|| format!("nothing gets from {} to {}", name(host), name(other)));
                self.block(host, other);
                self.at(for_a_while, Event::Over(Fault::Blocked));
            }
            Kind::Full => {
                self.note(|| format!("{}: its disk is full", name(host)));
                self.hosts[host].disk.lock().full = true;
                self.at(for_a_while, Event::Over(Fault::Full { host }));
            }
            Kind::FailingWrite => {
                self.note(|| format!("{}: its disk fails a write", name(host)));
                self.hosts[host].disk.lock().failing_writes = 1;
            }
            Kind::FailingSync => {
                self.note(|| format!("{}: its disk fails a sync", name(host)));
                self.hosts[host].disk.lock().failing_syncs = 1;
            }
            _ => {}
        }
    }

    fn start_later(&mut self, host: usize) {
        let pause = match self.dice.below(4) {
            0 => self.dice.between(5_000, 50_000),
            _ => self.dice.between(50_000, 3_000_000),
        };
        let life = self.hosts[host].life;
        self.at(self.now_us + pause, Event::Start { host, life });
    }

    pub fn kill(&mut self, host: usize) {
        self.counts.add("kills", 1);
        self.note(|| format!("{}: killed", name(host)));
        self.stop(host, false);
        self.start_later(host);
    }

    /// The process has died in a write.
    pub fn dies(&mut self, host: usize) {
        self.counts.add("kills", 1);
        self.counts.add("kills in a write", 1);
        self.note(|| format!("{}: killed in a write", name(host)));
        self.stop(host, false);
        self.start_later(host);
    }

    fn stop_clean(&mut self, host: usize) {
        self.note(|| format!("{}: is told to stop", name(host)));
        self.hosts[host].is_told_to_stop = true;
        self.wake(host, 100);
    }

    /// It has handed over, and ends.
    pub fn stopped(&mut self, host: usize) {
        self.counts.add("stops", 1);
        let Some(program) = &mut self.hosts[host].program else { return };
        let stopped = program.node().stop();
        self.note(|| format!("{}: stopped ({stopped:?})", name(host)));
        self.stop(host, false);
        self.start_later(host);
    }

    fn lose_power(&mut self, host: usize) {
        self.counts.add("power losses", 1);
        self.note(|| format!("{}: loses power", name(host)));
        self.stop(host, true);
        let disk = self.hosts[host].disk.clone();
        disk.lock().lose_power(&mut self.dice);
        self.power_lost(host);
        self.start_later(host);
    }

    pub fn fault_over(&mut self, fault: Fault) {
        self.note(|| format!("over: {fault:?}"));
        match fault {
            Fault::Hung { host, life } => {
                if self.hosts[host].life == life && self.hosts[host].hung {
                    self.hosts[host].hung = false;
                    self.hosts[host].wake_us = None;
                    self.wake(host, 100);
                }
            }
            Fault::Blocked => self.unblock_all(),
            Fault::Full { host } => self.hosts[host].disk.lock().full = false,
        }
    }

    /// Nothing goes wrong any more, and whoever is down comes back.
    pub fn heal(&mut self) {
        self.note(|| "from now on all goes well".into());
        self.unblock_all();
        for host in 0..=BROKERS {
            {
                let mut disk = self.hosts[host].disk.lock();
                disk.full = false;
                (disk.failing_writes, disk.failing_syncs, disk.writes_left) = (0, 0, None);
            }
            let life = self.hosts[host].life;
            self.fault_over(Fault::Hung { host, life });
            if self.hosts[host].needs_restart && self.hosts[host].program.is_some() {
                self.kill(host);
            }
            if self.hosts[host].program.is_none() {
                let life = self.hosts[host].life;
                let pause = self.dice.between(1_000, 500_000);
                self.at(self.now_us + pause, Event::Start { host, life });
            }
        }
        self.healed = true;
    }
}
