//! Bytes written down, field by field: a few messages to look at, and what the oracle cannot know.

mod common;

use bytes::BytesMut;
use common::{filled, frame, header, hex, request, response};
use wire::api_versions::*;
use wire::envelope::*;
use wire::fetch::*;
use wire::list_offsets::*;
use wire::metadata::*;
use wire::produce::*;
use wire::{
    ApiRange, DecodeError, ErrorCode, Gap, Listener, Records, Request, RequestHeader, Response,
    SUPPORTED, decode_request, decode_request_on, decode_response, encode_request, encode_response,
};

/// The versions the broker was built to advertise (Kafka 2.8's, about), and what it reads. Listeners
/// are those of Kafka 4.1.1's schemas; what nobody answers yet is on none.
#[test]
fn supported_versions() {
    let rows: Vec<String> = SUPPORTED
        .iter()
        .map(|ApiRange { key, name, min, max, min_read, listeners }| {
            let read = match min_read {
                read if read == min => String::new(),
                read => format!(" (read from {read})"),
            };
            format!("{key} {name} {min}-{max}{read} {listeners:?}")
        })
        .collect();
    let expected = [
        "0 Produce 0-9 (read from 3) [Broker]",
        "1 Fetch 4-12 [Broker, Controller]",
        "2 ListOffsets 0-7 [Broker]",
        "3 Metadata 0-12 [Broker]",
        "8 OffsetCommit 2-8 [Broker]",
        "9 OffsetFetch 1-8 [Broker]",
        "10 FindCoordinator 0-4 [Broker]",
        "11 JoinGroup 0-7 [Broker]",
        "12 Heartbeat 0-4 [Broker]",
        "13 LeaveGroup 0-4 [Broker]",
        "14 SyncGroup 0-5 [Broker]",
        "15 DescribeGroups 0-5 [Broker]",
        "16 ListGroups 0-5 [Broker]",
        "18 ApiVersions 0-4 [Broker, Controller]",
        "19 CreateTopics 2-7 [Broker, Controller]",
        "20 DeleteTopics 1-5 [Broker, Controller]",
        "21 DeleteRecords 0-2 [Broker]",
        "22 InitProducerId 0-4 [Broker]",
        "23 OffsetForLeaderEpoch 2-4 [Broker]",
        "32 DescribeConfigs 1-4 [Broker, Controller]",
        "33 AlterConfigs 0-2 [Broker, Controller]",
        "35 DescribeLogDirs 1-4 [Broker]",
        "37 CreatePartitions 0-3 [Broker, Controller]",
        "42 DeleteGroups 0-2 [Broker]",
        "43 ElectLeaders 0-2 [Broker, Controller]",
        "44 IncrementalAlterConfigs 0-1 [Broker, Controller]",
        "47 OffsetDelete 0-0 [Broker]",
        "56 AlterPartition 2-3 [Controller]",
        "58 Envelope 0-0 [Controller]",
        "59 FetchSnapshot 0-1 [Controller]",
        "60 DescribeCluster 0-1 [Broker, Controller]",
        "62 BrokerRegistration 0-4 [Controller]",
        "63 BrokerHeartbeat 0-1 [Controller]",
        "67 AllocateProducerIds 0-0 [Controller]",
    ];
    assert_eq!(rows, expected);
}

