//! What brokers and coordinator count, by the names that operators know.

use mini_broker::broker::{Broker, Node, Now, Output};
use mini_broker::coordinator::Coordinator;
use mini_broker::numbers::names::*;
use mini_broker::numbers::{Metric, Numbers, Value};
use wire::ErrorCode;
use wire::fetch::{FetchRequest, PartitionData};

use crate::batches::{batch, fetch, produce};
use crate::by_hand::others::Follower;
use crate::by_hand::{ByHand, MemFiles, WALL_MS};
use crate::coordinator::Driven;

const AT: i64 = WALL_MS as i64;

/// The value without labels, or with just a topic.
fn number(numbers: &Numbers, metric: &'static Metric, topic: Option<&str>) -> Option<f64> {
    let wanted: Vec<(&str, String)> =
        topic.map(|topic| ("topic", topic.into())).into_iter().collect();
    let values = numbers.0.get(metric)?;
    values.iter().find_map(|(labels, value)| match value {
        Value::Number(number) if *labels == wanted => Some(*number),
        _ => None,
    })
}

impl ByHand {
    fn counts(&mut self) -> Numbers {
        let (now, mut out) = (self.now, Vec::new());
        let numbers = Broker::numbers(&mut self.broker, now, &mut out);
        assert_eq!(out, Vec::<Output>::new(), "to count changes nothing");
        numbers
    }

    fn count(&mut self, metric: &'static Metric, topic: Option<&str>) -> f64 {
        number(&self.counts(), metric, topic).unwrap_or_else(|| panic!("no {}", metric.name))
    }

    fn coordinator_counts(&mut self, metric: &'static Metric) -> f64 {
        let (now, mut out) = (self.now, Vec::new());
        let numbers = Coordinator::numbers(&mut self.coordinator, now, &mut out);
        number(&numbers, metric, None).unwrap_or_else(|| panic!("no {}", metric.name))
    }
}

#[test]
fn what_producers_bring_and_consumers_take() {
    let mut broker = ByHand::start(MemFiles::default(), &[("message.max.bytes", "500")]);
    broker.topic("orders");
    broker.topic("plans");
    let bytes = batch(AT, &["a", "b", "c"]).len() as f64;
    broker.append("orders", AT, &["a", "b", "c"]);
    broker.append("orders", AT, &["d"]);
    broker.append("plans", AT, &["e"]);
    let orders = Some("orders");
    assert_eq!(broker.count(&MESSAGES_IN, orders), 4.0);
    assert_eq!(broker.count(&MESSAGES_IN, None), 5.0);
    assert!(broker.count(&BYTES_IN, orders) > bytes);

    let number = broker.send(12, fetch("orders", 0, 0));
    assert_eq!(broker.fetched(number).unwrap().len(), 4);
    assert_eq!(broker.count(&BYTES_OUT, orders), broker.count(&BYTES_IN, orders));
    assert_eq!(broker.count(&FETCH_REQUESTS, orders), 1.0);
    assert_eq!(broker.count(&REPLICATION_OUT, None), 0.0);

    // One that waits counts once, and its bytes when they leave.
    let waits = FetchRequest { max_wait_ms: 500, min_bytes: 1, ..fetch("plans", 0, 1) };
    let number = broker.send(12, waits);
    assert_eq!(broker.count(&BYTES_OUT, Some("plans")), 0.0);
    broker.append("plans", AT, &["f"]);
    assert_eq!(broker.fetched(number).unwrap().len(), 1);
    let one = batch(AT, &["f"]).len() as f64;
    assert_eq!(broker.count(&BYTES_OUT, Some("plans")), one);
    assert_eq!(broker.count(&FETCH_REQUESTS, Some("plans")), 1.0);

    // Too large is rejected, and no failure of the broker; nor is a topic that nobody knows.
    let long = "x".repeat(600);
    let large = batch(AT, &[&long]);
    let size = large.len() as f64;
    let told = broker.ask(9, produce("orders", 0, 1, large));
    assert_eq!(told.responses[0].partition_responses[0].error_code, ErrorCode::MESSAGE_TOO_LARGE);
    broker.ask(9, produce("nowhere", 0, 1, batch(AT, &["g"])));
    assert_eq!(broker.count(&BYTES_REJECTED, orders), size);
    assert_eq!(broker.count(&FAILED_PRODUCE, None), 0.0);
    // Wrong acks are not what a client is told every day.
    broker.ask(9, produce("orders", 0, 7, batch(AT, &["g"])));
    assert_eq!(broker.count(&FAILED_PRODUCE, orders), 1.0);
    assert_eq!(broker.count(&PRODUCE_REQUESTS, orders), 4.0);
    assert_eq!(broker.count(&PRODUCE_REQUESTS, None), 7.0);
    assert_eq!(broker.count(&MESSAGES_IN, orders), 4.0);
}

#[test]
fn a_topic_takes_its_numbers_along_and_the_broker_keeps_its_own() {
    let mut broker = ByHand::new();
    broker.topic("orders");
    broker.append("orders", AT, &["a"]);
    let names = vec!["orders".to_owned()];
    broker.ask(3, wire::topics::DeleteTopicsRequest { topic_names: names, timeout_ms: 1000 });
    broker.run_jobs();
    assert_eq!(number(&broker.counts(), &MESSAGES_IN, Some("orders")), None);
    assert_eq!(broker.count(&MESSAGES_IN, None), 1.0);
    broker.topic("orders");
    broker.append("orders", AT, &["a", "b"]);
    assert_eq!(broker.count(&MESSAGES_IN, Some("orders")), 2.0);
    assert_eq!(broker.count(&MESSAGES_IN, None), 3.0);
}

