//! Produce and fetch over a real socket.

use bytes::BytesMut;
use mini_broker::records::{self, Codec};
use tempfile::TempDir;
use wire::api_versions::ApiVersionsRequest;
use wire::cluster::DescribeClusterRequest;
use wire::fetch::{FetchPartition, FetchRequest};
use wire::groups::{FindCoordinatorRequest, key_type};
use wire::metadata::MetadataRequest;
use wire::{ErrorCode, Listener, Records};

use crate::batches::{batch, fetch, packed, produce, values};
use crate::process::{Server, metadata};

const NOW: i64 = 1_700_000_000_000;

#[test]
fn what_was_produced_is_read_back_from_any_offset() {
    let data = TempDir::new().unwrap();
    let server = Server::start(data.path());
    let mut client = server.connect();
    client.topic("orders");

    let first = client.produce("orders", -1, batch(NOW, &["a", "b", "c"]));
    let second = client.produce("orders", 1, batch(NOW, &["d"]));

    assert_eq!((first.error_code, first.base_offset), (ErrorCode::NONE, 0));
    assert_eq!((second.base_offset, second.log_append_time_ms), (3, -1));
    assert_eq!(second.log_start_offset, 0);
    let all = client.read("orders", 0);
    assert_eq!(all.iter().map(|(_, value)| value.as_str()).collect::<String>(), "abcd");
    assert_eq!(client.read("orders", 2), [(2, "c".into()), (3, "d".into())]);
    assert_eq!(client.read("orders", 4), []);
}

#[test]
fn every_version_of_produce_and_fetch_carries_the_same_records() {
    let data = TempDir::new().unwrap();
    let server = Server::start(data.path());
    let mut client = server.connect();
    client.topic("orders");
    for (version, offset) in (3..=9).zip(0..) {
        let response = client.ask(version, produce("orders", 0, -1, batch(NOW, &["x"])));
        assert_eq!(response.responses[0].partition_responses[0].base_offset, offset);
    }
    for version in 4..=12 {
        let response = client.ask(version, fetch("orders", 0, 3));
        let partition = &response.responses[0].partitions[0];
        assert_eq!((partition.high_watermark, partition.last_stable_offset), (7, 7));
        assert_eq!(response.session_id, 0);
        let Records::Here(bytes) = &partition.records else { panic!("no records") };
        let offsets: Vec<i64> = values(bytes).into_iter().map(|(offset, _)| offset).collect();
        assert_eq!(offsets, [3, 4, 5, 6], "version {version}");
    }
}

#[test]
fn compressed_batches_are_stored_as_they_came() {
    let data = TempDir::new().unwrap();
    let server = Server::start(data.path());
    let mut client = server.connect();
    client.topic("orders");
    let text = "the same words again and again ".repeat(20);
    let mut sent = Vec::new();
    for codec in Codec::ALL {
        let batch = packed(codec, NOW, &[&text, "end"]);
        sent.push(batch.clone());
        let acked = client.produce("orders", -1, batch);
        assert_eq!(acked.error_code, ErrorCode::NONE, "{codec:?}");
    }

    let mut response = client.ask(12, fetch("orders", 0, 0));
    let Records::Here(bytes) = response.responses.remove(0).partitions.remove(0).records else {
        panic!("no records");
    };

    for ((batch, sent), codec) in records::batches(&bytes).zip(&sent).zip(Codec::ALL) {
        let batch = batch.unwrap();
        assert_eq!(batch.header.codec().unwrap(), codec);
        // The base offset and the leader epoch are the broker's; all else is the producer's.
        assert_eq!(batch.bytes[16..], sent[16..]);
    }
}

#[test]
fn acks_0_is_answered_by_nothing_and_the_next_answer_is_the_next_requests() {
    let data = TempDir::new().unwrap();
    let server = Server::start(data.path());
    let mut client = server.connect();
    client.topic("orders");

    client.send(9, produce("orders", 0, 0, batch(NOW, &["a"])));
    client.send(9, produce("orders", 0, 0, batch(NOW, &["b"])));

    // The answer's correlation id is checked against this request's.
    let acked = client.produce("orders", 1, batch(NOW, &["c"]));
    assert_eq!(acked.base_offset, 2);
}

