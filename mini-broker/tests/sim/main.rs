//! The same broker and the same coordinator, one coordinator and three brokers, in a world where time,
//! network, disks and chance are ours. One seed decides everything that happens; after every step it is
//! checked that nothing is lost that must not be.
//!
//! `SIM_SEEDS=1000 cargo test -p mini-broker --test sim` runs so many seeds, and
//! `SIM_SEED=123 cargo test -p mini-broker --test sim -- one --nocapture` prints what happens in one.

mod dice; // chance, from the seed

mod world; // the queue of events, and turns

mod host; // a machine, its clock and its process

mod disk;
mod files; // the disk as a node sees it

mod net; // connections between machines

mod ends; // how they end

mod faults; // what goes wrong

// Who uses the cluster.
mod admin;
mod clients;
mod member;
mod producer;
mod reader;

mod checks; // what must hold after every step

mod group_checks; // of a group, too

mod decided; // what the coordinator decides, and producers are told

mod deletions; // and what an administrator is told

mod logs; // what lies on the disks, as far as checks need it

mod planted; // bugs on purpose, each of which must be found

mod told; // lines of the transcript

mod idle; // what nodes say when nobody wants anything

mod run; // a run, from its seed to its verdict

use run::{Run, run};

/// Seeds that plain `cargo test` runs.
const SEEDS: u64 = 100;

/// Seeds in which a bug on purpose has to be found.
const PLANTED: u64 = 60;

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn seeds() {
    let first = from_environment("SIM_FIRST").unwrap_or(1);
    let count = from_environment("SIM_SEEDS").unwrap_or(SEEDS);
    let mut counts = world::Counts::default();
    let mut failed = Vec::new();
    for seed in first..first + count {
        let run = run(seed, planted::Planted::Nothing, false);
        for (what, count) in run.counts.0 {
            counts.add(what, count);
        }
        if let Some(why) = run.failed {
            eprintln!("seed {seed}: {why}");
            failed.push(seed);
            if failed.len() == 10 {
                break;
            }
        }
    }
    println!("{count} seeds from {first} on: {counts:?}");
    if let Some(seed) = failed.first() {
        let Run { transcript, .. } = run(*seed, planted::Planted::Nothing, true);
        panic!(
            "{transcript}\nfailed: {failed:?}\nSIM_SEED={seed} cargo test -p mini-broker --test sim -- one \
             --nocapture"
        );
    }
}

/// One seed, told line by line.
#[test]
fn one() {
    let seed = from_environment("SIM_SEED").unwrap_or(1);
    let run = run(seed, planted::Planted::Nothing, true);
    println!("{}{:?}", run.transcript, run.counts);
    assert_eq!(run.failed, None, "seed {seed}");
}

/// Each bug on purpose is found, and this says in how many seeds.
#[test]
fn planted_bugs_are_found() {
    let most = from_environment("SIM_PLANTED").unwrap_or(PLANTED);
    let only = std::env::var("SIM_BUG").ok();
    let mut missed = Vec::new();
    let bugs: Vec<_> = match only {
        None => planted::ALL.to_vec(),
        Some(only) => {
            let all = planted::ALL.iter().chain(&planted::RARE).copied();
            all.filter(|bug| format!("{bug:?}") == only).collect()
        }
    };
    for bug in bugs {
        let found = (1..=most).find_map(|seed| Some((seed, run(seed, bug, false).failed?)));
        match found {
            Some((seed, why)) => {
                println!("{bug:?}: {seed} seeds: {}", why.chars().take(150).collect::<String>());
            }
            None => missed.push(bug),
        }
    }
    assert!(missed.is_empty(), "not found in {most} seeds: {missed:?}");
}

#[test]
fn the_same_seed_gives_the_same_transcript() {
    for seed in [3, 4] {
        let (one, other) = (
            run(seed, planted::Planted::Nothing, true),
            run(seed, planted::Planted::Nothing, true),
        );
        assert_eq!((one.hash, one.transcript), (other.hash, other.transcript), "seed {seed}");
    }
}
