//! Damaged messages: every one is refused with a sentence, and none makes the codec panic or
//! reserve memory that the message could not fill.

mod common;

use bytes::BytesMut;
use common::{Invented, Lie, Saboteur, every_version, hex, seed};
use wire::frame::{FrameError, check_length, cut};
use wire::primitives::Frame;
use wire::{
    ApiRange, ErrorCode, Problem, Request, RequestHeader, Response, decode_request,
    decode_response, encode_request, encode_response,
};

/// A request and a response, made up.
fn invent(range: &ApiRange, version: i16, round: u64) -> (Request, Response) {
    let mut invented = Invented::new(seed().wrapping_mul(31) ^ round);
    let request = Request::read(range.key, version, &mut invented);
    let response = Response::read(range.key, version, &mut invented);
    let mut response = response.expect("inventing never fails");
    // With error 35 the rest is read as version 0, whatever was asked.
    if let Response::ApiVersions(response) = &mut response
        && response.error_code == ErrorCode::UNSUPPORTED_VERSION
    {
        response.error_code = ErrorCode::NONE;
    }
    (request.expect("inventing never fails"), response)
}

/// Both as frames, without the four bytes of length.
fn frames(range: &ApiRange, version: i16, round: u64) -> (BytesMut, BytesMut) {
    let (request, response) = invent(range, version, round);
    let header = RequestHeader {
        api_key: range.key,
        api_version: version,
        correlation_id: 7,
        client_id: Some("a client".into()),
    };
    let request = encode_request(&header, &request).split_off(4);
    (request, encode_response(&header, &response).bytes.split_off(4))
}

#[test]
fn cut_at_every_byte() {
    for (range, version) in every_version() {
        for round in 0..8 {
            let place = format!("{} {version}, seed {}, round {round}", range.name, seed());
            let (request, response) = frames(range, version, round);
            assert!(decode_request(request.clone()).is_ok(), "{place}: whole");
            for end in 0..request.len() {
                let error = decode_request(request[..end].into()).expect_err(&place);
                assert!(!error.to_string().is_empty());
            }
            assert!(
                decode_response(range.key, version, response.clone()).is_ok(),
                "{place}: whole"
            );
            for end in 0..response.len() {
                let result = decode_response(range.key, version, response[..end].into());
                assert!(result.is_err(), "{place}: cut at {end} of {}", response.len());
            }
        }
    }
}

#[test]
fn a_byte_too_many() {
    for (range, version) in every_version() {
        let (request, mut response) = frames(range, version, 0);
        let mut longer = request.clone();
        longer.extend_from_slice(&[0]);
        // Kafka looks at a request no further than its last field, and librdkafka counts on that.
        assert_eq!(
            decode_request(longer).expect("a longer request"),
            decode_request(request).expect("a request")
        );

        response.extend_from_slice(&[0]);
        let error = decode_response(range.key, version, response).expect_err("a longer response");
        let sentence = error.to_string();
        assert!(sentence.ends_with(": 1 bytes after the last field, expected none"), "{sentence}");
        assert!(sentence.starts_with(range.name), "{sentence}");
    }
}

/// Every length and every count of every message says −2, 2³¹−1, and one too many.
#[test]
fn lying_lengths() {
    let (mut refused, mut by_chance) = (0, 0);
    for (range, version) in every_version() {
        for round in 0..20 {
            let place = format!("{} {version}, seed {}, round {round}", range.name, seed());
            let (request, response) = invent(range, version, round);
            for lie in [Lie::Length(-2), Lie::Length(i32::MAX), Lie::OneTooMany] {
                for error in lies(
                    lie,
                    |sink| request.write(version, sink),
                    |frame| Request::read(range.key, version, frame).err(),
                )
                .chain(lies(
                    lie,
                    |sink| response.write(version, sink),
                    |frame| Response::read(range.key, version, frame).err(),
                )) {
                    match error {
                        Some(error) => {
                            assert!(error.field().starts_with(range.name), "{place}: {error}");
                            refused += 1;
                        }
                        // One byte or element off may by chance make another whole message.
                        None => {
                            assert_eq!(lie, Lie::OneTooMany, "{place}");
                            by_chance += 1;
                        }
                    }
                }
            }
        }
    }
    assert!(refused > 10_000 && by_chance * 200 < refused, "{refused}, {by_chance} by chance");
}

