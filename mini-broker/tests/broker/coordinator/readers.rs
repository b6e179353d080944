//! When a client is told of a decision: once every broker it may ask next knows of it.

use bytes::BytesMut;
use mini_broker::broker::Ticket;
use mini_broker::coordinator::METADATA_TOPIC;
use wire::envelope::EnvelopeRequest;
use wire::fetch::{FetchPartition, FetchRequest, FetchTopic};
use wire::topics::{CreatableTopic, CreateTopicsRequest};
use wire::{Message, Request, RequestHeader, encode_request};

use super::{Driven, registration};

/// A broker asks for what stands behind `offset`, and waits for it on a connection of its own.
fn reads_to(driven: &mut Driven, id: i32, offset: u64) {
    let partition = FetchPartition {
        partition: 0,
        fetch_offset: offset as i64,
        partition_max_bytes: 1 << 20,
        ..Default::default()
    };
    let topic = FetchTopic {
        topic: METADATA_TOPIC.into(),
        partitions: vec![partition],
        ..Default::default()
    };
    let request = FetchRequest {
        replica_id: id,
        replica_epoch: driven.epoch(id),
        max_wait_ms: 5_000,
        min_bytes: 1,
        max_bytes: 1 << 20,
        topics: vec![topic],
        ..Default::default()
    };
    driven.send(id as u32, request.into());
}

/// A client asks broker 1 for a topic; gives the ticket and the offset below which all have to read.
fn makes(driven: &mut Driven, name: &str) -> (Ticket, u64) {
    let topic = CreatableTopic {
        name: name.into(),
        num_partitions: 1,
        replication_factor: 3,
        ..Default::default()
    };
    let request: Request = CreateTopicsRequest { topics: vec![topic], ..Default::default() }.into();
    let api_version = *CreateTopicsRequest::VERSIONS.end();
    let header = RequestHeader {
        api_key: request.api_key(),
        api_version,
        correlation_id: 0,
        client_id: None,
    };
    let envelope = EnvelopeRequest {
        request_data: encode_request(&header, &request).split_off(4),
        client_host_address: BytesMut::from(&[127, 0, 0, 1][..]),
        ..Default::default()
    };
    let ticket = driven.send(1, envelope.into());
    assert!(driven.coordinator.cluster().topics.contains_key(name));
    (ticket, driven.coordinator.metadata_end())
}

#[test]
fn a_topic_is_told_of_once_every_live_broker_has_read_of_it() {
    let mut driven = Driven::of_three(&[]);
    let (ticket, end) = makes(&mut driven, "orders");
    reads_to(&mut driven, 1, end);
    reads_to(&mut driven, 2, end);
    reads_to(&mut driven, 3, end - 1);
    assert_eq!(driven.answer(ticket), None);
    reads_to(&mut driven, 3, end);
    assert!(driven.answer(ticket).is_some());
}

#[test]
fn whoever_hangs_holds_it_up_for_half_a_second() {
    let mut driven = Driven::of_three(&[]);
    let (ticket, end) = makes(&mut driven, "orders");
    reads_to(&mut driven, 1, end);
    reads_to(&mut driven, 2, end);
    driven.pass(499);
    assert_eq!(driven.answer(ticket), None);
    driven.pass(1);
    assert!(driven.answer(ticket).is_some());
}

#[test]
fn the_dead_hold_up_nobody() {
    let mut driven = Driven::of_three(&[]);
    let (ticket, end) = makes(&mut driven, "orders");
    reads_to(&mut driven, 2, end + 10);
    reads_to(&mut driven, 1, end + 10);
    driven.lost(3);
    assert!(driven.answer(ticket).is_some());
}

#[test]
fn what_a_broker_had_read_before_it_died_does_not_count() {
    let mut driven = Driven::of_three(&[]);
    reads_to(&mut driven, 3, 1_000);
    let before = driven.epoch(3);
    driven.lost(3);
    driven.ask(4, registration(3, 99));
    assert!(driven.epoch(3) > before);
    driven.beat(3);
    let (ticket, end) = makes(&mut driven, "orders");
    reads_to(&mut driven, 1, end);
    reads_to(&mut driven, 2, end);
    assert_eq!(driven.answer(ticket), None);
    reads_to(&mut driven, 3, end);
    assert!(driven.answer(ticket).is_some());
}