#[test]
fn answers_come_in_the_order_of_the_requests() {
    let data = TempDir::new().unwrap();
    let server = Server::start(data.path());
    let mut client = server.connect();
    client.topic("orders");

    // The fetch waits for what the produce behind it brings.
    let first = client.send(12, FetchRequest { max_wait_ms: 60_000, ..fetch("orders", 0, 0) });
    let second = client.send(9, produce("orders", 0, -1, batch(NOW, &["a"])));
    let sent: Vec<i32> = (0..200).map(|_| client.send(12, MetadataRequest::default())).collect();

    let (answered, response) = client.receive::<FetchRequest>(12).unwrap();
    assert_eq!(answered, first);
    assert_eq!(response.responses[0].partitions[0].records.len(), batch(NOW, &["a"]).len());
    let (answered, _) = client.receive::<wire::produce::ProduceRequest>(9).unwrap();
    assert_eq!(answered, second);
    for sent in sent {
        assert_eq!(client.receive::<MetadataRequest>(12).unwrap().0, sent);
    }
}

#[test]
fn a_waiting_fetch_is_answered_when_somebody_else_produces() {
    let data = TempDir::new().unwrap();
    let server = Server::start(data.path());
    let (mut consumer, mut producer) = (server.connect(), server.connect());
    consumer.topic("orders");

    consumer.send(12, FetchRequest { max_wait_ms: 60_000, ..fetch("orders", 0, 0) });
    producer.produce("orders", -1, batch(NOW, &["a"]));

    let (_, response) = consumer.receive::<FetchRequest>(12).unwrap();
    assert!(!response.responses[0].partitions[0].records.is_empty());
}

#[test]
fn limits_hold_but_the_first_batch_always_comes() {
    let data = TempDir::new().unwrap();
    let server = Server::start_with(data.path(), &["--set", "num.partitions=2"]);
    let mut client = server.connect();
    client.topic("orders");
    let large = "x".repeat(50_000);
    for index in [0, 1] {
        for _ in 0..3 {
            client.ask(9, produce("orders", index, -1, batch(NOW, &[&large])));
        }
    }
    let size = batch(NOW, &[&large]).len();
    let mut sizes = |max_bytes: i32, partition_max_bytes: i32| -> Vec<usize> {
        let mut request = FetchRequest { max_bytes, ..fetch("orders", 0, 0) };
        request.topics[0].partitions = [0, 1]
            .map(|partition| FetchPartition {
                partition,
                partition_max_bytes,
                ..Default::default()
            })
            .to_vec();
        let response = client.ask(12, request);
        response.responses[0].partitions.iter().map(|part| part.records.len()).collect()
    };

    assert_eq!(sizes(1, 1), [size, 0]);
    assert_eq!(sizes(i32::MAX, 2 * size as i32), [2 * size, 2 * size]);
    assert_eq!(sizes(4 * size as i32, i32::MAX), [3 * size, size]);
    assert_eq!(sizes(i32::MAX, 1), [size, 0]);
    assert_eq!(sizes(0, 0), [size, 0]);
}

#[test]
fn a_megabyte_and_more_goes_through() {
    let data = TempDir::new().unwrap();
    let server = Server::start_with(data.path(), &["--set", "message.max.bytes=20000000"]);
    let mut client = server.connect();
    client.topic("orders");
    let large = "0123456789".repeat(500_000);

    let acked = client.produce("orders", -1, batch(NOW, &[&large, "end"]));

    assert_eq!(acked.error_code, ErrorCode::NONE);
    let read = client.read("orders", 0);
    assert_eq!(read.len(), 2);
    assert_eq!(read[0].1, large);
}

