//! A cluster of which nobody wants anything: each node asks others as often as its settings say, and no more.
//! Two followers' fetches that end each other, a leader that answers what should wait, or a question that is
//! asked again at once when it was refused would not be wrong, only never at rest.

use std::collections::BTreeMap;

use crate::admin::{Admin, FICKLE, LOOSE, SAFE};
use crate::clients::Does;
use crate::dice::Dice;
use crate::faults::Plan;
use crate::producer::Producer;
use crate::world::{BROKERS, World};

/// How long it is looked at.
const IDLE_MS: u64 = 60_000;

/// How often each of these is sent, as Kafka's settings have it: `broker.heartbeat.interval.ms`, the wait of
/// a fetch for the metadata log, `replica.fetch.wait.max.ms`.
const HEARTBEAT_MS: u64 = 2_000;
const METADATA_WAIT_MS: u64 = 5_000;
const FETCH_WAIT_MS: u64 = 500;

/// Each broker tells the coordinator that it lives, and reads the metadata log; and fetches from each of the
/// other two, if they lead. Nothing of it may begin early, so these are the most, and one more each at the
/// beginning.
const MOST_HEARTBEATS: u64 = BROKERS as u64 * (IDLE_MS / HEARTBEAT_MS + 1);
const MOST_FETCHES: u64 = BROKERS as u64 * (IDLE_MS / METADATA_WAIT_MS + 1)
    + (BROKERS * (BROKERS - 1)) as u64 * (IDLE_MS / FETCH_WAIT_MS + 1);

impl World {
    fn run_for(&mut self, ms: u64) {
        let end_us = self.now_us + 1000 * ms;
        while self.now_us < end_us && self.failed.is_none() && self.step() {}
        assert_eq!(self.failed, None);
    }

    /// What nodes send to each other from now on.
    fn sent_in(&mut self, ms: u64) -> BTreeMap<&'static str, u64> {
        self.net.sent.clear();
        self.run_for(ms);
        std::mem::take(&mut self.net.sent)
    }
}

/// Topics that have some records, and all leaders where they are preferred. `trouble` happens before that.
fn at_rest(seed: u64, trouble: impl Fn(&mut World)) -> World {
    let mut dice = Dice::new(seed);
    let plan = Plan::quiet(&mut dice);
    let mut world = World::new(plan, dice, false);
    let mut admin = Admin::default();
    admin.ends = true; // it makes the topics, and nothing else
    world.add_client(Does::Administer(admin));
    for (topic, number) in [SAFE, LOOSE, FICKLE].into_iter().zip(0..) {
        world.add_client(Does::Produce(Producer::new(number, topic, 0, -1, true, 2)));
    }
    world.run_for(5_000);
    trouble(&mut world);
    world.run_for(5_000);
    world.end_writing();
    world.run_for(25_000);
    assert_eq!(world.not_yet(), None, "seed {seed}");
    world
}

fn check(mut world: World, seed: u64) {
    let sent = world.sent_in(IDLE_MS);
    let of = |name| sent.get(name).copied().unwrap_or(0);
    let (heartbeats, fetches) = (of("BrokerHeartbeat"), of("Fetch"));
    assert!((MOST_HEARTBEATS / 2..=MOST_HEARTBEATS).contains(&heartbeats), "seed {seed}: {sent:?}");
    assert!((MOST_FETCHES / 2..=MOST_FETCHES).contains(&fetches), "seed {seed}: {sent:?}");
    assert_eq!(sent.len(), 2, "seed {seed}: and nothing else, but {sent:?}");
}

#[test]
fn an_idle_cluster_sends_no_more_than_its_settings_say() {
    for seed in 1..=3 {
        check(at_rest(seed, |_| ()), seed);
    }
}

#[test]
fn a_cluster_is_idle_again_after_a_death() {
    for seed in 1..=3 {
        let dies = |world: &mut World| world.kill(1 + seed as usize % BROKERS);
        check(at_rest(seed, dies), seed);
    }
}

#[test]
fn a_cluster_is_idle_again_after_records_were_deleted() {
    let deletes = |world: &mut World| {
        let leader = (1..=BROKERS).find(|host| {
            let mut all = world.hosts[*host].broker().into_iter().flat_map(|it| it.partitions());
            all.any(|it| it.topic == SAFE && it.index == 0 && it.leads)
        });
        let leader = leader.expect("somebody leads it");
        let (_, request) = world.begin_deletion(SAFE, 3, leader);
        world.ask(0, leader, request.into());
    };
    let world = at_rest(1, deletes);
    let starts = (1..=BROKERS).map(|host| world.log_start(host, SAFE, 0));
    assert!(starts.eq([Some(3); BROKERS]));
    check(world, 1);
}
