//! Our tables against the crate `kafka-protocol`, which is made from Kafka's own schemas.
//!
//! For every message and every version, on made-up values, in both directions:
//! what we write, it reads, finds the same values under the same names, and writes the same bytes;
//! what it writes, we read to the same values.

mod common;

use bytes::{Bytes, BytesMut};
use common::{Invented, Lie, Saboteur, seed};
use kafka_protocol::messages as theirs;
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion};
use wire::primitives::{Field, Frame, Source, Version, Width, Write};
use wire::{Api, ErrorCode, Message, Problem, Request, RequestHeader, Response};

/// How many values of each message and version.
const ROUNDS: u64 = 300;

macro_rules! oracle {
    ($($test:ident: $module:ident $request:ident $response:ident from $first:literal;)*) => {
        $(
            #[test]
            fn $test() {
                type Ours = wire::$module::$request;
                let versions = $first..=*<Ours as Message>::VERSIONS.end();
                for version in versions {
                    same_bodies::<Ours, theirs::$request>(version);
                    same_bodies::<wire::$module::$response, theirs::$response>(version);
                    same_headers::<Ours, theirs::$request, theirs::$response>(version);
                }
            }
        )*

        /// Whoever adds an API to the crate must add it here.
        #[test]
        fn every_api_is_checked() {
            let mut checked = vec![$((<wire::$module::$request as Api>::KEY, $first)),*];
            checked.sort();
            let all: Vec<(i16, i16)> =
                wire::SUPPORTED.iter().map(|range| (range.key, range.min_read)).collect();
            // ListOffsets 0 is gone from Kafka's schemas: recorded.rs has bytes for it.
            let all: Vec<_> =
                all.into_iter().map(|(key, min)| (key, if key == 2 { 1 } else { min })).collect();
            assert_eq!(checked, all);
        }
    };
}

oracle! {
    produce: produce ProduceRequest ProduceResponse from 3;
    fetch: fetch FetchRequest FetchResponse from 4;
    list_offsets: list_offsets ListOffsetsRequest ListOffsetsResponse from 1;
    metadata: metadata MetadataRequest MetadataResponse from 0;
    offset_commit: committed_offsets OffsetCommitRequest OffsetCommitResponse from 2;
    offset_fetch: committed_offsets OffsetFetchRequest OffsetFetchResponse from 1;
    find_coordinator: groups FindCoordinatorRequest FindCoordinatorResponse from 0;
    join_group: groups JoinGroupRequest JoinGroupResponse from 0;
    heartbeat: groups HeartbeatRequest HeartbeatResponse from 0;
    leave_group: groups LeaveGroupRequest LeaveGroupResponse from 0;
    sync_group: groups SyncGroupRequest SyncGroupResponse from 0;
    describe_groups: group_admin DescribeGroupsRequest DescribeGroupsResponse from 0;
    list_groups: group_admin ListGroupsRequest ListGroupsResponse from 0;
    api_versions: api_versions ApiVersionsRequest ApiVersionsResponse from 0;
    create_topics: topics CreateTopicsRequest CreateTopicsResponse from 2;
    delete_topics: topics DeleteTopicsRequest DeleteTopicsResponse from 1;
    delete_records: delete_records DeleteRecordsRequest DeleteRecordsResponse from 0;
    init_producer_id: producer_id InitProducerIdRequest InitProducerIdResponse from 0;
    describe_configs: configs DescribeConfigsRequest DescribeConfigsResponse from 1;
    alter_configs: configs AlterConfigsRequest AlterConfigsResponse from 0;
    describe_log_dirs: log_dirs DescribeLogDirsRequest DescribeLogDirsResponse from 1;
    create_partitions: topics CreatePartitionsRequest CreatePartitionsResponse from 0;
    incremental_alter_configs:
        configs IncrementalAlterConfigsRequest IncrementalAlterConfigsResponse from 0;
    offset_for_leader_epoch:
        offset_for_leader_epoch OffsetForLeaderEpochRequest OffsetForLeaderEpochResponse from 2;
    delete_groups: group_admin DeleteGroupsRequest DeleteGroupsResponse from 0;
    offset_delete: committed_offsets OffsetDeleteRequest OffsetDeleteResponse from 0;
    elect_leaders: elect_leaders ElectLeadersRequest ElectLeadersResponse from 0;
    alter_partition: alter_partition AlterPartitionRequest AlterPartitionResponse from 2;
    envelope: envelope EnvelopeRequest EnvelopeResponse from 0;
    fetch_snapshot: fetch_snapshot FetchSnapshotRequest FetchSnapshotResponse from 0;
    broker_registration:
        broker_lifecycle BrokerRegistrationRequest BrokerRegistrationResponse from 0;
    broker_heartbeat: broker_lifecycle BrokerHeartbeatRequest BrokerHeartbeatResponse from 0;
    allocate_producer_ids:
        producer_id AllocateProducerIdsRequest AllocateProducerIdsResponse from 0;
    describe_cluster: cluster DescribeClusterRequest DescribeClusterResponse from 0;
}

