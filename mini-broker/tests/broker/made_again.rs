//! A topic that is deleted, and one of the same name that is made after it: whatever a kill leaves
//! between the two, the new one starts empty and stays its own.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use mini_broker::broker::{Event, Job};
use tempfile::TempDir;
use uuid::Uuid;
use wire::ErrorCode;
use wire::delete_records::{DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic};
use wire::fetch::FetchRequest;
use wire::metadata::MetadataRequest;
use wire::topics::{CreateTopicsRequest, DeleteTopicsRequest};

use crate::batches::{batch, fetch, produce};
use crate::by_hand::{ByHand, MemFiles, WALL_MS};
use crate::process::{Connection, Server, metadata};
use crate::topics::wanted;

const AT: i64 = WALL_MS as i64;
const FIRST: &str = "00000000000000000000.log";
const STARTS: &str = "log-start-offset-checkpoint";
const POINTS: &str = "recovery-point-offset-checkpoint";

fn create(name: &str) -> CreateTopicsRequest {
    CreateTopicsRequest { topics: vec![wanted(name)], ..Default::default() }
}

fn delete(name: &str) -> DeleteTopicsRequest {
    DeleteTopicsRequest { topic_names: vec![name.into()], ..Default::default() }
}

fn delete_before(offset: i64) -> DeleteRecordsRequest {
    let partitions = vec![DeleteRecordsPartition { partition_index: 0, offset }];
    let topics = vec![DeleteRecordsTopic { name: "orders".into(), partitions }];
    DeleteRecordsRequest { topics, timeout_ms: 1000 }
}

/// The topic's id, if there is one, and where its log starts and what is in it.
fn look(broker: &mut ByHand) -> Option<(Uuid, i64, Vec<String>)> {
    let request = MetadataRequest { allow_auto_topic_creation: false, ..metadata(&["orders"]) };
    let topic = broker.ask(12, request).topics.remove(0);
    if topic.error_code == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION {
        return None;
    }
    let asked = broker.send(12, fetch("orders", 0, i64::MAX));
    let told = broker.answer::<FetchRequest>(asked).unwrap().responses.remove(0);
    let log_start = told.partitions[0].log_start_offset;
    let asked = broker.send(12, fetch("orders", 0, log_start));
    let values = broker.fetched(asked).unwrap();
    let values = values.into_iter().filter(|(offset, _)| *offset >= log_start);
    Some((topic.topic_id, log_start, values.map(|(_, value)| value).collect()))
}

/// A topic with three records, synced, the first two deleted, all of it noted in the checkpoints.
fn old_topic() -> ByHand {
    let mut broker = ByHand::new();
    broker.ask(7, create("orders"));
    broker.append("orders", AT, &["old 0", "old 1", "old 2"]);
    broker.ask(2, delete_before(2));
    broker.pass(60_000);
    broker.run_jobs();
    broker.pass(5_000);
    broker.run_jobs();
    let texts = broker.files.texts.lock().unwrap();
    assert!(texts[STARTS].ends_with("orders 0 2\n") && texts[POINTS].ends_with("orders 0 3\n"));
    drop(texts);
    broker
}