/// What a listener does not take is as unknown to it as a key that nobody has.
#[test]
fn a_listener_takes_its_own() {
    let heartbeat = hex("003f 0001 00000007 ffff 00");
    let error = decode_request_on(Listener::Broker, heartbeat.clone()).unwrap_err();
    assert_eq!(error.to_string(), "API key 63 (version 1) is not one of those spoken here");
    assert_eq!(error.header().map(|header| header.correlation_id), Some(7));
    let error = decode_request_on(Listener::Controller, heartbeat).unwrap_err();
    assert_eq!(
        error.to_string(),
        "BrokerHeartbeatRequest.broker_id at byte 11: expected 4 more bytes, the frame has 0"
    );
    // A version that is wrong besides makes no difference.
    let produce = hex("0000 0063 00000007 ffff");
    let error = decode_request_on(Listener::Controller, produce).unwrap_err();
    assert_eq!(error.to_string(), "API key 0 (version 99) is not one of those spoken here");

    for range in SUPPORTED {
        for listener in [Listener::Broker, Listener::Controller] {
            let header =
                RequestHeader { api_key: range.key, api_version: range.max, ..header(0, 0, "") };
            let mut frame = BytesMut::new();
            frame.extend_from_slice(&header.api_key.to_be_bytes());
            frame.extend_from_slice(&header.api_version.to_be_bytes());
            frame.extend_from_slice(&hex("00000007 ffff 00"));
            let known = !matches!(
                decode_request_on(listener, frame),
                Err(DecodeError::UnsupportedKey { .. })
            );
            assert_eq!(known, range.listeners.contains(&listener), "{} {listener:?}", range.name);
            assert_eq!(listener.takes(range.key), known);
            assert_eq!(listener.apis().any(|other| other == range), known);
        }
    }
}

/// The tagged fields that are not Kafka's: three bytes of tag and size, and not there by default.
#[test]
fn our_own_tagged_fields() {
    let fetch = |replica_epoch| FetchRequest { replica_id: 2, replica_epoch, ..Default::default() };
    let fields = "0001 000c 00000007 0001 66 00
                  00000002 00000000 00000000 7fffffff 00 00000000 ffffffff 01 01 01";
    request(header(1, 12, "f"), fetch(-1), &format!("00000029 {fields} 00"));
    request(
        header(1, 12, "f"),
        fetch(41),
        &format!("00000034 {fields} 01 904e 08 0000000000000029"),
    );
    // Version 11 has no tags: the epoch is left out.
    let (_, frame) = frame(
        "0000002e  0001 000b 00000007 0001 66
         00000002 00000000 00000000 7fffffff 00 00000000 ffffffff 00000000 00000000 0000",
    );
    assert_eq!(encode_request(&header(1, 11, "f"), &fetch(41).into()).split_off(4), frame);
    assert_eq!(decode_request(frame).unwrap().1, fetch(-1).into());

    let envelope = |metadata_offset| EnvelopeResponse {
        response_data: Some(b"answer"[..].into()),
        metadata_offset,
        ..Default::default()
    };
    response(header(58, 0, "b"), envelope(-1), "0000000f  00000007 00  07 616e73776572 0000  00");
    response(
        header(58, 0, "b"),
        envelope(1000),
        "0000001a  00000007 00  07 616e73776572 0000  01 904e 08 00000000000003e8",
    );
}

/// A client's request in an envelope is the very memory of the frame, and is read from there.
#[test]
fn a_request_in_an_envelope() {
    let inner = encode_request(&header(3, 1, "a"), &MetadataRequest::default().into()).split_off(4);
    let envelope = EnvelopeRequest {
        request_data: inner,
        request_principal: None,
        client_host_address: hex("7f000001"),
    };
    let frame = encode_request(&header(58, 0, "b"), &envelope.into()).split_off(4);
    let place = frame.as_ptr_range();
    let read = decode_request_on(Listener::Controller, frame);
    let Ok((_, Request::Envelope(read))) = read else { panic!("{read:?}") };
    assert!(place.contains(&read.request_data.as_ptr()));
    assert_eq!(
        decode_request(read.request_data),
        Ok((header(3, 1, "a"), MetadataRequest::default().into()))
    );
}

