//! A run: faults for a while, then everything comes back, and what is there is counted.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{self, AssertUnwindSafe};

use crate::admin::{Admin, FICKLE, LOOSE, SAFE};
use crate::clients::Does;
use crate::dice::Dice;
use crate::faults::Plan;
use crate::host::{COORDINATOR, Program};
use crate::member::Member;
use crate::planted::Planted;
use crate::producer::Producer;
use crate::reader::Reader;
use crate::world::{BROKERS, Counts, Event, World, name};

/// How long everything may take to be as it should be, once nothing goes wrong any more.
const PATIENCE_US: u64 = 120_000_000;
const LOOK_EVERY_US: u64 = 100_000;
/// How long an answer may take when nothing goes wrong.
const ANSWER_US: u64 = 20_000_000;

pub struct Run {
    pub failed: Option<String>,
    pub transcript: String,
    pub hash: u64,
    pub counts: Counts,
}

pub fn run(seed: u64, planted: Planted, transcript: bool) -> Run {
    let mut dice = Dice::new(seed);
    let plan = Plan::new(&mut dice, planted);
    let mut world = World::new(plan, dice, transcript);
    // A panic in a node is a failure like others.
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| world.run()));
    if let Err(panic) = outcome {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
        world.fail(format!("panic: {}", text.unwrap_or_default()));
    }
    let transcript = world.transcript();
    let World { failed, hash, counts, .. } = world;
    Run { failed, transcript, hash, counts }
}

impl World {
    fn run(&mut self) {
        self.people();
        let first = self.dice.between(500_000, 2_000_000);
        self.at(first, Event::Fault);
        let mut look_at = 0;
        let mut healed_us = None;
        while self.failed.is_none() && self.step() {
            if !self.healed {
                continue;
            }
            if healed_us.is_none() {
                healed_us = Some(self.now_us);
                self.end_writing();
            }
            if self.now_us < look_at {
                continue;
            }
            look_at = self.now_us + LOOK_EVERY_US;
            for host in 0..=BROKERS {
                if self.hosts[host].needs_restart && self.hosts[host].program.is_some() {
                    self.kill(host);
                }
            }
            let not_yet = self.not_yet();
            match not_yet {
                None if !self.reading => {
                    self.reading = true;
                    self.read_all();
                }
                None => return self.verdict(),
                Some(why) if self.now_us > healed_us.unwrap_or(0) + PATIENCE_US => {
                    return self.fail(format!("not whole after {PATIENCE_US} µs: {why}"));
                }
                Some(_) => {}
            }
        }
    }

    /// Who writes and who reads.
    fn people(&mut self) {
        self.add_client(Does::Administer(Admin::default()));
        let kinds = [(-1, true), (-1, false), (-1, true), (1, false), (1, true), (0, false)];
        let partitions = self.plan.partitions;
        let mut number = 0;
        for topic in [SAFE, LOOSE, FICKLE] {
            for index in 0..partitions {
                let writers = if topic == FICKLE { 1 } else { self.dice.between(1, 2) };
                for _ in 0..writers {
                    let (acks, idempotent) = *self.dice.one_of(&kinds);
                    let window = self.dice.between(1, 5) as usize;
                    let producer = Producer::new(number, topic, index, acks, idempotent, window);
                    number += 1;
                    self.add_client(Does::Produce(producer));
                }
                if topic != FICKLE {
                    self.add_client(Does::Read(Reader::new(topic, index)));
                }
            }
        }
        for number in 0..self.dice.between(2, 3) {
            let instance = self.dice.chance(250).then(|| format!("reader-{number}"));
            self.add_client(Does::Consume(Member::new(instance)));
        }
    }

    pub fn end_writing(&mut self) {
        for client in &mut self.clients {
            match &mut client.does {
                Does::Produce(producer) => producer.ends = true,
                Does::Administer(admin) => admin.ends = true,
                Does::Read(_) | Does::Consume(_) => {}
            }
        }
    }

    fn read_all(&mut self) {
        for client in &mut self.clients {
            if let Does::Read(reader) = &mut client.does {
                reader.read_all();
            }
        }
    }