/// Writes a message again and again with a lie in a later place each time, and reads it.
fn lies<T>(
    lie: Lie,
    write: impl Fn(&mut Saboteur),
    read: impl Fn(&mut Frame) -> T,
) -> impl Iterator<Item = T> {
    (0..).map_while(move |at| {
        let mut sink = Saboteur { lie: Some((at, lie)), ..Default::default() };
        write(&mut sink);
        sink.told.then(|| read(&mut Frame::new(sink.sink.bytes)))
    })
}

#[test]
fn unknown_tags_are_skipped() {
    let mut skipped = 0;
    for (range, version) in every_version() {
        for round in 0..20 {
            let place = format!("{} {version}, seed {}, round {round}", range.name, seed());
            let (request, response) = invent(range, version, round);
            let write = |sink: &mut Saboteur| request.write(version, sink);
            let read = |frame: &mut Frame| Request::read(range.key, version, frame);
            for read in lies(Lie::UnknownTag, write, read) {
                assert_eq!(read.as_ref(), Ok(&request), "{place}");
                skipped += 1;
            }
            let write = |sink: &mut Saboteur| response.write(version, sink);
            let read = |frame: &mut Frame| Response::read(range.key, version, frame);
            for read in lies(Lie::UnknownTag, write, read) {
                assert_eq!(read.as_ref(), Ok(&response), "{place}");
                skipped += 1;
            }
        }
    }
    assert!(skipped > 1_000, "{skipped}");

    // In a request's header too.
    let (header, _) = decode_request(hex("003c 0000 00000007 ffff 01 7f 02 aabb  00 00")).unwrap();
    assert_eq!(header.correlation_id, 7);
}

/// Garbage after a true header, and true messages with a few bytes changed.
#[test]
fn garbage() {
    let mut rng = fastrand::Rng::with_seed(seed());
    let mut read = 0;
    for (range, version) in every_version() {
        for round in 0..300 {
            let (mut request, mut response) = frames(range, version, round);
            let header = 18 + usize::from(round % 2 == 0); // sometimes the client id too
            if round < 100 {
                let length = rng.usize(0..300);
                request.truncate(header);
                request.extend((0..length).map(|_| rng.u8(..)));
                response.truncate(4);
                response.extend((0..length).map(|_| rng.u8(..)));
            }
            for _ in 0..rng.usize(1..4) {
                let at = rng.usize(..request.len());
                request[at] = *rng.choice(&[0, 1, 0x7f, 0x80, 0xfe, 0xff]).unwrap();
                let at = rng.usize(..response.len());
                response[at] = rng.u8(..);
            }
            // What can still be read can be written, and is then read as the same.
            if let Ok((header, request)) = decode_request(request) {
                let frame = encode_request(&header, &request).split_off(4);
                assert_eq!(decode_request(frame), Ok((header, request)), "seed {}", seed());
                read += 1;
            }
            // A refused ApiVersions is read as version 0.
            if range.key != 18
                && let Ok((correlation_id, response)) =
                    decode_response(range.key, version, response)
            {
                let header = RequestHeader {
                    api_key: range.key,
                    api_version: version,
                    correlation_id,
                    client_id: None,
                };
                let frame = encode_response(&header, &response).bytes.split_off(4);
                let again = decode_response(range.key, version, frame);
                assert_eq!(again, Ok((correlation_id, response)), "seed {}", seed());
                read += 1;
            }
        }
    }
    assert!(read > 1_000, "{read}");
}

#[test]
fn pure_garbage() {
    let mut rng = fastrand::Rng::with_seed(seed());
    for _ in 0..100_000 {
        let length = rng.usize(0..80);
        let mut bytes: BytesMut = (0..length).map(|_| rng.u8(..)).collect();
        let _ = decode_request(bytes.clone());
        if bytes.len() >= 4 {
            bytes[0] = 0;
            bytes[2] = 0;
            bytes[1] %= 68;
            bytes[3] %= 14;
            let _ = decode_response(bytes[1].into(), bytes[3].into(), bytes.clone());
            let _ = decode_request(bytes);
        }
    }
}