/// Recorded from kafka-python 2.0.2 (`OffsetRequest_v0`), whose tables are its own.
#[test]
fn list_offsets_0() {
    let asked = |partition_index, timestamp| ListOffsetsPartition {
        partition_index,
        timestamp,
        ..Default::default()
    };
    request(
        header(2, 0, "burrow-lagchecker"),
        ListOffsetsRequest {
            replica_id: -1,
            topics: vec![ListOffsetsTopic {
                name: "logs".into(),
                partitions: vec![asked(0, LATEST), asked(3, EARLIEST)],
            }],
            ..Default::default()
        },
        "0000004d
         0002 0000 00000007 0011627572726f772d6c6167636865636b6572
         ffffffff 00000001 00046c6f6773 00000002
         00000000 ffffffffffffffff 00000001
         00000003 fffffffffffffffe 00000001",
    );
    let found = |partition_index, error_code, old_style_offsets| ListOffsetsPartitionResponse {
        partition_index,
        error_code,
        old_style_offsets,
        ..Default::default()
    };
    response(
        header(2, 0, ""),
        ListOffsetsResponse {
            topics: vec![ListOffsetsTopicResponse {
                name: "logs".into(),
                partitions: vec![
                    found(0, ErrorCode::NONE, vec![5000, 0]),
                    found(3, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, vec![]),
                ],
            }],
            ..Default::default()
        },
        "00000036 00000007
         00000001 00046c6f6773 00000002
         00000000 0000 00000002 0000000000001388 0000000000000000
         00000003 0003 00000000",
    );
}

#[test]
fn api_versions_3() {
    request(
        header(18, 3, "kcat"),
        ApiVersionsRequest {
            client_software_name: "librdkafka".into(),
            client_software_version: "2.0.2".into(),
        },
        // header v2: key, version, correlation id, client id as ever, no tagged fields
        "00000021  0012 0003 00000007 0004 6b636174 00
         0b 6c696272646b61666b61  06 322e302e32  00",
    );
    // The header of the response is version 0 all the same: no tagged fields before the body.
    response(
        header(18, 3, "kcat"),
        ApiVersionsResponse {
            api_keys: vec![ApiVersion { api_key: 0, min_version: 0, max_version: 9 }],
            ..Default::default()
        },
        "00000013  00000007  0000  02 0000 0000 0009 00  00000000  00",
    );
}

/// A client that asks in a version from the future can be answered, and reads the answer.
#[test]
fn api_versions_from_the_future() {
    let Err(DecodeError::UnsupportedVersion { header, range }) =
        decode_request(hex("0012 0063 00000007 0004 6b636174 00 ff ff ff"))
    else {
        panic!("version 99 was read");
    };
    assert_eq!((header.api_version, header.correlation_id), (99, 7));
    assert_eq!(header.client_id.as_deref(), Some("kcat"));

    let answer = ApiVersionsResponse {
        error_code: ErrorCode::UNSUPPORTED_VERSION,
        api_keys: vec![ApiVersion {
            api_key: range.key,
            min_version: range.min,
            max_version: range.max,
        }],
        ..Default::default()
    };
    let (bytes, inner) = frame("00000010  00000007  0023  00000001 0012 0000 0004");
    let header = RequestHeader { api_version: 0, ..header };
    assert_eq!(encode_response(&header, &answer.clone().into()).bytes, bytes);
    assert_eq!(decode_response(18, 4, inner), Ok((7, answer.into())));
}

#[test]
fn other_unknown_keys_and_versions() {
    let error = decode_request(hex("0000 0001 00000007 ffff ffff 00000000 00000000")).unwrap_err();
    assert_eq!(error.to_string(), "Produce version 1, expected 3 to 9");
    assert_eq!(error.header().map(|header| header.correlation_id), Some(7));
    let error = decode_request(hex("0047 0000 00000007 ffff 00")).unwrap_err();
    assert_eq!(error.to_string(), "API key 71 (version 0) is not one of those spoken here");
    assert_eq!(error.header().map(|header| header.correlation_id), Some(7));
    let error = decode_request(hex("0012 ffff 00000007 ffff")).unwrap_err();
    assert_eq!(error.to_string(), "ApiVersions version -1, expected 0 to 4");
    assert!(decode_response(71, 0, hex("00000007")).is_err());
}