#[test]
fn a_topic_comes_into_being_by_being_asked_for_unless_that_is_not_wanted() {
    let data = TempDir::new().unwrap();
    let server = Server::start_with(data.path(), &["--set", "num.partitions=3"]);
    let mut client = server.connect();
    let quietly = MetadataRequest { allow_auto_topic_creation: false, ..metadata(&["orders"]) };
    let missing = client.ask(12, quietly.clone()).topics.remove(0);
    assert_eq!(missing.error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);

    let made = client.ask(12, metadata(&["orders", "a b"])).topics;

    assert_eq!(made[0].partitions.len(), 3);
    assert!(!made[0].topic_id.is_nil());
    assert_eq!(made[1].error_code, ErrorCode::INVALID_TOPIC_EXCEPTION);
    let by_id = wire::metadata::MetadataRequestTopic { topic_id: made[0].topic_id, name: None };
    let by_id = MetadataRequest { topics: Some(vec![by_id]), ..quietly };
    assert_eq!(client.ask(12, by_id).topics[0].name.as_deref(), Some("orders"));
    for version in 0..=12 {
        let all = MetadataRequest {
            topics: if version == 0 { Some(vec![]) } else { None },
            ..Default::default()
        };
        let all = client.ask(version, all);
        assert_eq!(all.topics.len(), 1, "version {version}");
        assert_eq!(all.topics[0].partitions[2].leader_id, 1);
    }
    assert!(client.ask(1, metadata(&[])).topics.is_empty(), "an empty list asks for none");
}

#[test]
fn a_broker_that_may_not_create_topics_does_not() {
    let data = TempDir::new().unwrap();
    let settings = ["--set", "auto.create.topics.enable=false"];
    let server = Server::start_with(data.path(), &settings);
    let missing = server.connect().ask(12, metadata(&["orders"])).topics.remove(0);
    assert_eq!(missing.error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
}

#[test]
fn a_client_learns_what_the_broker_speaks_and_where_it_is() {
    let data = TempDir::new().unwrap();
    let server = Server::start_with(data.path(), &["--advertised-listener", "kafka.example:19092"]);
    let mut client = server.connect();
    for version in 0..=4 {
        let told = client.ask(version, ApiVersionsRequest::default());
        let told_keys: Vec<i16> = told.api_keys.iter().map(|api| api.api_key).collect();
        let answered = Listener::Broker.apis().map(|range| range.key);
        assert_eq!(told_keys, answered.collect::<Vec<_>>());
        assert!(told.supported_features.is_empty() && told.finalized_features.is_empty());
    }

    let metadata = client.ask(12, MetadataRequest::default());
    let cluster = client.ask(1, DescribeClusterRequest::default());
    let by_key = client.ask(2, FindCoordinatorRequest { key: "g".into(), ..Default::default() });
    let by_keys = FindCoordinatorRequest {
        key_type: key_type::GROUP,
        coordinator_keys: vec!["g".into(), "h".into()],
        ..Default::default()
    };
    let by_keys = client.ask(4, by_keys).coordinators;

    assert_eq!(
        (metadata.brokers[0].host.as_str(), metadata.brokers[0].port),
        ("kafka.example", 19092)
    );
    assert_eq!(metadata.cluster_id.as_deref(), Some(cluster.cluster_id.as_str()));
    assert_eq!((cluster.brokers[0].broker_id, cluster.controller_id), (1, 1));
    assert_eq!((by_key.node_id, by_key.port), (1, 19092));
    assert_eq!(by_keys.iter().map(|one| one.key.as_str()).collect::<Vec<_>>(), ["g", "h"]);
    let transactional =
        FindCoordinatorRequest { key_type: key_type::TRANSACTION, ..Default::default() };
    let refused = client.ask(2, transactional).error_code;
    assert_eq!(refused, ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
}

#[test]
fn a_request_may_come_byte_by_byte_and_many_may_come_at_once() {
    let data = TempDir::new().unwrap();
    let server = Server::start(data.path());
    let mut client = server.connect();
    let frame = {
        let header =
            wire::RequestHeader { api_key: 18, api_version: 3, correlation_id: 9, client_id: None };
        wire::encode_request(&header, &ApiVersionsRequest::default().into())
    };
    for byte in frame.iter() {
        client.raw(&[*byte]);
    }
    assert_eq!(client.receive::<ApiVersionsRequest>(3).unwrap().0, 9);

    let many: BytesMut = frame.iter().copied().cycle().take(frame.len() * 300).collect();
    client.raw(&many);

    for _ in 0..300 {
        assert_eq!(client.receive::<ApiVersionsRequest>(3).unwrap().0, 9);
    }
}