/// What consumers tell each other is no request, and has no header.
#[test]
fn consumer_protocol() {
    use wire::consumer_protocol::{ConsumerProtocolAssignment, ConsumerProtocolSubscription};
    for version in ConsumerProtocolSubscription::VERSIONS {
        same_bodies::<ConsumerProtocolSubscription, theirs::ConsumerProtocolSubscription>(version);
    }
    for version in ConsumerProtocolAssignment::VERSIONS {
        same_bodies::<ConsumerProtocolAssignment, theirs::ConsumerProtocolAssignment>(version);
    }
}

/// What a message of theirs must be able to do.
trait Theirs: Encodable + Decodable + std::fmt::Debug + PartialEq + Default {}
impl<T: Encodable + Decodable + std::fmt::Debug + PartialEq + Default> Theirs for T {}

fn write(message: &impl Message, v: Version) -> BytesMut {
    let mut sink = Write::default();
    message.write(&mut sink, v);
    sink.bytes
}

fn read<M: Message>(bytes: BytesMut, v: Version) -> Result<M, wire::Malformed> {
    let mut frame = Frame::new(bytes);
    let message = M::read(&mut frame, v)?;
    frame.finish().map(|()| message)
}

fn same_bodies<O: Message + PartialEq + std::fmt::Debug, T: Theirs>(version: i16) {
    same_messages::<O, T>(version);
    same_defaults::<O, T>(version);
    same_nulls::<O, T>(version);
}

fn same_messages<O: Message + PartialEq + std::fmt::Debug, T: Theirs>(version: i16) {
    let v = Version::of::<O>(version);
    for round in 0..ROUNDS {
        let place = format!("{} {version}, seed {}, round {round}", O::NAME, seed());
        let ours = O::read(&mut Invented::new(seed() ^ round), v).expect("inventing never fails");
        let bytes = write(&ours, v);

        let mut left = Bytes::from(bytes.to_vec());
        let theirs = T::decode(&mut left, version)
            .unwrap_or_else(|error| panic!("{place}: they cannot read {ours:?}: {error}"));
        assert!(left.is_empty(), "{place}: {} bytes too many in {ours:?}", left.len());
        debug::assert_within(&ours, &theirs, &place);

        let mut back = BytesMut::new();
        theirs.encode(&mut back, version).expect("they write what they read");
        assert_eq!(bytes, back, "{place}: other bytes for {ours:?}");
        assert_eq!(read(back, v).as_ref(), Ok(&ours), "{place}");
    }
}

/// The defaults of our tables are Kafka's.
fn same_defaults<O: Message + std::fmt::Debug, T: Theirs>(version: i16) {
    let place = format!("{} {version}, defaults", O::NAME);
    let (ours, theirs) = (O::default(), T::default());
    debug::assert_within(&ours, &theirs, &place);
}

/// A null where we allow none is one that they do not allow either.
fn same_nulls<O: Message + std::fmt::Debug, T: Theirs>(version: i16) {
    let v = Version::of::<O>(version);
    for round in 0..ROUNDS {
        let place = format!("{} {version}, seed {}, round {round}", O::NAME, seed());
        let ours = O::read(&mut Invented::new(seed() ^ round), v).expect("inventing never fails");
        let mut honest = Saboteur::default();
        ours.write(&mut honest, v);
        for at in 0..honest.lengths {
            let mut sink = Saboteur { lie: Some((at, Lie::Null)), ..Default::default() };
            ours.write(&mut sink, v);
            if !sink.told {
                continue;
            }
            let bytes = sink.sink.bytes;
            let their_answer = T::decode(&mut Bytes::from(bytes.to_vec()), version);
            match read::<O>(bytes, v) {
                Ok(_) => assert!(their_answer.is_ok(), "{place}: we take a null in {ours:?}"),
                Err(error) => {
                    assert_eq!(*error.problem(), Problem::Null { version }, "{place}");
                    // Their tables do not refuse a null in the versions before it was allowed.
                    let lenient = [
                        ("topics", "MetadataRequest", 0..1),
                        ("name", "MetadataRequest", 0..10),
                        ("name", "MetadataResponse", 0..12),
                        ("name", "DeleteTopicsResponse", 1..6),
                        ("topics", "OffsetFetchRequest", 1..2),
                        ("protocol_name", "JoinGroupResponse", 0..7),
                    ]
                    .iter()
                    .any(|(field, message, versions)| {
                        *message == O::NAME
                            && error.field().ends_with(field)
                            && versions.contains(&version)
                    });
                    assert_eq!(
                        their_answer.is_ok(),
                        lenient,
                        "{place}: we refuse a null in {}, do they?",
                        error.field()
                    );
                }
            }
        }
    }
}

