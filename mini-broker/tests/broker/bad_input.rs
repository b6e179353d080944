//! What no good client sends. Each gets Kafka's code or a closed connection, and others are served
//! on.

use bytes::{BufMut, BytesMut};
use mini_broker::records::Codec;
use tempfile::TempDir;
use wire::api_versions::ApiVersionsRequest;
use wire::fetch::FetchRequest;
use wire::produce::{PartitionProduceResponse, ProduceRequest};
use wire::{ErrorCode, RequestHeader, encode_request};

use crate::batches::{batch, fetch, packed, produce, resealed};
use crate::by_hand::{ByHand, MemFiles, WALL_MS};
use crate::process::{Connection, Server, still_serves};

const NOW: i64 = 1_700_000_000_000;

struct Setup {
    server: Server,
    client: Connection,
    _data: TempDir,
}

fn setup() -> Setup {
    let data = TempDir::new().unwrap();
    let server = Server::start(data.path());
    let mut client = server.connect();
    client.topic("orders");
    Setup { server, client, _data: data }
}

/// A change at one place of a good batch, its checksum made right again.
fn changed(at: usize, bytes: &[u8]) -> BytesMut {
    let mut batch = batch(NOW, &["a", "b"]);
    batch[at..at + bytes.len()].copy_from_slice(bytes);
    resealed(batch)
}

fn assert_refused(told: &PartitionProduceResponse, code: ErrorCode) {
    assert_eq!(told.error_code, code, "{:?}", told.error_message);
    assert_eq!((told.base_offset, told.log_append_time_ms), (-1, -1));
    assert!(told.error_message.as_ref().is_some_and(|why| why.len() > 10));
}

#[test]
fn a_wrong_checksum_and_broken_bytes_are_a_corrupt_message() {
    let Setup { mut client, server, _data } = setup();
    let good = batch(NOW, &["a", "b"]);
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let cut = BytesMut::from(&good[..good.len() - 1]);
    let mut short_length = good.clone();
    short_length[8..12].copy_from_slice(&10i32.to_be_bytes());
    let mut negative_length = good.clone();
    negative_length[8..12].copy_from_slice(&(-1i32).to_be_bytes());
    let header_only = BytesMut::from(&good[..40]);
    let tiny = BytesMut::from(&good[..5]);
    let unknown_format = {
        let mut batch = good.clone();
        batch[16] = 9;
        batch
    };

    for bad in [flipped, cut, short_length, negative_length, header_only, tiny, unknown_format] {
        let told = client.produce("orders", -1, bad);
        assert_refused(&told, ErrorCode::CORRUPT_MESSAGE);
    }
    assert_eq!(client.read("orders", 0), []);
    still_serves(&server);
}

#[test]
fn batches_that_break_the_rules_are_invalid_records() {
    let Setup { mut client, server, _data } = setup();
    let two = {
        let mut two = batch(NOW, &["a"]);
        two.extend_from_slice(&batch(NOW, &["b"]));
        two
    };
    let garbage_behind = {
        let mut batch = batch(NOW, &["a"]);
        batch.put_u8(0);
        batch
    };
    let bad = [
        ("magic 0", changed(16, &[0])),
        ("magic 1", changed(16, &[1])),
        ("nothing at all", BytesMut::new()),
        ("no records", changed(57, &0i32.to_be_bytes())),
        ("fewer than none", changed(57, &(-1i32).to_be_bytes())),
        ("a count that disagrees", changed(57, &3i32.to_be_bytes())),
        ("a last offset that disagrees", changed(23, &5i32.to_be_bytes())),
        ("two batches", two),
        ("a byte behind the batch", garbage_behind),
        ("a base offset of its own", changed(0, &7i64.to_be_bytes())),
        ("a control batch", changed(21, &0x20i16.to_be_bytes())),
        ("a transactional batch", changed(21, &0x10i16.to_be_bytes())),
        ("an unknown compression", changed(21, &7i16.to_be_bytes())),
    ];

    for (what, bad) in bad {
        let told = client.produce("orders", -1, bad);
        assert_eq!(told.error_code, ErrorCode::INVALID_RECORD, "{what}");
        assert_refused(&told, ErrorCode::INVALID_RECORD);
    }
    assert_eq!(client.read("orders", 0), []);
    still_serves(&server);
}