#[test]
fn metadata_1_and_12() {
    request(
        header(3, 1, "a"),
        MetadataRequest { topics: None, ..Default::default() },
        "0000000f  0003 0001 00000007 0001 61  ffffffff",
    );
    request(
        header(3, 12, "a"),
        MetadataRequest {
            topics: Some(vec![MetadataRequestTopic {
                name: Some("logs".into()),
                ..Default::default()
            }]),
            ..Default::default()
        },
        "00000026  0003 000c 00000007 0001 61 00
         02 00000000000000000000000000000000 05 6c6f6773 00  01 00  00",
    );
    // Version 0 has no null: nothing named means all.
    let (bytes, _) = frame("0000000f  0003 0000 00000007 0001 61  00000000");
    assert_eq!(encode_request(&header(3, 0, "a"), &MetadataRequest::default().into()), bytes);
}

#[test]
fn produce_3_and_9() {
    let produce = ProduceRequest {
        transactional_id: None,
        acks: -1,
        timeout_ms: 1500,
        topic_data: vec![TopicProduceData {
            name: "logs".into(),
            partition_data: vec![
                PartitionProduceData { index: 0, records: Records::Here(b"batch"[..].into()) },
                PartitionProduceData { index: 1, records: Records::None },
            ],
        }],
    };
    request(
        header(0, 3, "p"),
        produce.clone(),
        "00000036  0000 0003 00000007 0001 70
         ffff ffff 000005dc
         00000001 0004 6c6f6773 00000002
         00000000 00000005 6261746368
         00000001 ffffffff",
    );
    request(
        header(0, 9, "p"),
        produce,
        "0000002d  0000 0009 00000007 0001 70 00
         00 ffff 000005dc
         02 05 6c6f6773 03
         00000000 06 6261746368 00
         00000001 00 00
         00 00",
    );
}

/// A produced batch is the very memory of the frame, and a lab may write into it.
#[test]
fn produced_batches_are_not_copied() {
    let mut records = BytesMut::from(&b"batch"[..]);
    records.extend_from_slice(&[7; 100_000]);
    let partition = |index| PartitionProduceData { index, records: Records::Here(records.clone()) };
    let sent = ProduceRequest {
        topic_data: vec![TopicProduceData {
            name: "logs".into(),
            partition_data: vec![partition(0), partition(1)],
        }],
        ..Default::default()
    };
    for version in [3, 9] {
        let mut frame = encode_request(&header(0, version, "p"), &sent.clone().into());
        let frame = frame.split_off(4);
        let memory = frame.as_ptr_range();
        let Ok((_, Request::Produce(mut got))) = decode_request(frame) else { panic!() };
        assert_eq!(got, sent);
        for partition in &mut got.topic_data[0].partition_data {
            let Records::Here(batch) = &mut partition.records else { panic!() };
            assert!(memory.contains(&batch.as_ptr()));
            batch[0] = b'B';
        }
    }
}

/// Batches that lie in a file are left out, and the frame's length counts them.
#[test]
fn fetched_batches_are_gaps() {
    let partition = |partition_index, records| PartitionData {
        partition_index,
        high_watermark: 9,
        records,
        ..Default::default()
    };
    let fetched = FetchResponse {
        responses: vec![FetchableTopicResponse {
            topic: "logs".into(),
            partitions: vec![
                partition(0, Records::There { slot: 40, len: 3 }),
                partition(1, Records::None),
                partition(2, Records::There { slot: 41, len: 2 }),
            ],
        }],
        ..Default::default()
    };
    let (whole, inner) = frame(
        "00000075 00000007
         00000000 00000001 0004 6c6f6773 00000003
         00000000 0000 0000000000000009 ffffffffffffffff ffffffff 00000003 282828
         00000001 0000 0000000000000009 ffffffffffffffff ffffffff 00000000
         00000002 0000 0000000000000009 ffffffffffffffff ffffffff 00000002 2929",
    );
    let encoded = encode_response(&header(1, 4, "c"), &fetched.clone().into());
    let gap = |at, slot, len| Gap { at, slot, len };
    assert_eq!(encoded.gaps, [gap(56, 40, 3), gap(116, 41, 2)]);
    let fill = |gap: &Gap| vec![gap.slot as u8; gap.len as usize];
    assert_eq!(filled(&encoded.bytes, &encoded.gaps, fill), whole);

    let Ok((7, Response::Fetch(read))) = decode_response(1, 4, inner) else { panic!() };
    let records: Vec<_> =
        read.responses[0].partitions.iter().map(|partition| partition.records.clone()).collect();
    let here = |bytes: &[u8]| Records::Here(bytes.into());
    assert_eq!(records, [here(b"((("), here(b""), here(b"))")]);
    let encoded = encode_response(&header(1, 12, "c"), &fetched.into());
    let whole = filled(&encoded.bytes, &encoded.gaps, fill);
    assert_eq!(whole[..4], (whole.len() as u32 - 4).to_be_bytes());
}