fn same_headers<O, Q, A>(version: i16)
where
    O: Api + PartialEq + std::fmt::Debug,
    Q: HeaderVersion,
    A: HeaderVersion,
    O::Response: PartialEq + std::fmt::Debug,
{
    let place = format!("{} {version}, seed {}", O::NAME, seed());
    let mut invented = Invented::new(seed());
    let header = RequestHeader {
        api_key: O::KEY,
        api_version: version,
        correlation_id: invented.rng.i32(..),
        client_id: [None, Some(String::new()), Some("a client".to_owned())][version as usize % 3]
            .clone(),
    };

    let request: Request = O::read(&mut invented, Version::of::<O>(version)).unwrap().into();
    let frame = wire::encode_request(&header, &request);
    assert_eq!(frame[..4], (frame.len() as u32 - 4).to_be_bytes(), "{place}");
    let mut bytes = Bytes::from(frame[4..].to_vec());
    let theirs = theirs::RequestHeader::decode(&mut bytes, Q::header_version(version)).unwrap();
    assert_eq!(theirs.request_api_key, header.api_key, "{place}");
    assert_eq!(theirs.request_api_version, header.api_version, "{place}");
    assert_eq!(theirs.correlation_id, header.correlation_id, "{place}");
    assert_eq!(theirs.client_id.as_ref().map(|id| id.as_str()), header.client_id.as_deref());
    let mut body = Write::default();
    request.write(version, &mut body);
    assert_eq!(bytes, body.bytes, "{place}: the body follows the header");
    assert_eq!(wire::decode_request(frame[4..].into()), Ok((header.clone(), request)), "{place}");

    let v = Version::of::<O::Response>(version);
    let response: Response = O::Response::read(&mut invented, v).unwrap().into();
    let encoded = wire::encode_response(&header, &response);
    assert_eq!(encoded.gaps, [], "{place}");
    let frame = encoded.bytes;
    assert_eq!(frame[..4], (frame.len() as u32 - 4).to_be_bytes(), "{place}");
    let mut bytes = Bytes::from(frame[4..].to_vec());
    let theirs = theirs::ResponseHeader::decode(&mut bytes, A::header_version(version)).unwrap();
    assert_eq!(theirs.correlation_id, header.correlation_id, "{place}");
    let mut body = Write::default();
    response.write(version, &mut body);
    assert_eq!(bytes, body.bytes, "{place}: the body follows the header");
    let decoded = wire::decode_response(O::KEY, version, frame[4..].into());
    assert_eq!(decoded, Ok((header.correlation_id, response)), "{place}");
}

/// Every code they know, we know by the same name, and say the same about a retry.
#[test]
fn error_codes() {
    use kafka_protocol::ResponseError;
    let shouted = |name: String| {
        name.char_indices()
            .map(|(at, letter)| match letter {
                'A'..='Z' if at > 0 => format!("_{letter}"),
                letter => letter.to_ascii_uppercase().to_string(),
            })
            .collect::<String>()
    };
    let mut known = vec![-1, 0];
    for code in (-1..i16::MAX).filter(|code| *code != 0) {
        let theirs = ResponseError::try_from_code(code).expect("only 0 is no error");
        if matches!(theirs, ResponseError::Unknown(_)) {
            continue;
        }
        known.push(code);
        let ours = ErrorCode(code);
        assert_eq!(ours.name(), shouted(format!("{theirs:?}")), "{code}");
        // Java's ConcurrentTransactionsException is retriable; their list has not followed it.
        let retriable = theirs.is_retriable() || ours == ErrorCode::CONCURRENT_TRANSACTIONS;
        assert_eq!(ours.is_retriable(), retriable, "{ours}");
    }
    known.dedup();
    assert_eq!(ErrorCode::all().map(|code| code.0).filter(|code| *code >= -1).count(), {
        known.sort();
        known.dedup();
        known.len()
    });
}

/// Compares two values of different types by what `{:?}` prints of them.
mod debug {
    use std::fmt::Debug;

    #[derive(Debug, PartialEq)]
    enum Value {
        Struct(Vec<(String, Value)>),
        List(Vec<Value>),
        Leaf(String),
    }