/// What is wrong, with which field, at which byte.
#[test]
fn sentences() {
    let sentence = |text: &str| decode_request(hex(text)).unwrap_err().to_string();
    let metadata = "0003 0001 00000007 ffff";
    for (message, expected) in [
        (
            "0003".to_owned(),
            "RequestHeader.api_version at byte 2: expected 2 more bytes, the frame has 0",
        ),
        (
            "0003 0001 00000007 fffe".to_owned(),
            "RequestHeader.client_id at byte 10: length -2, expected 0 or more (or -1 for null)",
        ),
        (
            format!("{metadata} 00000002 0001 61 0002 ff61"),
            "MetadataRequest.topics[1].name at byte 19: byte 0xff is not UTF-8",
        ),
        (
            format!("{metadata} 00000002 0001 61 ffff"),
            "MetadataRequest.topics[1].name at byte 19: null, which version 1 does not allow here",
        ),
        (
            format!("{metadata} 00000003 0001 61 00"),
            "MetadataRequest.topics at byte 14: 3 elements of 2 bytes or more, but only 4 bytes are left",
        ),
        (
            format!("{metadata} 00000001 0005 61"),
            "MetadataRequest.topics[0].name at byte 16: expected 5 more bytes, the frame has 1",
        ),
        (
            "0003 0009 00000007 ffff 00 ffffffffff".to_owned(),
            "MetadataRequest.topics at byte 16: a varint that does not end within 32 bits",
        ),
        (
            "003c 0000 00000007 ffff 00 00 01 05 09 00".to_owned(),
            "DescribeClusterRequest at byte 15: expected 9 more bytes, the frame has 1",
        ),
        (
            "0001 000c 00000007 ffff 00 ffffffff 00000000 00000000 00000000 00 00000000 00000000
             01 01 01 01 00 03 02 61 61"
                .to_owned(),
            "FetchRequest at byte 44: tag 0 says it has 3 bytes, its field leaves 1 of them",
        ),
        (
            // Positions count from the frame's start, also after a batch was split off.
            "0000 0003 00000007 ffff ffff 0001 00000000 00000002
             0001 61 00000001 00000000 00000003 aabbcc
             0001 ff 00000000"
                .to_owned(),
            "ProduceRequest.topic_data[1].name at byte 42: byte 0xff is not UTF-8",
        ),
    ] {
        assert_eq!(sentence(&message), expected);
    }
}

/// A varint has at most 32 bits. Leading zeros are taken, as Kafka takes them.
#[test]
fn varints() {
    use wire::primitives::{Source, Version, Width};
    let v = Version { number: 0, flexible: true, nullable: true };
    let length = |text| Frame::new(hex(text)).count(0, v);
    let problem = |text| length(text).unwrap_err().problem().clone();
    for (bytes, expected) in
        [("00", None), ("01", Some(0)), ("8000", None), ("8180808000", Some(0))]
    {
        assert_eq!(length(bytes), Ok(expected), "{bytes}");
    }
    // A count of no bytes each must still fit what is left: none.
    for (bytes, count) in
        [("02", 1), ("ffffffff07", i32::MAX as usize - 1), ("ffffffff0f", u32::MAX as usize - 1)]
    {
        assert_eq!(problem(bytes), Problem::TooMany { count, each: 0, left: 0 }, "{bytes}");
    }
    for bytes in ["ffffffff10", "808080808000", "ffffffffff01", "8080808070"] {
        assert_eq!(problem(bytes), Problem::LongVarint, "{bytes}");
    }
    assert_eq!(problem("8080"), Problem::CutShort { wanted: 1, left: 0 });

    // Strings end at 32,767 bytes, as Kafka's do.
    let mut text = hex("818002");
    text.extend_from_slice(&[b'a'; 40_000]);
    let error = Frame::new(text).length(Width::Two, v).unwrap_err();
    assert_eq!(*error.problem(), Problem::LongText { length: 32_768 });
}

