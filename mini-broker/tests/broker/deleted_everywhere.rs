//! DeleteRecords where others keep the partition, too: the answer waits until the logs of all that are alive
//! start where it was asked for. What is told when was compared with Apache Kafka 4.1, but for who dies, moves
//! or is deleted while somebody waits: there Kafka lets the time run out.

use wire::delete_records::{DeleteRecordsRequest, HIGH_WATERMARK};
use wire::fetch::FetchRequest;
use wire::topics::DeleteTopicsRequest;

use crate::by_hand::others::Follower;
use crate::by_hand::{ByHand, MemFiles, WALL_MS};
use crate::delete_records::{delete, earliest};

/// Ten records, on brokers 1, which leads, 2 and 3.
fn on_three() -> ByHand {
    let mut broker = ByHand::start(MemFiles::default(), &[]);
    broker.comes(2);
    broker.comes(3);
    broker.topic_on("orders", &[1, 2, 3]);
    for _ in 0..10 {
        broker.append_here("orders", WALL_MS as i64, &["a"]);
    }
    for id in [2, 3] {
        follows(&mut broker, id, 0);
    }
    broker
}

/// A follower that has everything fetches, and says where its log starts.
fn follows(broker: &mut ByHand, id: i32, log_start: i64) -> u32 {
    let follower = Follower { id, leader_epoch: 0, last_epoch: 0, log_start, log_end: 10 };
    broker.follows("orders", &follower)
}

/// Asks for everything before an offset to be deleted.
fn asks(broker: &mut ByHand, offset: i64, timeout_ms: i32) -> u32 {
    let request = DeleteRecordsRequest { timeout_ms, ..delete("orders", 0, offset) };
    let asked = broker.send(2, request);
    broker.run_jobs();
    asked
}

/// The code and the low watermark of each partition, once there is an answer.
fn told(broker: &mut ByHand, asked: u32) -> Option<Vec<(&'static str, i64)>> {
    let told = broker.answer::<DeleteRecordsRequest>(asked)?;
    let partitions = told.topics.into_iter().flat_map(|topic| topic.partitions);
    Some(partitions.map(|it| (it.error_code.name(), it.low_watermark)).collect())
}

#[test]
fn the_answer_waits_until_every_follower_has_told_that_its_log_starts_there() {
    let mut broker = on_three();
    let asked = asks(&mut broker, 5, 1000);
    assert_eq!(earliest(&mut broker), 5, "for readers it counts already");
    follows(&mut broker, 2, 5);
    follows(&mut broker, 3, 4);
    assert_eq!(told(&mut broker, asked), None);
    follows(&mut broker, 3, 5);
    assert_eq!(told(&mut broker, asked), Some(vec![("NONE", 5)]));
    assert_eq!(broker.deadline().filter(|at| *at < 500), None, "no timer is left of it");
    // What is so already need not be waited for; the answer says where the logs start.
    for offset in [5, 2, 0] {
        let asked = asks(&mut broker, offset, 0);
        assert_eq!(told(&mut broker, asked), Some(vec![("NONE", 5)]), "{offset}");
    }
}

#[test]
fn followers_hear_of_it_at_once() {
    let mut broker = on_three();
    let waiting = [2, 3].map(|id| follows(&mut broker, id, 0));
    asks(&mut broker, HIGH_WATERMARK, 1000);
    for asked in waiting {
        let told = broker.answer::<FetchRequest>(asked).expect("it need not wait");
        assert_eq!(told.responses[0].partitions[0].log_start_offset, 10);
    }
    // Told once: until it has written that down it asks as before, and would ask again and again.
    for its_start in [0, 10] {
        let asked = follows(&mut broker, 2, its_start);
        assert!(broker.answer::<FetchRequest>(asked).is_none(), "there is nothing new for it");
    }
}

#[test]
fn when_the_time_is_up_that_is_said_with_the_low_watermark_as_it_was_at_first() {
    let mut broker = on_three();
    let asked = asks(&mut broker, 5, 1000);
    follows(&mut broker, 2, 5);
    follows(&mut broker, 3, 4);
    broker.pass(999);
    assert_eq!(told(&mut broker, asked), None);
    broker.pass(1);
    assert_eq!(told(&mut broker, asked), Some(vec![("REQUEST_TIMED_OUT", 0)]));
    assert_eq!(earliest(&mut broker), 5, "the leader has done its part");
    for timeout_ms in [0, -7, i32::MIN] {
        let asked = asks(&mut broker, 6, timeout_ms);
        assert_eq!(told(&mut broker, asked), Some(vec![("REQUEST_TIMED_OUT", 4)]), "at once");
    }
    // The followers come to it all the same.
    follows(&mut broker, 2, 6);
    follows(&mut broker, 3, 6);
    let asked = asks(&mut broker, 6, 0);
    assert_eq!(told(&mut broker, asked), Some(vec![("NONE", 6)]));
}