#[test]
fn logs_tell_where_they_start_and_end_and_are_not_opened_for_it() {
    let mut broker = ByHand::new();
    broker.topic("orders");
    broker.append("orders", AT, &["a", "b"]);
    let end = |numbers: &Numbers| numbers.0.get(&LOG_END).map(|values| values[0].1.clone());
    assert_eq!(end(&broker.counts()), Some(Value::Number(2.0)));
    assert_eq!(broker.counts().0[&LOG_SEGMENTS][0].1, Value::Number(1.0));
    let size = batch(AT, &["a", "b"]).len() as f64;
    assert_eq!(broker.counts().0[&LOG_SIZE][0].1, Value::Number(size));

    let mut broker = ByHand::start(broker.files, &[]);
    let dir = broker.files.dir_of("orders-0");
    let read = dir.bytes_read("00000000000000000000.log");
    assert_eq!(end(&broker.counts()), None, "nobody has asked for it yet");
    assert_eq!(dir.bytes_read("00000000000000000000.log"), read);
}

#[test]
fn in_sync_sets_shrink_and_expand_and_leaders_are_elected() {
    let settings = [("min.insync.replicas", "2"), ("replica.lag.time.max.ms", "1000")];
    let mut broker = ByHand::start(MemFiles::default(), &settings);
    broker.comes(2);
    broker.topic_on("orders", &[1, 2]);
    assert_eq!(broker.count(&LEADERS, None), 1.0);
    assert_eq!(broker.count(&AT_MIN_ISR, None), 1.0);
    assert_eq!(broker.count(&UNDER_REPLICATED, None), 0.0);

    // It does not fetch what there is for too long.
    broker.append_here("orders", AT, &["a"]);
    broker.pass(2000);
    broker.run_jobs();
    assert_eq!((broker.count(&ISR_SHRINKS, None), broker.count(&ISR_EXPANDS, None)), (1.0, 0.0));
    assert_eq!(broker.count(&UNDER_REPLICATED, None), 1.0);
    assert_eq!((broker.count(&UNDER_MIN_ISR, None), broker.count(&AT_MIN_ISR, None)), (1.0, 0.0));

    let caught_up = Follower { id: 2, leader_epoch: 0, last_epoch: 0, log_start: 0, log_end: 1 };
    broker.follows("orders", &caught_up);
    broker.run_jobs();
    assert_eq!((broker.count(&ISR_SHRINKS, None), broker.count(&ISR_EXPANDS, None)), (1.0, 1.0));
    assert_eq!(broker.count(&UNDER_MIN_ISR, None), 0.0);

    assert_eq!(broker.coordinator_counts(&ACTIVE_CONTROLLER), 1.0);
    assert_eq!(broker.coordinator_counts(&ACTIVE_BROKERS), 2.0);
    assert_eq!(broker.coordinator_counts(&GLOBAL_PARTITIONS), 1.0);
    assert_eq!(broker.coordinator_counts(&ELECTIONS), 0.0);
    broker.dies(2);
    assert_eq!(broker.coordinator_counts(&FENCED_BROKERS), 1.0);
    // A topic that only the dead one has gets no leader, and one when that is back.
    broker.comes(2);
    broker.topic_on("plans", &[2]);
    broker.dies(2);
    assert_eq!(broker.coordinator_counts(&OFFLINE_PARTITIONS), 1.0);
    broker.comes(2);
    assert_eq!(broker.coordinator_counts(&OFFLINE_PARTITIONS), 0.0);
    assert_eq!(broker.coordinator_counts(&ELECTIONS), 1.0);
    assert_eq!(broker.coordinator_counts(&UNCLEAN_ELECTIONS), 0.0);
}

#[test]
fn an_unclean_election_is_counted_as_one() {
    let mut driven = Driven::of_three(&[]);
    driven.topic("orders", &[&[2, 1, 3]], &[("unclean.leader.election.enable", "true")]);
    let count = |driven: &mut Driven, metric| {
        let now = Now { mono_ms: 0, wall_ms: WALL_MS };
        let numbers = Coordinator::numbers(&mut driven.coordinator, now, &mut Vec::new());
        number(&numbers, metric, None).unwrap()
    };
    driven.lost(2);
    assert_eq!(driven.seat("orders"), "leader 1 epoch 1 in sync [1, 3]");
    assert_eq!(
        (count(&mut driven, &ELECTIONS), count(&mut driven, &UNCLEAN_ELECTIONS)),
        (1.0, 0.0)
    );
    driven.lost(3);
    driven.lost(1);
    driven.comes(3);
    assert_eq!(driven.seat("orders"), "leader 3 epoch 3 in sync [3]");
    assert_eq!(
        (count(&mut driven, &ELECTIONS), count(&mut driven, &UNCLEAN_ELECTIONS)),
        (2.0, 1.0)
    );
    assert_eq!(count(&mut driven, &NOT_PREFERRED), 1.0);
}

#[test]
fn a_follower_counts_what_its_leader_gives() {
    let mut broker = ByHand::new();
    broker.comes(2);
    broker.topic_on("orders", &[2, 1]);
    let (call, _) = broker.fetches_from(2);
    let records = batch(AT, &["a", "b"]);
    let bytes = records.len() as f64;
    let data = PartitionData {
        records: wire::Records::Here(records),
        high_watermark: 2,
        log_start_offset: 0,
        ..Default::default()
    };
    broker.leader_says(call, "orders", data);
    assert_eq!(broker.count(&REPLICATION_IN, Some("orders")), bytes);
    assert_eq!(broker.count(&MESSAGES_IN, None), 0.0, "no producer has brought them here");
    assert_eq!((broker.count(&PARTITIONS, None), broker.count(&LEADERS, None)), (1.0, 0.0));
}