/// The nulls that the oracle would take in any version.
#[test]
fn nulls_before_their_time() {
    let lines = [
        // MetadataRequest.topics, and its name
        ("0003 0000 00000007 ffff  ffffffff", false),
        ("0003 0001 00000007 ffff  ffffffff", true),
        ("0003 0009 00000007 ffff 00  02 00 00  01 00 00 00", false),
        (
            "0003 000a 00000007 ffff 00  02 00000000000000000000000000000000 00 00  01 00 00 00",
            true,
        ),
        // OffsetFetchRequest.topics
        ("0009 0001 00000007 ffff  0001 67 ffffffff", false),
        ("0009 0002 00000007 ffff  0001 67 ffffffff", true),
    ];
    for (bytes, taken) in lines {
        assert_eq!(decode_request(hex(bytes)).is_ok(), taken, "{bytes}");
    }
    let lines = [
        // MetadataResponse: throttle, brokers, cluster, controller, one topic
        (
            3,
            11,
            "00000007 00  00000000 01 00 00000000  02 0000 00 00000000000000000000000000000000 00 01 00000000 00  00",
            false,
        ),
        (
            3,
            12,
            "00000007 00  00000000 01 00 00000000  02 0000 00 00000000000000000000000000000000 00 01 00000000 00  00",
            true,
        ),
        (20, 5, "00000007 00  00000000  02 00 0000 00 00  00", false),
        (20, 5, "00000007 00  00000000  02 01 0000 00 00  00", true),
        // JoinGroupResponse.protocol_name
        (11, 5, "00000007  00000000 0000 ffffffff ffff 0000 0000 00000000", false),
        (11, 6, "00000007 00  00000000 0000 ffffffff 00 01 01 01 00", false),
        (11, 7, "00000007 00  00000000 0000 ffffffff 00 00 01 01 01 00", true),
    ];
    for (key, version, bytes, taken) in lines {
        assert_eq!(decode_response(key, version, hex(bytes)).is_ok(), taken, "{bytes}");
    }
}

/// Numbers that would reserve gigabytes.
#[test]
fn large_numbers_reserve_nothing() {
    // A message of 1 KB whose outer array says it has as many elements as could be.
    for (count, each) in [(i32::MAX, 2), (503, 2)] {
        let mut bytes = hex("0003 0001 00000007 ffff");
        bytes.extend_from_slice(&count.to_be_bytes());
        bytes.extend_from_slice(&[0; 1004]);
        let error = decode_request(bytes).unwrap_err();
        let wire::DecodeError::Malformed { malformed, .. } = error else { panic!("{error}") };
        let count = count as usize;
        assert_eq!(*malformed.problem(), Problem::TooMany { count, each, left: 1004 });
    }
    // In memory a topic is larger than on the wire, so not even an honest count is believed.
    use wire::primitives::Source;
    let frame = Frame::new([0; 1000].as_slice().into());
    assert!(frame.room(500, 40) * 40 <= 1000 + 40);
    assert_eq!(frame.room(3, 40), 3);
}

#[test]
fn frame_lengths() {
    let max = 1000;
    let check = |bytes: &[u8; 4]| check_length(*bytes, max);
    assert_eq!(check(&4i32.to_be_bytes()), Ok(4));
    assert_eq!(check(&1000i32.to_be_bytes()), Ok(1000));
    assert_eq!(check(&3i32.to_be_bytes()), Err(FrameError::TooShort { length: 3 }));
    assert_eq!(check(&(-1i32).to_be_bytes()), Err(FrameError::TooShort { length: -1 }));
    assert_eq!(check(&1001i32.to_be_bytes()), Err(FrameError::TooLong { length: 1001, max }));
    assert_eq!(check(b"GET "), Err(FrameError::NotKafka { what: "HTTP" }));
    assert_eq!(check(&[0x16, 3, 1, 2]), Err(FrameError::NotKafka { what: "TLS" }));
    // A limit that large takes any length for what it says.
    assert_eq!(check_length(*b"GET ", usize::MAX), Ok(0x4745_5420));
    assert_eq!(
        FrameError::TooLong { length: 1001, max }.to_string(),
        "a frame of 1001 bytes, expected at most 1000 (socket.request.max.bytes)"
    );
}

#[test]
fn frames_are_cut_as_they_come() {
    let stream = hex("00000008 0000000000000001  00000009 000000000000000002  00");
    let mut read = BytesMut::new();
    let mut frames = Vec::new();
    for byte in &stream {
        read.extend_from_slice(&[*byte]);
        while let Some(frame) = cut(&mut read, 9).unwrap() {
            frames.push(frame);
        }
    }
    assert_eq!(frames, [hex("0000000000000001"), hex("000000000000000002")]);
    assert_eq!(read, hex("00"));
    assert_eq!(cut(&mut hex("0000000a"), 9), Err(FrameError::TooLong { length: 10, max: 9 }));
}
