//! A disk that is full, torn or strange; an organ that panics. One partition suffers, others go on.

use std::io;

use mini_broker::broker::Event;
use mini_broker::labs::offset_log::{Dir, MemDir};
use wire::fetch::FetchRequest;
use wire::produce::{PartitionProduceResponse, ProduceRequest};

use crate::batches::{batch, fetch, produce};
use crate::by_hand::{ByHand, MemFiles, WALL_MS};

const AT: i64 = WALL_MS as i64;

pub fn produce_refused(broker: &mut ByHand, topic: &str) -> PartitionProduceResponse {
    let number = broker.send(9, produce(topic, 0, -1, batch(AT, &["refused?"])));
    let mut response = broker.answer::<ProduceRequest>(number).unwrap();
    response.responses.remove(0).partition_responses.remove(0)
}

fn read(broker: &mut ByHand, topic: &str) -> Vec<String> {
    let asked = broker.send(12, fetch(topic, 0, 0));
    broker.fetched(asked).unwrap().into_iter().map(|(_, value)| value).collect()
}

#[test]
fn a_full_disk_is_a_storage_error_and_is_over_when_there_is_space() {
    let mut broker = ByHand::new();
    broker.topic("orders");
    broker.append("orders", AT, &["a"]);
    let dir = broker.files.dir_of("orders-0");
    dir.set_space(Some(10));

    for _ in 0..3 {
        assert_eq!(produce_refused(&mut broker, "orders").error_code.name(), "KAFKA_STORAGE_ERROR");
    }
    assert_eq!(read(&mut broker, "orders"), ["a"]);
    dir.set_space(None);

    assert_eq!(broker.append("orders", AT, &["b"]), 1);
    let told = broker.events.iter().filter(|event| matches!(event, Event::Storage { .. })).count();
    assert_eq!(told, 1, "one sentence, not one for each request");
}

#[test]
fn a_disk_that_is_full_from_the_start_gives_the_partition_later() {
    let mut broker = ByHand::new();
    broker.topic("orders");
    let dir = broker.files.dir_of("orders-0");
    dir.set_space(Some(50));
    assert_eq!(produce_refused(&mut broker, "orders").error_code.name(), "KAFKA_STORAGE_ERROR");

    dir.set_space(None);

    assert_eq!(broker.append("orders", AT, &["a"]), 0);
    let metadata = String::from_utf8(dir.bytes("partition.metadata")).unwrap();
    assert_eq!(metadata.lines().count(), 2, "{metadata}");
}

#[test]
fn what_a_kill_has_torn_is_cut_off_at_the_next_start() {
    let mut broker = ByHand::new();
    broker.topic("orders");
    broker.append("orders", AT, &["whole"]);
    broker.append("orders", AT, &["torn"]);
    let dir = broker.files.dir_of("orders-0");
    let log = "00000000000000000000.log";
    dir.tear(log, dir.bytes(log).len() as u64 - 3);

    let mut broker = ByHand::start(broker.files, &[]);

    assert_eq!(read(&mut broker, "orders"), ["whole"]);
    assert!(broker.events.iter().any(|event| matches!(event, Event::Cut { bytes: 1.., .. })));
    assert_eq!(broker.append("orders", AT, &["next"]), 1);
}

/// A directory under whose hands an unfinished organ panics, as its `todo!` would.
struct Unfinished(MemDir);

impl Dir for Unfinished {
    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        self.0.list()
    }
    fn read_at(&self, _: &str, _: u64, _: &mut [u8]) -> io::Result<usize> {
        todo!("step 2: find the batches")
    }
    fn append(&mut self, file: &str, bytes: &[u8]) -> io::Result<()> {
        self.0.append(file, bytes)
    }
    fn truncate(&mut self, file: &str, len: u64) -> io::Result<()> {
        self.0.truncate(file, len)
    }
    fn remove(&mut self, file: &str) -> io::Result<()> {
        self.0.remove(file)
    }
}

#[test]
fn an_organ_that_panics_is_named_and_answers_with_an_error_from_then_on() {
    mini_broker::labs::install_panic_hook();
    let files = MemFiles { instead: Some(|dir| Box::new(Unfinished(dir))), ..Default::default() };
    let mut broker = ByHand::start(files, &[]);
    broker.topic("orders");
    broker.append("orders", AT, &["a"]);

    for _ in 0..2 {
        let asked = broker.send(12, FetchRequest { max_wait_ms: 500, ..fetch("orders", 0, 0) });
        let response = broker.answer::<FetchRequest>(asked).expect("an error, never a hang");
        let partition = &response.responses[0].partitions[0];
        assert_eq!(partition.error_code.name(), "UNKNOWN_SERVER_ERROR");
    }
    assert_eq!(produce_refused(&mut broker, "orders").error_code.name(), "UNKNOWN_SERVER_ERROR");

    let broken: Vec<_> = broker
        .events
        .iter()
        .filter_map(|event| match event {
            Event::OrganBroke { what, broken, .. } => Some((what.as_str(), broken)),
            _ => None,
        })
        .collect();
    let [(what, broken)] = &broken[..] else { panic!("{broken:?}") };
    assert_eq!(*what, "orders-0");
    assert_eq!(broken.message, "not yet implemented: step 2: find the batches");
    assert!(broken.place.contains("storage.rs:"), "{}", broken.place);
}
