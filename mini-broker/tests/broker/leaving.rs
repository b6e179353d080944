//! A broker that is told to stop: others lead before it goes. And one that was taken for gone.

use mini_broker::broker::{Broker, Config, Input, Node, Output};
use wire::Request;
use wire::cluster::DescribeClusterResponse;

use crate::by_hand::{ByHand, MemFiles};
use crate::coordinator::Driven;

fn leader(broker: &ByHand) -> i32 {
    broker.coordinator.cluster().partition("orders", 0).unwrap().leader
}

fn with_orders() -> ByHand {
    let mut broker =
        ByHand::start(MemFiles::default(), &[("broker.heartbeat.interval.ms", "2000")]);
    broker.topic("orders");
    assert_eq!(leader(&broker), 1);
    broker
}

#[test]
fn it_stops_once_the_coordinator_has_written_down_that_it_leads_no_more() {
    let mut broker = with_orders();
    broker.stop();
    assert!(!broker.stopped);
    broker.run_jobs();
    assert!(broker.stopped);
    assert_eq!(leader(&broker), -1);
    assert!(broker.coordinator.cluster().brokers[&1].fenced);
}

#[test]
fn a_heartbeat_that_is_under_way_is_waited_for_first() {
    let mut broker = with_orders();
    broker.send(12, crate::process::metadata(&["others"])); // its sync is waited for
    broker.pass(2_000);
    broker.stop();
    assert!(!broker.stopped);
    broker.run_jobs();
    assert!(broker.stopped);
    assert_eq!(leader(&broker), -1);
}

#[test]
fn it_does_not_wait_for_a_coordinator_that_is_away() {
    let mut broker = with_orders();
    broker.part();
    broker.stop();
    assert!(broker.stopped);
    assert_eq!(leader(&broker), 1);

    let mut broker = with_orders();
    broker.part();
    broker.pass(2_000);
    broker.stop();
    assert!(broker.stopped, "that it is away is known already");
}

#[test]
fn it_does_not_wait_for_ever() {
    let mut broker = with_orders();
    broker.stop();
    broker.pass(4_999);
    assert!(!broker.stopped);
    broker.pass(1);
    assert!(broker.stopped);
}

#[test]
fn it_serves_until_it_stops() {
    let mut broker = with_orders();
    broker.stop();
    assert_eq!(broker.append("orders", 0, &["a"]), 0);
}

#[test]
fn a_broker_that_never_met_its_coordinator_stops_at_once() {
    let mut out = Vec::new();
    let config = Config::new(1, "127.0.0.1", 9092);
    let mut broker = Broker::new(config, Box::new(MemFiles::default()), 7, &mut out).unwrap();
    out.clear();
    broker.begin_stop(Driven::new().now, &mut out);
    assert_eq!(out, [Output::Stopped]);
    broker.stop().unwrap();
}

/// What the next start says of the registration before.
fn previous_epoch(files: MemFiles) -> i64 {
    let mut out = Vec::new();
    let config = Config::new(1, "127.0.0.1", 9092);
    let mut broker = Broker::new(config, Box::new(files), 7, &mut out).unwrap();
    let Some(Output::Send { call, .. }) = out.pop() else { panic!("it asks for the cluster") };
    let cluster_id = Driven::new().cluster_id();
    let response = DescribeClusterResponse { cluster_id, ..Default::default() };
    let reply = Ok(response.into());
    broker.handle(Driven::new().now, Input::Reply { call, reply }, &mut out);
    match out.pop() {
        Some(Output::Send { request: Request::BrokerRegistration(request), .. }) => {
            request.previous_broker_epoch
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_next_start_names_the_last_registration_if_nothing_of_it_can_be_lost() {
    let mut broker = ByHand::start(with_orders().files, &[]);
    let epoch = broker.coordinator.cluster().brokers[&1].epoch;
    assert!(epoch > 0);
    let after_power_loss = |files: &MemFiles| MemFiles { boots: 1, ..files.clone() };

    assert_eq!(previous_epoch(broker.files.copy()), epoch, "a kill loses nothing");
    assert_eq!(previous_epoch(after_power_loss(&broker.files.copy())), -1);
    broker.stop();
    broker.run_jobs();
    broker.broker.stop().unwrap();
    assert_eq!(previous_epoch(broker.files.copy()), epoch);
    assert_eq!(previous_epoch(after_power_loss(&broker.files.copy())), epoch, "all was synced");
    // Its next run may lose something again.
    let broker = ByHand::start(broker.files, &[]);
    assert_eq!(previous_epoch(after_power_loss(&broker.files.copy())), -1);
    assert_eq!(previous_epoch(MemFiles::default()), -1);
}

#[test]
fn a_broker_whose_registration_was_taken_by_another_comes_again_without_waiting_for_a_heartbeat() {
    let mut broker = with_orders();
    broker.lose_connection();
    let mut other = crate::coordinator::registration(1, 77);
    other.cluster_id = broker.coordinator.cluster_id().into();
    let taken = broker.decide(other).broker_epoch;
    broker.lose_connection();
    broker.pass(2_000); // its heartbeat is of a stale epoch
    broker.pass(200);
    broker.run_jobs();
    broker.pass(0);
    broker.run_jobs();
    let own = &broker.coordinator.cluster().brokers[&1];
    assert!(own.epoch > taken && !own.fenced, "{own:?}");
}