/// Kafka's brokers never write null records in a fetch response; a null is read as empty.
#[test]
fn fetched_null_is_empty() {
    let (_, inner) = frame(
        "00000034 00000007
         00000000 00000001 0004 6c6f6773 00000001
         00000000 0000 0000000000000009 ffffffffffffffff ffffffff ffffffff",
    );
    let Ok((_, Response::Fetch(read))) = decode_response(1, 4, inner) else { panic!() };
    assert_eq!(read.responses[0].partitions[0].records, Records::Here(BytesMut::new()));
}

/// A follower that parts from its leader is told where: the one tagged field a broker of ours has.
#[test]
fn a_tagged_field() {
    let diverging_epoch = EpochEndOffset { epoch: 3, end_offset: 17 };
    let data = PartitionData {
        last_stable_offset: 0,
        log_start_offset: 0,
        records: Records::Here(BytesMut::new()),
        diverging_epoch,
        ..Default::default()
    };
    response(
        header(1, 12, "f"),
        FetchResponse {
            responses: vec![FetchableTopicResponse {
                topic: "logs".into(),
                partitions: vec![data],
            }],
            ..Default::default()
        },
        // … one tagged field: tag 0, 13 bytes: epoch, end offset, no tags of its own
        "0000004c 00000007 00  00000000 0000 00000000  02 05 6c6f6773 02
         00000000 0000 0000000000000000 0000000000000000 0000000000000000 00 ffffffff 01
         01 00 0d 00000003 0000000000000011 00
         00 00",
    );
}

/// Error messages say too much rather than too little; the wire cuts them at 32,767 bytes.
#[test]
fn a_sentence_too_long_is_cut() {
    let answer = |message: String| ProduceResponse {
        responses: vec![TopicProduceResponse {
            name: "logs".into(),
            partition_responses: vec![PartitionProduceResponse {
                error_message: Some(message),
                ..Default::default()
            }],
        }],
        ..Default::default()
    };
    for version in [8, 9] {
        let long = answer("é".repeat(20_000)).into();
        let encoded = encode_response(&header(0, version, "p"), &long);
        let read = decode_response(0, version, encoded.bytes[4..].into());
        assert_eq!(read, Ok((7, answer("é".repeat(16_383)).into())));
    }
}

/// librdkafka 2.16 writes "all topics" as four bytes where flexible versions have one, so three
/// bytes are left over. It must get its list all the same.
#[test]
fn librdkafka_asks_for_all_topics() {
    let frame: &[u8] =
        b"\x00\x03\x00\x0c\x00\x00\x00\x03\x00\x07rdkafka\x00\x00\x00\x00\x00\x01\x00\x00";
    let (header, request) = decode_request(frame.into()).expect("a request");
    assert_eq!(header.client_id.as_deref(), Some("rdkafka"));
    let Request::Metadata(request) = request else { panic!("{request:?}") };
    assert_eq!(request.topics, None);
    assert!(!request.allow_auto_topic_creation);
}