#[test]
fn a_dead_replica_is_not_waited_for_and_one_that_is_alive_and_not_in_sync_is() {
    let mut broker = on_three();
    let dies = asks(&mut broker, 5, 1000);
    follows(&mut broker, 2, 5);
    broker.dies(3);
    assert_eq!(told(&mut broker, dies), Some(vec![("NONE", 5)]));

    // It comes again, and has not told this leader anything since.
    broker.comes(3);
    let is = broker.coordinator.cluster().partition("orders", 0).unwrap();
    assert_eq!(is.isr, [1, 2]);
    let asked = asks(&mut broker, 5, 0);
    assert_eq!(told(&mut broker, asked), Some(vec![("REQUEST_TIMED_OUT", -1)]));
    let asked = asks(&mut broker, 5, 1000);
    assert_eq!(told(&mut broker, asked), None);
    follows(&mut broker, 3, 7);
    assert_eq!(told(&mut broker, asked), Some(vec![("NONE", 5)]));

    // It dies once more, and was not in sync: nothing else tells of that.
    broker.comes(3);
    let asked = asks(&mut broker, 5, 1000);
    assert_eq!(told(&mut broker, asked), None);
    broker.dies(3);
    assert_eq!(told(&mut broker, asked), Some(vec![("NONE", 5)]));
}

#[test]
fn whoever_waits_learns_that_another_leads() {
    let mut broker = on_three();
    let asked = asks(&mut broker, 5, 1000);
    let epoch = broker.coordinator.cluster().brokers[&1].epoch;
    let heartbeat = |want_fence| wire::broker_lifecycle::BrokerHeartbeatRequest {
        broker_id: 1,
        broker_epoch: epoch,
        current_metadata_offset: i64::MAX,
        want_fence,
        ..Default::default()
    };
    broker.decide(heartbeat(true));
    broker.pass(0);
    assert_eq!(told(&mut broker, asked), Some(vec![("NOT_LEADER_OR_FOLLOWER", -1)]));
    let asked = asks(&mut broker, 5, 1000);
    assert_eq!(told(&mut broker, asked), Some(vec![("NOT_LEADER_OR_FOLLOWER", -1)]));
}

#[test]
fn whoever_waits_learns_that_the_topic_is_gone() {
    let mut broker = on_three();
    let asked = asks(&mut broker, 5, 1000);
    let topic_names = vec!["orders".into()];
    broker.ask(5, DeleteTopicsRequest { topic_names, ..Default::default() });
    broker.pass(0);
    broker.run_jobs();
    assert_eq!(told(&mut broker, asked), Some(vec![("UNKNOWN_TOPIC_OR_PARTITION", -1)]));
}

#[test]
fn one_partition_that_waits_keeps_the_whole_answer_and_each_says_what_became_of_it() {
    let mut broker = on_three();
    broker.topic_on("alone", &[1]);
    broker.append_here("alone", WALL_MS as i64, &["a", "b"]);
    let mut request = delete("orders", 0, 5);
    let more = [delete("orders", 0, 11), delete("orders", 7, 0), delete("alone", 0, 1)];
    request.topics.extend(more.into_iter().flat_map(|one| one.topics));
    let asked = broker.send(2, request);
    broker.run_jobs();
    assert_eq!(told(&mut broker, asked), None);
    follows(&mut broker, 2, 5);
    follows(&mut broker, 3, 5);
    let expected =
        [("NONE", 5), ("OFFSET_OUT_OF_RANGE", -1), ("UNKNOWN_TOPIC_OR_PARTITION", -1), ("NONE", 1)];
    assert_eq!(told(&mut broker, asked), Some(expected.to_vec()));
}

#[test]
fn the_disk_is_waited_for_as_well_and_who_goes_is_not_answered() {
    let mut broker = on_three();
    let asked = broker.send(2, delete("orders", 0, 5));
    let gone = broker.send_on(9, 2, delete("orders", 0, 6));
    follows(&mut broker, 2, 6);
    broker.input(mini_broker::broker::Input::Gone { connection: 9 });
    follows(&mut broker, 3, 6);
    assert_eq!(told(&mut broker, asked), None, "the next start would not know it");
    broker.run_jobs();
    assert_eq!(told(&mut broker, asked), Some(vec![("NONE", 6)]));
    broker.pass(1000);
    assert!(!broker.answers.contains_key(&gone));
}

/// A leader that nobody has fetched from yet knows of no follower where its log starts.
#[test]
fn a_new_leader_waits_for_the_first_fetches() {
    let mut broker = ByHand::start(MemFiles::default(), &[]);
    broker.comes(2);
    broker.topic_on("orders", &[1, 2]);
    let asked = asks(&mut broker, 0, 1000);
    assert_eq!(told(&mut broker, asked), None);
    let follower = Follower { id: 2, leader_epoch: 0, last_epoch: -1, log_start: 0, log_end: 0 };
    let fetched = broker.follows("orders", &follower);
    assert_eq!(told(&mut broker, asked), Some(vec![("NONE", 0)]));
    assert!(broker.answer::<FetchRequest>(fetched).is_none());
}
