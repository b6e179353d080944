//! A fetch that finds nothing waits: for records, or for its time.

use mini_broker::broker::Input;
use mini_broker::broker::Node;
use wire::fetch::FetchRequest;
use wire::topics::DeleteTopicsRequest;

use crate::batches::{batch, fetch, produce};
use crate::by_hand::{ByHand, WALL_MS};

const AT: i64 = WALL_MS as i64;

fn waiting(offset: i64, max_wait_ms: i32, min_bytes: i32) -> FetchRequest {
    FetchRequest { max_wait_ms, min_bytes, ..fetch("orders", 0, offset) }
}

#[test]
fn records_that_are_there_are_given_at_once() {
    let mut broker = ByHand::new();
    broker.topic("orders");
    broker.append("orders", AT, &["a", "b"]);

    let asked = broker.send(12, waiting(0, 500, 1));

    assert_eq!(broker.fetched(asked).unwrap(), [(0, "a".into()), (1, "b".into())]);
}

#[test]
fn a_fetch_at_the_end_is_released_by_the_next_append() {
    let mut broker = ByHand::new();
    broker.topic("orders");
    broker.append("orders", AT, &["a"]);
    let asked = broker.send(12, waiting(1, 500, 1));
    assert_eq!(broker.fetched(asked), None);

    broker.append("orders", AT, &["b"]);

    assert_eq!(broker.fetched(asked).unwrap(), [(1, "b".into())]);
}

#[test]
fn a_fetch_is_answered_empty_when_its_time_is_up_and_not_before() {
    let mut broker = ByHand::new();
    broker.topic("orders");
    let asked = broker.send(12, waiting(0, 500, 1));
    assert_eq!(broker.deadline(), Some(500));

    broker.pass(499);
    assert_eq!(broker.fetched(asked), None);
    broker.pass(1);

    assert_eq!(broker.fetched(asked).unwrap(), []);
}

#[test]
fn a_fetch_waits_for_as_many_bytes_as_it_asks_for() {
    let mut broker = ByHand::new();
    broker.topic("orders");
    let size = batch(AT, &["a"]).len() as i32;
    let asked = broker.send(12, waiting(0, 500, 2 * size));

    broker.append("orders", AT, &["a"]);
    assert_eq!(broker.fetched(asked), None);
    broker.append("orders", AT, &["b"]);

    assert_eq!(broker.fetched(asked).unwrap(), [(0, "a".into()), (1, "b".into())]);
}

#[test]
fn what_is_there_is_given_when_the_time_is_up() {
    let mut broker = ByHand::new();
    broker.topic("orders");
    let asked = broker.send(12, waiting(0, 500, 1_000_000));
    broker.append("orders", AT, &["a"]);
    assert_eq!(broker.fetched(asked), None);

    broker.pass(500);

    assert_eq!(broker.fetched(asked).unwrap(), [(0, "a".into())]);
}

#[test]
fn many_appends_in_one_turn_wake_a_consumer_once() {
    let mut broker = ByHand::new();
    broker.topic("orders");
    let asked = broker.send(12, waiting(0, 500, 1));
    let mut out = Vec::new();
    for request in 100..103 {
        let request =
            crate::by_hand::request(request, 9, produce("orders", 0, 1, batch(AT, &["x"])));
        broker.broker.handle(broker.now, request, &mut out);
    }
    assert_eq!(out.len(), 3, "only the producers are answered before the tick");

    broker.pass(0);

    assert_eq!(broker.fetched(asked).unwrap().len(), 3);
}

#[test]
fn a_fetch_whose_topic_is_deleted_learns_it_at_once() {
    let mut broker = ByHand::new();
    broker.topic("orders");
    let asked = broker.send(12, waiting(0, 500, 1));

    let request = DeleteTopicsRequest { topic_names: vec!["orders".into()], ..Default::default() };
    broker.ask(5, request);
    broker.pass(0);

    let response = broker.answer::<FetchRequest>(asked).unwrap();
    assert_eq!(response.responses[0].partitions[0].error_code.name(), "UNKNOWN_TOPIC_OR_PARTITION");
}

#[test]
fn whoever_has_gone_is_forgotten() {
    let mut broker = ByHand::new();
    broker.topic("orders");
    let asked = broker.send(12, waiting(0, 500, 1));

    broker.input(Input::Gone { connection: 1 });
    broker.append("orders", AT, &["a"]);
    broker.pass(1000);

    assert_eq!(broker.fetched(asked), None);
}