#[test]
fn one_bad_partition_does_not_spoil_the_others() {
    let data = TempDir::new().unwrap();
    let server = Server::start_with(data.path(), &["--set", "num.partitions=2"]);
    let mut client = server.connect();
    client.topic("orders");
    let mut request = produce("orders", 0, -1, changed(57, &9i32.to_be_bytes()));
    let good = produce("orders", 1, -1, batch(NOW, &["a"]));
    request.topic_data.extend(good.topic_data);

    let response = client.ask(9, request);

    let codes: Vec<ErrorCode> =
        response.responses.iter().map(|topic| topic.partition_responses[0].error_code).collect();
    assert_eq!(codes, [ErrorCode::INVALID_RECORD, ErrorCode::NONE]);
}

#[test]
fn a_batch_over_the_limit_is_too_large_and_one_below_is_not() {
    let Setup { mut client, server, _data } = setup();
    let overhead = batch(NOW, &[&"x".repeat(1_000_000)]).len() - 1_000_000;
    let most = 1_048_588 - overhead;

    let told = client.produce("orders", -1, batch(NOW, &[&"x".repeat(most + 1)]));
    assert_refused(&told, ErrorCode::MESSAGE_TOO_LARGE);
    let told = client.produce("orders", -1, batch(NOW, &[&"x".repeat(most)]));
    assert_eq!(told.error_code, ErrorCode::NONE);
    still_serves(&server);
}

#[test]
fn records_from_the_future_are_refused_from_the_first_millisecond_on() {
    let mut broker = ByHand::start(MemFiles::default(), &[]);
    broker.topic("orders");
    let hour_ahead = WALL_MS as i64 + 3_600_000;
    let append = |broker: &mut ByHand, at| {
        let told = broker.ask(9, produce("orders", 0, -1, batch(at, &["a", "b"])));
        told.responses[0].partition_responses[0].clone()
    };

    assert_eq!(append(&mut broker, hour_ahead - 1).error_code, ErrorCode::NONE);
    let told = append(&mut broker, hour_ahead);
    assert_refused(&told, ErrorCode::INVALID_TIMESTAMP);
    broker.pass(1);
    assert_eq!(append(&mut broker, hour_ahead).error_code, ErrorCode::NONE);
}