    /// Version 0 of ListOffsets has the first two; their schemas begin with version 1. The others
    /// are tagged fields of our own: to them, unknown tags.
    const OURS_ALONE: [&str; 5] = [
        "max_num_offsets",
        "old_style_offsets",
        "replica_epoch",
        "replica_topic_id",
        "metadata_offset",
    ];

    /// Every field of ours stands in theirs, under the same name and with the same value.
    ///
    /// A field that the version does not have keeps its default, and where Kafka's is an empty
    /// string or list ours may be `None`. On the wire the two differ, so the bytes tell them apart.
    pub fn assert_within(ours: &impl Debug, theirs: &impl Debug, place: &str) {
        let (our_text, their_text) = (format!("{ours:?}"), format!("{theirs:?}"));
        let (ours, theirs) = (parse(&our_text), parse(&their_text));
        if let Err(why) = within(&ours, &theirs) {
            panic!("{place}: {why}\n  ours: {our_text}\ntheirs: {their_text}");
        }
    }

    fn within(ours: &Value, theirs: &Value) -> Result<(), String> {
        match (ours, theirs) {
            (Value::Struct(ours), Value::Struct(theirs)) => {
                for (name, value) in ours {
                    match theirs.iter().find(|(other, _)| other == name) {
                        Some((_, other)) => {
                            within(value, other).map_err(|why| format!("{name}: {why}"))?;
                        }
                        None if OURS_ALONE.contains(&name.as_str()) => {}
                        None => return Err(format!("they have no field {name}")),
                    }
                }
                Ok(())
            }
            (Value::List(ours), Value::List(theirs)) if ours.len() == theirs.len() => {
                ours.iter().zip(theirs).try_for_each(|(ours, theirs)| within(ours, theirs))
            }
            (ours, theirs) if ours == theirs => Ok(()),
            (Value::Leaf(none), Value::Leaf(empty)) if none == "None" && empty == "\"\"" => Ok(()),
            (Value::Leaf(none), Value::List(empty)) if none == "None" && empty.is_empty() => Ok(()),
            (ours, theirs) => Err(format!("{ours:?} is not {theirs:?}")),
        }
    }

    fn parse(text: &str) -> Value {
        let mut rest = text;
        let value = one(&mut rest);
        assert_eq!(rest, "", "all of {text} was understood");
        value
    }

    fn one(rest: &mut &str) -> Value {
        if take(rest, "[") {
            return Value::List(many(rest, "]", one));
        }
        if rest.starts_with('"') || rest.starts_with("b\"") {
            return Value::Leaf(quoted(rest));
        }
        // `{}` is their map of unknown tags.
        let end = rest.find([',', '(', '[', ']', ')', '{', '}']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        *rest = after;
        let word = word.trim_end();
        if take(rest, "{") {
            return Value::Struct(many(rest, "}", |rest| {
                let (name, after) = rest.split_once(": ").expect("a field's name");
                *rest = after;
                (name.trim_start().to_owned(), one(rest))
            }));
        }
        if take(rest, "(") {
            let inner = one(rest);
            assert!(take(rest, ")"));
            // An error code prints its name and its number; `Some` and new types step aside.
            return inner;
        }
        Value::Leaf(word.to_owned())
    }

    fn many<T>(rest: &mut &str, end: &str, item: impl Fn(&mut &str) -> T) -> Vec<T> {
        let mut items = Vec::new();
        loop {
            *rest = rest.trim_start();
            if take(rest, end) {
                return items;
            }
            items.push(item(rest));
            *rest = rest.trim_start();
            take(rest, ",");
        }
    }

    fn quoted(rest: &mut &str) -> String {
        let start = rest.find('"').expect("a quote") + 1;
        let mut escaped = false;
        let length = rest[start..]
            .find(|letter| {
                let end = letter == '"' && !escaped;
                escaped = letter == '\\' && !escaped;
                end
            })
            .expect("a closing quote");
        let (text, after) = rest.split_at(start + length + 1);
        *rest = after;
        text.to_owned()
    }

    fn take(rest: &mut &str, what: &str) -> bool {
        match rest.strip_prefix(what) {
            Some(after) => {
                *rest = after;
                true
            }
            None => false,
        }
    }
}

/// The made-up values are not all empty.
#[test]
fn invention_is_rich() {
    let mut invented = Invented::new(seed());
    let lengths: Vec<_> = (0..100)
        .map(|_| {
            invented.most = 4;
            let v = Version { number: 0, flexible: true, nullable: true };
            invented.length(Width::Two, v).unwrap()
        })
        .collect();
    assert!(lengths.contains(&None) && lengths.contains(&Some(4)));
}
