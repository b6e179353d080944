//! Compaction and kills: whatever change of a file is the last, a reader finds the newest value of
//! every key, and every record that is left where it was.

use std::collections::BTreeMap;

use mini_broker::broker::Input;
use mini_broker::records::{self, Builder, Codec};

use crate::batches::fetch;
use crate::by_hand::{ByHand, MemFiles};
use crate::compaction::{AT, append, bounds, keyed, read};

/// A key and a value.
type Record = (String, Option<String>);

/// All that was acknowledged, by offset.
#[derive(Default, Clone)]
struct Model(Vec<Record>);

impl Model {
    /// The newest offset of each key below an offset.
    fn newest(&self, below: usize) -> BTreeMap<&str, usize> {
        self.0[..below].iter().enumerate().map(|(at, (key, _))| (key.as_str(), at)).collect()
    }

    /// What a reader sees must be what was written, in order, and of each key the newest. Only a
    /// tombstone may be gone, with all that came before it.
    fn check(&self, broker: &mut ByHand) {
        // Also ends all jobs, so that nothing changes while we look.
        assert_eq!(bounds(broker, "t"), (0, self.0.len() as i64));
        let all = read(broker, "t", 0);
        let mut seen = BTreeMap::new();
        let mut last = -1;
        for (offset, key, value) in &all {
            assert!(*offset > last, "{offset} after {last}");
            last = *offset;
            assert_eq!(self.0[*offset as usize], (key.clone(), value.clone()), "offset {offset}");
            seen.insert(key.as_str(), *offset as usize);
        }
        for (key, newest) in self.newest(self.0.len()) {
            let is_tombstone = self.0[newest].1.is_none();
            let found = seen.get(key).copied();
            let right = found == Some(newest) || (found.is_none() && is_tombstone);
            assert!(right, "{key}: newest at {newest}, a reader finds {found:?}");
        }
        for from in 0..=self.0.len() as i64 {
            let wanted =
                all.iter().find(|(offset, ..)| *offset >= from).map(|(offset, ..)| *offset);
            assert_eq!(first_from(broker, from), wanted, "the first from {from} on");
        }
    }
}

/// The first record of a fetch. (Kafka's clients go on behind a batch of which nothing is left.)
fn first_from(broker: &mut ByHand, from: i64) -> Option<i64> {
    let mut next = from;
    loop {
        let asked = broker.send(12, fetch("t", 0, next));
        let bytes = broker.fetched_bytes(asked).unwrap().concat();
        let batch = records::batches(&bytes).next()?.unwrap();
        let records = batch.records().unwrap();
        let found = records.iter().flatten().find(|record| record.offset >= from);
        if let Some(record) = found {
            return Some(record.offset);
        }
        next = batch.header.last_offset() + 1;
    }
}

/// The index files of sealed segments are those that the log makes when it has none.
fn check_indexes(files: &MemFiles, interval_bytes: u64) {
    use offset_log_solution::{Config, MemDir, OffsetLog};
    let there = files.dir_of("t-0").files();
    let logs = there.iter().filter(|(name, _)| name.ends_with(".log"));
    let logs: BTreeMap<String, Vec<u8>> =
        logs.map(|(n, bytes)| (n.clone(), bytes.clone())).collect();
    let fresh = MemDir::holding(logs.clone());
    let config = Config { index_interval_bytes: interval_bytes, ..Config::default() };
    let (_, recovery) = OffsetLog::open(Box::new(fresh.clone()), config, 0).unwrap();
    assert_eq!(recovery.cut_bytes, 0);
    for name in logs.keys().rev().skip(1) {
        for kind in ["index", "timeindex"] {
            let name = name.replace("log", kind);
            assert_eq!(there.get(&name).cloned().unwrap_or_default(), fresh.bytes(&name), "{name}");
        }
    }
}

fn settings<'a>(
    ratio: &'a str,
    interval: &'a str,
    keys: &'a str,
    keep: &'a str,
) -> Vec<(&'a str, &'a str)> {
    vec![
        ("log.cleanup.policy", "compact"),
        ("log.segment.bytes", "1024"),
        ("log.index.interval.bytes", interval),
        ("log.cleaner.min.cleanable.ratio", ratio),
        ("log.cleaner.backoff.ms", "1000"),
        ("log.cleaner.dedupe.buffer.size", keys),
        ("log.cleaner.delete.retention.ms", keep),
    ]
}

/// Ends what is under way and lets looks come, until there is nothing more to do.
fn settle(broker: &mut ByHand) {
    // With the least memory, a pass takes the keys of one batch.
    for _ in 0..130 {
        broker.run_jobs();
        broker.pass(1_000);
    }
    broker.run_jobs();
}