#[test]
fn unknown_partitions_bad_acks_and_transactions_are_refused() {
    let Setup { mut client, server, _data } = setup();
    let ask = |client: &mut Connection, request: ProduceRequest| {
        client.ask(9, request).responses.remove(0).partition_responses.remove(0)
    };
    let good = || batch(NOW, &["a"]);

    let told = ask(&mut client, produce("nobody", 0, -1, good()));
    assert_refused(&told, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    for index in [-1, 1, i32::MAX] {
        let told = ask(&mut client, produce("orders", index, -1, good()));
        assert_refused(&told, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    }
    let told = ask(&mut client, produce("orders", 0, 2, good()));
    assert_refused(&told, ErrorCode::INVALID_REQUIRED_ACKS);
    let mut transactional = produce("orders", 0, -1, good());
    transactional.transactional_id = Some("t".into());
    assert_refused(
        &ask(&mut client, transactional),
        ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    );
    still_serves(&server);
}

#[test]
fn acks_0_learns_of_an_error_by_losing_the_connection() {
    let Setup { mut client, server, _data } = setup();
    client.send(9, produce("nobody", 0, 0, batch(NOW, &["a"])));
    assert!(client.is_closed());
    still_serves(&server);
}

#[test]
fn an_offset_outside_the_log_is_out_of_range_and_the_bounds_go_along() {
    let Setup { mut client, server, _data } = setup();
    client.produce("orders", -1, batch(NOW, &["a", "b"]));
    for offset in [-1, 3, i64::MAX] {
        let request = FetchRequest { max_wait_ms: 60_000, ..fetch("orders", 0, offset) };
        let response = client.ask(12, request);
        let partition = &response.responses[0].partitions[0];
        assert_eq!(partition.error_code, ErrorCode::OFFSET_OUT_OF_RANGE);
        assert_eq!((partition.log_start_offset, partition.high_watermark), (0, 2));
    }
    let response = client.ask(12, fetch("orders", 7, 0));
    let code = response.responses[0].partitions[0].error_code;
    assert_eq!(code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    still_serves(&server);
}

#[test]
fn another_leader_epoch_and_an_unknown_session_are_refused() {
    let Setup { mut client, server: _server, _data } = setup();
    let mut newer = fetch("orders", 0, 0);
    newer.topics[0].partitions[0].current_leader_epoch = 5;
    let code = client.ask(12, newer).responses[0].partitions[0].error_code;
    assert_eq!(code, ErrorCode::UNKNOWN_LEADER_EPOCH);

    let session = FetchRequest { session_id: 77, ..fetch("orders", 0, 0) };
    let code = client.ask(12, session).error_code;
    assert_eq!(code, ErrorCode::FETCH_SESSION_ID_NOT_FOUND);
}

#[test]
fn frames_that_are_none_cost_only_their_own_connection() {
    let Setup { server, .. } = &setup();
    let frames: &[&[u8]] = &[
        &[0x7f, 0xff, 0xff, 0xff],              // larger than any limit
        &[0xff, 0xff, 0xff, 0xff],              // negative
        &[0, 0, 0, 3, 1, 2, 3],                 // shorter than a header
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",   // a browser
        &[0x16, 0x03, 0x01, 0x02, 0x00, 0x01],  // TLS
        &[0, 0, 0, 8, 0, 18, 0, 3, 0, 0, 0, 1], // a header without its client id
    ];
    for frame in frames {
        let mut client = server.connect();
        client.raw(frame);
        assert!(client.is_closed(), "{frame:?}");
    }
    still_serves(server);
}

#[test]
fn garbage_of_a_believable_length_is_no_request() {
    let Setup { server, .. } = &setup();
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..200 {
        let length = random.usize(8..200);
        let mut frame = BytesMut::new();
        frame.put_u32(length as u32);
        frame.extend(std::iter::repeat_with(|| random.u8(..)).take(length));
        // A key that exists, mostly: so that bodies are read as well.
        frame[4..8].copy_from_slice(&[0, random.u8(0..25), 0, random.u8(0..10)]);
        let mut client = server.connect();
        client.raw(&frame);
        client.stream.shutdown(std::net::Shutdown::Write).unwrap();
        // Some of it may be a request: then there is an answer. Either way, it ends.
        while client.frame().is_ok() {}
    }
    still_serves(server);
}

#[test]
fn a_length_that_lies_takes_no_memory() {
    let Setup { server, .. } = &setup();
    let waiting: Vec<Connection> = (0..50)
        .map(|_| {
            let mut client = server.connect();
            client.raw(&[0x06, 0x00, 0x00, 0x00]); // 96 MiB, announced
            client
        })
        .collect();
    still_serves(server);
    drop(waiting);
}

#[test]
fn an_unknown_key_or_version_is_hung_up_on_after_what_came_before_is_answered() {
    let Setup { server, .. } = &setup();
    for (api_key, api_version) in [(99, 0), (-1, 0), (0, 2), (0, 10), (1, 13), (3, 13), (71, 0)] {
        let mut client = server.connect();
        let sent = client.send(3, ApiVersionsRequest::default());
        let mut frame = BytesMut::new();
        frame.put_u32(14);
        frame.put_i16(api_key);
        frame.put_i16(api_version);
        frame.put_i32(5);
        frame.put_i16(-1);
        frame.put_u32(0);
        client.raw(&frame);
        assert_eq!(client.receive::<ApiVersionsRequest>(3).unwrap().0, sent);
        assert!(client.is_closed(), "key {api_key}, version {api_version}");
    }
    still_serves(server);
}

#[test]
fn a_too_new_api_versions_is_answered_in_version_0_with_what_is_spoken() {
    let Setup { mut client, server: _server, _data } = setup();
    let header = RequestHeader { api_key: 18, api_version: 3, correlation_id: 5, client_id: None };
    let mut frame = encode_request(&header, &ApiVersionsRequest::default().into());
    frame[7] = 99;
    client.raw(&frame);

    let (correlation_id, told) = client.receive::<ApiVersionsRequest>(3).unwrap();

    assert_eq!((correlation_id, told.error_code), (5, ErrorCode::UNSUPPORTED_VERSION));
    let [only] = &told.api_keys[..] else { panic!("{told:?}") };
    assert_eq!((only.api_key, only.min_version, only.max_version), (18, 0, 4));
    assert!(!client.ask(4, ApiVersionsRequest::default()).api_keys.is_empty(), "it goes on");
}

#[test]
fn a_batch_is_not_looked_into() {
    let Setup { mut client, server: _server, _data } = setup();
    let mut nonsense = packed(Codec::Gzip, NOW, &["a", "b"]);
    nonsense[61..].fill(0xab);

    let told = client.produce("orders", -1, resealed(nonsense));

    assert_eq!(told.error_code, ErrorCode::NONE, "what is packed is the clients' business");
}