    /// Why not all is as it should be.
    pub fn not_yet(&mut self) -> Option<String> {
        let Some(Program::Coordinator(coordinator)) = &self.hosts[COORDINATOR].program else {
            return Some("the coordinator does not run".into());
        };
        let cluster = coordinator.cluster();
        for host in 1..=BROKERS {
            let Some(broker) = self.hosts[host].broker() else {
                return Some(format!("{} does not run", name(host)));
            };
            if self.hosts[host].needs_restart {
                return Some(format!("{} has a disk that failed", name(host)));
            }
            let copy = broker.cluster();
            if copy.topics != cluster.topics
                || copy.brokers != cluster.brokers
                || copy.broker_settings != cluster.broker_settings
            {
                return Some(format!("{} knows another cluster", name(host)));
            }
        }
        for (topic, known) in &cluster.topics {
            for (is, index) in known.partitions.iter().zip(0..) {
                if self.is_beyond_help(topic, index) {
                    continue;
                }
                if is.leader < 0 || is.isr != is.replicas {
                    return Some(format!("{topic}-{index} is {is:?}"));
                }
                let key = (known.id, index);
                let of = |host: i32| self.checks.logs.of(host as usize, key);
                let leaders = of(is.leader);
                let start_of = |host: i32| self.log_start(host as usize, topic, index);
                let leaders_start = start_of(is.leader);
                for id in &is.replicas {
                    if start_of(*id) < leaders_start {
                        return Some(format!(
                            "broker {id}: {topic}-{index} does not start where its leader's does"
                        ));
                    }
                    let (one, other) = (of(*id), leaders);
                    let end = one.map_or(0, |log| log.end());
                    let start = one.map_or(0, |log| log.start());
                    let start = start.max(other.map_or(0, |log| log.start()));
                    let from = |log: Option<&crate::logs::Log>| {
                        let batches = log.map_or(&[][..], |log| &log.batches).iter();
                        batches.filter(|it| it.first >= start).copied().collect::<Vec<_>>()
                    };
                    if end != other.map_or(0, |log| log.end()) || from(one) != from(other) {
                        return Some(format!("broker {id} has another log of {topic}-{index}"));
                    }
                }
            }
        }
        for client in &self.clients {
            match &client.does {
                Does::Produce(Producer { topic, index, .. })
                | Does::Read(Reader { topic, index, .. })
                    if self.is_beyond_help(topic, *index) => {}
                Does::Produce(producer)
                    if !producer.is_idle() && cluster.topics.contains_key(producer.topic) =>
                {
                    return Some(format!("a producer of {} waits", producer.topic));
                }
                Does::Read(reader) if reader.last_time.as_ref().is_some_and(|last| !last.done) => {
                    return Some(format!("a reader of {}-{} reads", reader.topic, reader.index));
                }
                _ => {}
            }
        }
        if let Some(why) = self.group_not_yet() {
            return Some(why);
        }
        let late = self.now_us.saturating_sub(ANSWER_US);
        for known in self.net.connections.values() {
            let oldest =
                known.under_way.iter().find(|it| it.since_us < late && it.answer.is_none());
            if let Some(oldest) = oldest
                && known.client_open
                && known.server_open
            {
                let what = oldest.what;
                return Some(format!("{} does not answer {what}", name(known.server)));
            }
        }
        None
    }

    /// Where all of a leader's log is gone, nothing brings followers back whose logs begin later: a log does
    /// not begin earlier again.
    fn is_beyond_help(&self, topic: &str, index: i32) -> bool {
        let partition = self.checks.partition(topic, index);
        let lost = partition.is_some_and(|partition| partition.excused_from.is_some());
        lost && self.checks.deleted_before(topic, index) > 0
    }

    /// What the readers found, beside what producers were told.
    fn verdict(&mut self) {
        if let Some(why) = self.check_committed() {
            return self.fail(why);
        }
        let mut idempotent = BTreeSet::new();
        for client in &self.clients {
            if let Does::Produce(producer) = &client.does
                && producer.idempotent
            {
                idempotent.extend(producer.wrote());
            }
        }
        let mut wrong = None;
        for client in &self.clients {
            let Does::Read(Reader { topic, index, last_time: Some(last), .. }) = &client.does
            else {
                continue;
            };
            let Some(partition) = self.checks.partition(topic, *index) else { continue };
            if !last.done {
                continue; // beyond help
            }
            let there: BTreeMap<u64, u64> = last.all.iter().copied().collect();
            let mut seen = BTreeSet::new();
            for number in there.values() {
                if !seen.insert(*number) {
                    if idempotent.contains(number) {
                        wrong = Some(format!("{topic}-{index}: {number} is there twice"));
                    } else {
                        self.counts.add("doubled without idempotence", 1);
                    }
                }
            }
            let start = self.checks.deleted_before(topic, *index);
            for (kind, acknowledged) in partition.acknowledged.iter().enumerate() {
                for (offset, number) in acknowledged {
                    if *offset < start || there.get(offset) == Some(number) {
                        continue;
                    }
                    if kind == 1 {
                        self.counts.add("lost with acks=1", 1);
                    } else if partition.excused_from.is_some_and(|from| *offset >= from) {
                        self.counts.add("lost with the power", 1);
                    } else {
                        wrong = Some(format!(
                            "{topic}-{index}: {number} was acknowledged at {offset}, there is {:?}",
                            there.get(offset)
                        ));
                    }
                }
            }
            self.counts.add("records read", there.len() as u64);
        }
        if let Some(why) = wrong {
            self.fail(why);
        }
    }
}