/// A log of seven segments that a pass makes two of; killed after each change of a file in turn, and
/// once more while the next start tidies up.
#[test]
fn a_kill_after_any_change_of_a_file() {
    let settings = settings("0", "200", "1000000", "0");
    let mut model = Model::default();
    let prepared = || {
        let mut broker = ByHand::start(MemFiles::default(), &settings);
        broker.topic("t");
        let mut model = Model::default();
        for n in 0..24 {
            // Two keys that come again and again, and one that comes once and is large.
            let records = format!("a={n} b{} once-{n}={}", ["=x", ""][n % 2], "x".repeat(250));
            append(&mut broker, "t", keyed(Codec::ALL[n % 5], AT + n as i64, &records));
            broker.run_jobs();
            let value = |text: &str| Some(text.to_string());
            model.0.push(("a".into(), value(&n.to_string())));
            model.0.push(("b".into(), Some("x".into()).filter(|_| n % 2 == 0)));
            model.0.push((format!("once-{n}"), value(&"x".repeat(250))));
        }
        (broker, model)
    };
    let mut kills = 0;
    for changes in 0.. {
        let (mut broker, written) = prepared();
        model = written;
        broker.files.life.set(Some(changes));
        broker.pass(1_000);
        broker.run_jobs();
        let over = broker.files.life.is_over();
        let left = broker.files;
        for again in if over { 0..6 } else { 0..1 } {
            let copy = left.copy();
            copy.life.set(Some(again));
            let mut broker = ByHand::start(copy, &settings);
            let _ = broker.send(12, fetch("t", 0, 0));
            let copy = broker.files.copy();
            let mut broker = ByHand::start(copy, &settings);
            model.check(&mut broker);
            settle(&mut broker);
            check_indexes(&broker.files, 200);
            let files = broker.files.dir_of("t-0").files();
            let odd = ["cleaned", "swap", "deleted"];
            assert!(
                files.keys().all(|name| odd.iter().all(|odd| !name.contains(odd))),
                "{files:?}"
            );
            let mut broker = ByHand::start(broker.files, &settings);
            model.check(&mut broker);
            // Only the new leader's epoch is noted.
            let logs = |mut files: BTreeMap<String, Vec<u8>>| {
                files.remove("leader-epoch-checkpoint");
                files
            };
            let again = logs(broker.files.dir_of("t-0").files());
            assert_eq!(again, logs(files), "opening again changes nothing");
        }
        if !over {
            kills = changes;
            break;
        }
    }
    assert!(kills > 60, "{kills} changes");
    assert_eq!(model.0.len(), 72);
}

/// Chance writes a history of appends, passes of which jobs end when they like, and kills.
#[test]
fn any_history() {
    for seed in 0..std::env::var("SEEDS").map_or(60, |n| n.parse().unwrap()) {
        let mut random = fastrand::Rng::with_seed(seed);
        let ratio = *random.choice(&["0", "0.3", "0.6"]).unwrap();
        let interval = *random.choice(&["0", "200", "4096"]).unwrap();
        let keys = *random.choice(&["1", "20000", "1000000"]).unwrap();
        let keep = *random.choice(&["0", "3000", "86400000"]).unwrap();
        let settings = settings(ratio, interval, keys, keep);
        let mut broker = ByHand::start(MemFiles::default(), &settings);
        broker.topic("t");
        let mut model = Model::default();
        // Written when the disk died, and not acknowledged: it may be there or not.
        let mut perhaps: Vec<Record> = Vec::new();
        for step in 0..120 {
            match random.u8(..10) {
                0..5 => {
                    let codec = Codec::ALL[random.usize(..5)];
                    let mut builder = Builder::new(codec);
                    let mut records = Vec::new();
                    for _ in 0..random.usize(1..5) {
                        let key = format!("key-{}", random.u8(..12));
                        let long = "v".repeat(random.usize(..120));
                        let value = (random.u8(..4) > 0).then(|| format!("{step} {long}"));
                        let (k, v) = (key.as_bytes(), value.as_deref().map(str::as_bytes));
                        builder.push(AT + step, Some(k), v, std::iter::empty());
                        records.push((key, value));
                    }
                    let acked = append(&mut broker, "t", builder.finish().unwrap());
                    if acked.error_code.is_ok() {
                        assert_eq!(acked.base_offset as usize, model.0.len());
                        model.0.extend(records);
                    } else {
                        perhaps = records;
                    }
                }
                5..8 => {
                    if !broker.jobs.is_empty() {
                        let (call, job) = broker.jobs.remove(random.usize(..broker.jobs.len()));
                        let done = broker.files.run(job);
                        broker.input(Input::Done { call, done });
                    }
                }
                8 => broker.pass(random.u64(..2_000)),
                _ if random.u8(..3) == 0 && broker.files.life.is_endless() => {
                    model.check(&mut broker);
                }
                _ => broker.files.life.set(Some(random.u64(..40))),
            }
            if broker.files.life.is_over() {
                broker.files.life.set(None);
                if random.bool() {
                    // Killed again while it looks what the first kill has left.
                    broker.files.life.set(Some(random.u64(..8)));
                }
                broker = ByHand::start(broker.files, &settings);
                let _ = broker.send(12, fetch("t", 0, 0));
                broker.files.life.set(None);
                broker = ByHand::start(broker.files, &settings);
                if bounds(&mut broker, "t").1 as usize > model.0.len() {
                    model.0.append(&mut perhaps);
                }
                perhaps.clear();
                model.check(&mut broker);
            }
        }
        broker.files.life.set(None);
        settle(&mut broker);
        model.check(&mut broker);
        check_indexes(&broker.files, interval.parse().unwrap());
        if ratio == "0" {
            // Everything but the active segment is compacted.
            let files = broker.files.dir_of("t-0").files();
            let active =
                files.keys().rfind(|name| name.ends_with(".log")).unwrap()[..20].parse().unwrap();
            let newest = model.newest(active);
            for (offset, key, _) in read(&mut broker, "t", 0) {
                let newest = newest.get(key.as_str()).copied().unwrap_or(usize::MAX);
                assert!(
                    offset as usize >= active.min(newest),
                    "seed {seed}: {key} at {offset}, newest {newest}"
                );
            }
        }
    }
}