/// Deleted, made again and written to, with a kill after every single step: each request, each job,
/// and each write of a job that nobody heard the end of.
#[test]
fn a_kill_anywhere_between_leaves_one_topic_or_the_other() {
    let mut broker = old_topic();
    let (old, start, values) = look(&mut broker).unwrap();
    assert_eq!((start, values), (2, vec!["old 2".to_string()]));
    let mut seen = [0; 4];
    let mut check = |files: &MemFiles, step: &str| {
        // Twice: the second start must not know less, or more, than the first.
        let mut again = ByHand::start(files.copy(), &[]);
        let first = look(&mut again);
        again.run_jobs();
        let mut again = ByHand::start(again.files.copy(), &[]);
        let second = look(&mut again);
        assert_eq!(first, second, "{step}");
        match first {
            None => seen[0] += 1,
            Some((id, 2, values)) if id == old => {
                assert_eq!(values, ["old 2"], "{step}");
                seen[1] += 1;
            }
            Some((id, start, values)) => {
                assert_ne!(id, old, "{step}");
                assert_eq!(start, 0, "{step}");
                let whole = values == ["new 0", "new 1"];
                assert!(values.is_empty() || whole, "{step}: {values:?}");
                seen[if whole { 3 } else { 2 }] += 1;
                if !whole {
                    assert_eq!(again.append("orders", AT, &["new 0"]), 0, "{step}");
                }
            }
        }
    };
    check(&broker.files, "nothing has happened yet");
    broker.send(5, delete("orders"));
    check(&broker.files, "the deletion is decided");
    broker.send(7, create("orders"));
    check(&broker.files, "the new topic is decided");
    let mut step = 0;
    while broker.run_job() {
        step += 1;
        check(&broker.files, &format!("job {step} before the append"));
    }
    assert_eq!(broker.append("orders", AT, &["new 0", "new 1"]), 0);
    check(&broker.files, "appended");
    for pass in [5_000, 60_000, 5_000] {
        broker.pass(pass);
        while broker.run_job() {
            step += 1;
            check(&broker.files, &format!("job {step}"));
        }
    }
    assert!(seen.iter().all(|count| *count > 0), "every case was met: {seen:?}");
    assert!(step > 5, "{step}");
    let names: Vec<String> = broker.files.dirs.lock().unwrap().keys().cloned().collect();
    assert_eq!(names, ["orders-0"], "nothing is left of the old one");
    let texts = broker.files.texts.lock().unwrap();
    assert!(!texts[STARTS].contains("orders"), "{}", texts[STARTS]);
    assert!(texts[POINTS].ends_with("orders 0 2\n"), "{}", texts[POINTS]);
}

/// The old lines are still in the checkpoints when the new topic's records are written and the kill
/// comes. They must not be believed: below the old recovery point the new log may be torn.
#[test]
fn the_lines_of_an_old_topic_are_not_the_new_ones() {
    let mut broker = old_topic();
    let lines = broker.files.texts.lock().unwrap().clone();
    broker.ask(5, delete("orders"));
    broker.ask(7, create("orders"));
    broker.append("orders", AT, &["new 0"]);
    broker.append("orders", AT, &["new 1"]);
    let files = broker.files.copy();
    *files.texts.lock().unwrap() = lines;
    let dir = files.dir_of("orders-0");
    dir.tear(FIRST, dir.bytes(FIRST).len() as u64 - 1);

    let mut broker = ByHand::start(files, &[]);

    let (_, start, values) = look(&mut broker).unwrap();
    assert_eq!((start, values), (0, vec!["new 0".to_string()]));
    assert_eq!(broker.append("orders", AT, &["new 1"]), 1);
    // A checkpoint that is written now speaks of the new topic.
    broker.pass(60_000);
    broker.run_jobs();
    broker.pass(5_000);
    broker.run_jobs();
    let texts = broker.files.texts.lock().unwrap();
    assert!(texts[POINTS].ends_with("orders 0 2\n"), "{}", texts[POINTS]);
}

#[test]
fn a_stale_directory_that_comes_back_is_set_aside_and_told() {
    let mut broker = old_topic();
    let stale = broker.files.dir_of("orders-0").files();
    broker.ask(5, delete("orders"));
    broker.ask(7, create("orders"));
    broker.append("orders", AT, &["new 0"]);
    broker.run_jobs();
    let files = broker.files.copy();
    let dir = files.dir_of("orders-0");
    dir.files().keys().for_each(|name| dir.lose(name));
    stale.into_iter().for_each(|(name, bytes)| dir.put(&name, bytes));

    let mut broker = ByHand::start(files, &[]);

    assert_eq!(look(&mut broker).unwrap().2, Vec::<String>::new());
    assert_eq!(broker.events, [Event::Stray { dir: "orders-0.0-stray".into() }]);
    assert_eq!(broker.append("orders", AT, &["newer"]), 0);
    // The next start knows whose it was: a topic's that was deleted.
    let broker = ByHand::start(broker.files, &[]);
    let removed = "orders-0.0-stray.0-delete";
    assert!(matches!(&broker.jobs[..], [(_, Job::Remove { dir })] if dir == removed));
}

/// It may come back while the broker runs, or could not be renamed when its topic was deleted.
#[test]
fn a_directory_that_is_in_the_way_of_the_first_record_is_set_aside() {
    let mut broker = old_topic();
    let stale = broker.files.dir_of("orders-0").files();
    broker.ask(5, delete("orders"));
    broker.ask(7, create("orders"));
    broker.run_jobs();
    let dir = broker.files.dir_of("orders-0");
    stale.into_iter().for_each(|(name, bytes)| dir.put(&name, bytes));

    assert_eq!(broker.append("orders", AT, &["new 0"]), 0);

    assert_eq!(look(&mut broker).unwrap().2, ["new 0"]);
    let mut broker = ByHand::start(broker.files, &[]);
    assert_eq!(look(&mut broker).unwrap().2, ["new 0"]);
}

/// Power was lost before anything was synced: nobody can say whose records those are.
#[test]
fn records_without_an_id_are_nobodys_and_a_directory_without_records_is_whoevers() {
    let mut broker = old_topic();
    let files = broker.files.copy();
    files.dir_of("orders-0").lose("partition.metadata");
    let mut restarted = ByHand::start(files, &[]);
    assert_eq!(look(&mut restarted).unwrap().2, Vec::<String>::new());
    assert_eq!(restarted.events, [Event::Stray { dir: "orders-0.0-stray".into() }]);
    let kept = restarted.files.dir_of("orders-0.0-stray").bytes(FIRST);
    assert_eq!(kept, broker.files.dir_of("orders-0").bytes(FIRST), "kept for whoever knows more");

    broker.ask(7, create("empty"));
    broker.files.dir_of("empty-0").put("partition.metadata", Vec::new());
    assert_eq!(broker.append("empty", AT, &["a"]), 0);
    assert!(!broker.events.iter().any(|event| matches!(event, Event::Stray { .. })));
}

#[test]
fn who_writes_and_who_waits_learn_that_the_topic_is_gone_and_nothing_of_it_stays() {
    let mut broker = old_topic();
    let asked = broker.send(12, FetchRequest { max_wait_ms: 500, ..fetch("orders", 0, 3) });
    broker.send(9, produce("orders", 0, -1, batch(AT, &["dirty"])));
    let asked_2 = broker.send(12, FetchRequest { max_wait_ms: 500, ..fetch("orders", 0, 4) });
    assert!(broker.answers.contains_key(&asked));
    broker.ask(5, delete("orders"));
    broker.pass(0);

    let told = broker.answer::<FetchRequest>(asked_2).unwrap().responses.remove(0);
    assert_eq!(told.partitions[0].error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    let refused = crate::storage::produce_refused(&mut broker, "orders");
    assert_eq!(refused.error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    broker.run_jobs();
    broker.pass(5_000);
    broker.run_jobs();
    assert_eq!(broker.deadline(), None, "no timer is left");
    assert!(broker.files.dirs.lock().unwrap().is_empty());
    let texts = broker.files.texts.lock().unwrap();
    assert!(!texts[STARTS].contains("orders") && !texts[POINTS].contains("orders"));
}

/// A process that is killed at any moment while a topic is deleted, made again and written to, over and
/// over. Whatever is there at the next start is of one topic only, the last or the one before.
#[test]
#[allow(clippy::disallowed_methods, reason = "a broker as a process takes its time")]
fn a_killed_process_never_mixes_one_topic_with_the_next() {
    let data = TempDir::new().unwrap();
    let mut random = fastrand::Rng::with_seed(5);
    let (mut round, mut met) = (0, 0);
    for _ in 0..12 {
        let server = Server::start(data.path());
        let mut client = server.connect();
        client.topic("orders");
        let told = client.ask(12, fetch("orders", 0, i64::MAX)).responses.remove(0);
        let start = told.partitions[0].log_start_offset;
        assert!((0..=1).contains(&start), "{start}");
        let read = client.read("orders", start);
        if let Some((_, first)) = read.first() {
            let one =
                read.iter().zip(start..).all(|((offset, it), at)| *offset == at && it == first);
            assert!(one, "{read:?}");
            let of: u64 = first.parse().unwrap();
            assert!(of == round || of + 1 == round, "{of} in round {round}");
            met += 1;
        }
        let (client, delay) = (server.connect(), random.u64(10..60));
        round = thread::scope(|scope| {
            let worker = scope.spawn(move || work_until_killed(client, round));
            thread::sleep(Duration::from_millis(delay));
            server.kill();
            worker.join().unwrap()
        });
    }
    assert!(met > 3, "{met}");
}

/// Rounds of a topic's life, each with its number in every record; gives the last one begun.
fn work_until_killed(mut client: Connection, mut round: u64) -> u64 {
    let mut live = |round: u64| -> io::Result<()> {
        client.try_ask(5, delete("orders"))?;
        client.try_ask(7, create("orders"))?;
        for _ in 0..100 {
            let value = round.to_string();
            client.try_ask(9, produce("orders", 0, -1, batch(AT, &[&value])))?;
        }
        // So that there is a line for it.
        client.try_ask(2, delete_before(1))?;
        Ok(())
    };
    loop {
        round += 1;
        if live(round).is_err() {
            return round;
        }
    }
}

/// Over real sockets: twenty at once ask for the same name, again and again, while it is deleted,
/// written and read. One of them gets it each time.
#[test]
#[allow(clippy::disallowed_methods, reason = "a broker as a process takes its time")]
fn twenty_clients_ask_for_the_same_name_while_it_comes_and_goes() {
    let data = TempDir::new().unwrap();
    let server = Server::start(data.path());
    let address = &server.address;
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let busy = |work: fn(&mut Connection)| {
            let stop = &stop;
            scope.spawn(move || {
                let mut client = Connection::new(address);
                while !stop.load(Ordering::Relaxed) {
                    work(&mut client);
                }
            });
        };
        for _ in 0..2 {
            busy(|client| {
                let told = client.produce("contested", -1, batch(AT, &["x"])).error_code;
                let known = [ErrorCode::NONE, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION];
                assert!(known.contains(&told), "{told}");
            });
            busy(|client| {
                let request = FetchRequest { max_wait_ms: 20, ..fetch("contested", 0, 0) };
                let told = client.ask(12, request).responses[0].partitions[0].error_code;
                let known = [ErrorCode::NONE, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION];
                assert!(known.contains(&told), "{told}");
            });
        }
        for _ in 0..5 {
            let asked: Vec<_> = (0..20)
                .map(|_| {
                    scope.spawn(move || {
                        let mut client = Connection::new(address);
                        client.ask(7, create("contested")).topics.remove(0).error_code
                    })
                })
                .collect();
            let told: Vec<ErrorCode> = asked.into_iter().map(|it| it.join().unwrap()).collect();
            let made = told.iter().filter(|code| code.is_ok()).count();
            let there = told.iter().filter(|it| **it == ErrorCode::TOPIC_ALREADY_EXISTS).count();
            assert_eq!((made, there), (1, 19), "{told:?}");
            thread::sleep(Duration::from_millis(20));
            let mut client = Connection::new(address);
            let told = client.ask(5, delete("contested")).responses.remove(0);
            assert_eq!(told.error_code, ErrorCode::NONE);
        }
        stop.store(true, Ordering::Relaxed);
    });
    let mut left: Vec<String> = Vec::new();
    for _ in 0..100 {
        let dirs = std::fs::read_dir(data.path()).unwrap().map(|it| it.unwrap().file_name());
        left = dirs.filter_map(|name| name.into_string().ok()).collect();
        left.retain(|name| name.starts_with("contested"));
        if left.is_empty() {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(left, Vec::<String>::new());
    crate::process::still_serves(&server);
}
