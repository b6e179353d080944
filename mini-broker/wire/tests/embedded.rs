//! Messages inside messages: what the consumers of a group tell each other, and the records of
//! `__consumer_offsets`. Against what Kafka's own classes wrote and read (see parity/README.md), and
//! damaged.

mod common;

use bytes::BytesMut;
use common::{Invented, Lie, Saboteur, hex, seed};
use uuid::Uuid;
use wire::consumer_protocol::*;
use wire::offsets_topic::*;
use wire::primitives::{Sink, Version, Write};
use wire::{Malformed, Message, Problem};

/// Lines of the recording that begin with this word, without it.
fn recorded(what: &str) -> impl Iterator<Item = Vec<&'static str>> {
    let lines = include_str!("parity/groups.txt").lines().map(|line| line.split(' '));
    lines.filter_map(move |mut words| (words.next() == Some(what)).then(|| words.collect()))
}

/// The bytes of a word; a dash is nothing.
fn bytes(word: &str) -> BytesMut {
    hex(word.trim_matches('-'))
}

/// In any version, also those that the crate only reads.
fn write<M: Message>(message: &M, version: i16) -> BytesMut {
    let mut sink = Write::default();
    sink.put(&version.to_be_bytes());
    message.write(&mut sink, Version::of::<M>(version));
    sink.bytes
}

fn partitions(topic: &str, partitions: &[i32]) -> TopicPartition {
    TopicPartition { topic: topic.into(), partitions: partitions.into() }
}

/// The values of Record.java, as far as the version has them.
fn subscription(name: &str, version: i16) -> ConsumerProtocolSubscription {
    let mut value =
        ConsumerProtocolSubscription { topics: vec!["orders".into()], ..Default::default() };
    if name == "full" {
        value.topics.push("returns".into());
        value.user_data = Some(hex("0102ff"));
        if version >= 1 {
            value.owned_partitions =
                vec![partitions("orders", &[0, 2]), partitions("returns", &[1])];
        }
        if version >= 2 {
            value.generation_id = 7;
        }
        if version >= 3 {
            value.rack_id = Some("rack-a".into());
        }
    }
    value
}

fn assignment(name: &str) -> ConsumerProtocolAssignment {
    match name {
        "full" => ConsumerProtocolAssignment {
            assigned_partitions: vec![partitions("orders", &[0, 2]), partitions("returns", &[1])],
            user_data: Some(hex("0102ff")),
        },
        _ => ConsumerProtocolAssignment::default(),
    }
}

fn offset_key() -> OffsetCommitKey {
    OffsetCommitKey { group: "billing".into(), topic: "orders".into(), partition: 2 }
}

fn offset(name: &str, version: i16) -> OffsetCommitValue {
    if name == "bare" {
        return OffsetCommitValue { commit_timestamp: 1, ..Default::default() };
    }
    OffsetCommitValue {
        offset: 41,
        leader_epoch: if version >= 3 { 5 } else { -1 },
        metadata: "checked".into(),
        commit_timestamp: 1_700_000_000_000,
        expire_timestamp: if version == 1 { 1_700_600_000_000 } else { -1 },
        topic_id: match version {
            4 => Uuid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10),
            _ => Uuid::nil(),
        },
    }
}

fn group(name: &str, version: i16) -> GroupMetadataValue {
    let protocol_type = "consumer".to_owned();
    let since = |time| if version >= 2 { time } else { -1 };
    if name == "empty" {
        return GroupMetadataValue {
            protocol_type,
            generation: 8,
            current_state_timestamp: since(1_700_000_001_000),
            ..Default::default()
        };
    }
    let anna = MemberMetadata {
        member_id: "anna-1".into(),
        group_instance_id: (version >= 3).then(|| "till-4".into()),
        client_id: "anna".into(),
        client_host: "/127.0.0.1".into(),
        rebalance_timeout: if version >= 1 { 300_000 } else { -1 },
        session_timeout: 45_000,
        subscription: hex("0102"),
        assignment: hex("03"),
    };
    let ben = MemberMetadata {
        member_id: "ben-1".into(),
        client_id: "ben".into(),
        client_host: "/127.0.0.1".into(),
        session_timeout: 10_000,
        ..Default::default()
    };
    GroupMetadataValue {
        protocol_type,
        generation: 7,
        protocol: Some("range".into()),
        leader: Some("anna-1".into()),
        current_state_timestamp: since(1_700_000_000_000),
        members: vec![anna, ben],
    }
}

#[test]
fn subscriptions_as_kafka_writes_them() {
    let mut count = 0;
    for words in recorded("subscription") {
        let [name, version, text] = words[..] else { panic!("{words:?}") };
        let version = version.parse().expect("a version");
        let (value, bytes) = (subscription(name, version), bytes(text));
        // More than the version has is left out.
        assert_eq!(subscription(name, i16::MAX).to_bytes(version), bytes, "{name} {version}");
        assert_eq!(
            ConsumerProtocolSubscription::topics_from_bytes(&bytes).as_ref(),
            Ok(&value.topics)
        );
        assert_eq!(ConsumerProtocolSubscription::from_bytes(&bytes), Ok(value));
        count += 1;
    }
    assert_eq!(count, 8);
}

#[test]
fn assignments_as_kafka_writes_them() {
    let mut count = 0;
    for words in recorded("assignment") {
        let [name, version, text] = words[..] else { panic!("{words:?}") };
        let (value, bytes) = (assignment(name), bytes(text));
        assert_eq!(value.to_bytes(version.parse().unwrap()), bytes, "{name} {version}");
        assert_eq!(ConsumerProtocolAssignment::from_bytes(&bytes), Ok(value));
        count += 1;
    }
    assert_eq!(count, 8);
}

#[test]
fn records_as_kafka_writes_them() {
    let mut count = 0;
    let records = recorded("offset").map(|words| (true, words));
    for (is_offset, words) in records.chain(recorded("group").map(|words| (false, words))) {
        let [name, key_version, version, key, value] = words[..] else { panic!("{words:?}") };
        let version = version.parse::<i16>().ok();
        let record = match is_offset {
            true => GroupRecord::OffsetCommit {
                key: offset_key(),
                value: version.map(|version| offset(name, version)),
            },
            false => GroupRecord::GroupMetadata {
                key: GroupMetadataKey { group: "billing".into() },
                value: version.map(|version| group(name, version)),
            },
        };
        let (key, value) = (bytes(key), version.map(|_| bytes(value)));
        assert_eq!(GroupRecord::decode(&key, value.as_deref()), Ok(Some(record.clone())));

        if key_version == "0" {
            assert_eq!(write(&offset_key(), 0), key);
        } else if version.is_none_or(|version| version == 3) {
            assert_eq!(record.encode(), (key, value.clone()), "{words:?}");
        }
        if let Some(version) = version {
            let written = match is_offset {
                true => write(&offset(name, version), version),
                false => write(&group(name, version), version),
            };
            assert_eq!(Some(written), value, "{words:?}");
        }
        count += 1;
    }
    assert_eq!(count, 23);
}

/// A record's value, read behind the key that says what it is.
fn offset_value(value: &[u8]) -> Result<OffsetCommitValue, Malformed> {
    match GroupRecord::decode(&write(&offset_key(), 1), Some(value))? {
        Some(GroupRecord::OffsetCommit { value: Some(value), .. }) => Ok(value),
        other => panic!("{other:?}"),
    }
}

fn group_value(value: &[u8]) -> Result<GroupMetadataValue, Malformed> {
    let key = GroupMetadataKey { group: "billing".into() };
    match GroupRecord::decode(&write(&key, 2), Some(value))? {
        Some(GroupRecord::GroupMetadata { value: Some(value), .. }) => Ok(value),
        other => panic!("{other:?}"),
    }
}

/// What Kafka reads, we read, and what it refuses, we refuse.
#[test]
fn odd_bytes() {
    // A length of −2 is null to Kafka.
    let lenient = ["000000000000fffffffe"];
    let mut count = 0;
    for words in recorded("odd") {
        let [what, text, answer] = words[..] else { panic!("{words:?}") };
        let bytes = bytes(text);
        let read = match what {
            "subscription" => {
                ConsumerProtocolSubscription::from_bytes(&bytes).map(|value| value.to_bytes(3))
            }
            "assignment" => {
                ConsumerProtocolAssignment::from_bytes(&bytes).map(|value| value.to_bytes(3))
            }
            "offset" => offset_value(&bytes).map(|value| write(&value, 3)),
            "group" => group_value(&bytes).map(|value| write(&value, 3)),
            other => panic!("{other}"),
        };
        match answer {
            "refused" => assert!(read.is_err(), "{words:?}: {read:?}"),
            _ if lenient.contains(&text) => assert!(read.is_err(), "{words:?}: {read:?}"),
            answer => assert_eq!(read, Ok(hex(answer)), "{words:?}"),
        }
        count += 1;
    }
    assert_eq!(count, 44);
}

/// Clients are known that say version 1 and leave its field out.
#[test]
fn topics_need_no_more_than_topics() {
    let bytes = hex("0001 00000001 0006 6f7264657273 ffffffff");
    assert!(ConsumerProtocolSubscription::from_bytes(&bytes).is_err());
    let topics = ConsumerProtocolSubscription::topics_from_bytes(&bytes);
    assert_eq!(topics, Ok(vec!["orders".to_owned()]));
}

#[test]
fn records_of_other_kinds() {
    for version in (3..20_i16).chain([-1, i16::MIN, i16::MAX]) {
        let key = [&version.to_be_bytes()[..], b"whatever"].concat();
        assert_eq!(GroupRecord::decode(&key, None), Ok(None));
        assert_eq!(GroupRecord::decode(&key, Some(b"whatever")), Ok(None));
    }
}

#[test]
fn sentences() {
    let sentence = |key: &str, value: &str| {
        GroupRecord::decode(&hex(key), Some(&hex(value))).unwrap_err().to_string()
    };
    let key = "0001 0001 67 0001 74 00000000";
    for (key, value, expected) in [
        ("00", "", "key.version at byte 0: expected 2 more bytes, the frame has 1"),
        (
            "0001 0001 67 0005 74",
            "",
            "OffsetCommitKey.topic at byte 7: expected 5 more bytes, the frame has 1",
        ),
        (
            "0002 ffff",
            "",
            "GroupMetadataKey.group at byte 4: null, which version 2 does not allow here",
        ),
        (key, "", "OffsetCommitValue.version at byte 0: expected 2 more bytes, the frame has 0"),
        (key, "0005 00", "OffsetCommitValue.version at byte 2: version 5, expected 0 to 4"),
        (key, "ffff 00", "OffsetCommitValue.version at byte 2: version -1, expected 0 to 4"),
    ] {
        assert_eq!(sentence(key, value), expected);
    }
}

/// Runs a test for each message, with its reader, and whether that takes newer versions.
macro_rules! every_message {
    ($test:ident) => {
        $test(ConsumerProtocolSubscription::from_bytes, true);
        $test(ConsumerProtocolAssignment::from_bytes, true);
        $test(offset_value, false);
        $test(group_value, false);
        let decode = |key: &[u8]| GroupRecord::decode(key, None).map(Option::unwrap);
        let offset_key = |key: &[u8]| match decode(key)? {
            GroupRecord::OffsetCommit { key, value: None } => Ok(key),
            other => panic!("{other:?}"),
        };
        let group_key = |key: &[u8]| match decode(key)? {
            GroupRecord::GroupMetadata { key, value: None } => Ok(key),
            other => panic!("{other:?}"),
        };
        $test::<OffsetCommitKey>(offset_key, false);
        $test::<GroupMetadataKey>(group_key, false);
    };
}

fn invent<M: Message>(version: i16, round: u64) -> M {
    let mut invented = Invented::new(seed().wrapping_mul(31) ^ round);
    M::read(&mut invented, Version::of::<M>(version)).expect("inventing never fails")
}

fn place<M: Message>(version: i16, round: u64) -> String {
    format!("{} {version}, seed {}, round {round}", M::NAME, seed())
}

#[test]
fn there_and_back() {
    every_message!(there_and_back);
    fn there_and_back<M>(read: impl Fn(&[u8]) -> Result<M, Malformed>, takes_newer: bool)
    where
        M: Message + PartialEq + std::fmt::Debug,
    {
        for version in M::VERSIONS {
            for round in 0..300 {
                let place = place::<M>(version, round);
                let message: M = invent(version, round);
                let mut bytes = write(&message, version);
                assert_eq!(read(&bytes).as_ref(), Ok(&message), "{place}");

                // What follows is of a version that we do not know.
                bytes.extend_from_slice(b"new");
                assert_eq!(read(&bytes).as_ref(), Ok(&message), "{place}: longer");
                if takes_newer && version == *M::VERSIONS.end() {
                    bytes[..2].copy_from_slice(&(version + 1 + round as i16).to_be_bytes());
                    assert_eq!(read(&bytes).as_ref(), Ok(&message), "{place}: newer");
                }
            }
        }
    }
}

#[test]
fn cut_at_every_byte() {
    every_message!(cut);
    fn cut<M>(read: impl Fn(&[u8]) -> Result<M, Malformed>, _: bool)
    where
        M: Message + std::fmt::Debug,
    {
        for version in M::VERSIONS {
            for round in 0..8 {
                let bytes = write(&invent::<M>(version, round), version);
                for end in 0..bytes.len() {
                    let error = read(&bytes[..end]).expect_err(&place::<M>(version, round));
                    assert!(!error.to_string().is_empty());
                }
            }
        }
    }
}

/// Every length and every count says −2, 2³¹−1, and one too many; and a tag comes that nobody knows.
#[test]
fn lies() {
    every_message!(lies);
    fn lies<M>(read: impl Fn(&[u8]) -> Result<M, Malformed>, _: bool)
    where
        M: Message + PartialEq + std::fmt::Debug,
    {
        for version in M::VERSIONS {
            for round in 0..50 {
                let place = place::<M>(version, round);
                let message: M = invent(version, round);
                for lie in
                    [Lie::Length(-2), Lie::Length(i32::MAX), Lie::OneTooMany, Lie::UnknownTag]
                {
                    for at in 0.. {
                        let mut sink = Saboteur { lie: Some((at, lie)), ..Default::default() };
                        sink.put(&version.to_be_bytes());
                        message.write(&mut sink, Version::of::<M>(version));
                        if !sink.told {
                            break;
                        }
                        match (lie, read(&sink.sink.bytes)) {
                            (Lie::UnknownTag, read) => {
                                assert_eq!(read.as_ref(), Ok(&message), "{place}")
                            }
                            (_, Err(error)) => {
                                assert!(error.field().starts_with(M::NAME), "{place}: {error}");
                            }
                            // One off may by chance make another whole message, or a shorter one.
                            (lie, Ok(_)) => assert_eq!(lie, Lie::OneTooMany, "{place}"),
                        }
                    }
                }
            }
        }
    }
}

/// Whatever comes behind a version, nothing panics, and what is read can be written and read again.
#[test]
fn garbage() {
    let mut reads = 0;
    let mut count = |read| reads += u32::from(read);
    macro_rules! garbage {
        ($($message:ident: $read:expr;)*) => {$(
            for version in $message::VERSIONS {
                for round in 0..2_000 {
                    let mut rng = fastrand::Rng::with_seed(seed() ^ round);
                    let mut bytes = write(&invent::<$message>(version, round), version);
                    for _ in 0..rng.usize(1..4) {
                        let at = rng.usize(2..bytes.len());
                        bytes[at] = *rng.choice(&[0, 1, 0x7f, 0x80, 0xfe, 0xff]).unwrap();
                    }
                    if round % 4 == 0 {
                        bytes.truncate(2);
                        bytes.extend((0..rng.usize(0..200)).map(|_| rng.u8(..)));
                    }
                    let read = $read(&bytes);
                    count(read.is_ok());
                    if let Ok(read) = read {
                        let place = place::<$message>(version, round);
                        assert_eq!($read(&write(&read, version)), Ok(read), "{place}");
                    }
                }
            }
        )*};
    }
    garbage! {
        ConsumerProtocolSubscription: ConsumerProtocolSubscription::from_bytes;
        ConsumerProtocolAssignment: ConsumerProtocolAssignment::from_bytes;
        OffsetCommitValue: offset_value;
        GroupMetadataValue: group_value;
    }
    assert!(reads > 1_000, "{reads}");
}

/// A few bytes that say they are two billion elements.
#[test]
fn large_numbers_reserve_nothing() {
    let members = hex("0003 0000 00000000 ffff ffff 0000000000000000 7fffffff 0000");
    let error = group_value(&members).unwrap_err();
    assert_eq!(*error.problem(), Problem::TooMany { count: i32::MAX as usize, each: 24, left: 2 });
    let topics = hex("0000 7fffffff 0000");
    let error = ConsumerProtocolSubscription::from_bytes(&topics).unwrap_err();
    assert_eq!(*error.problem(), Problem::TooMany { count: i32::MAX as usize, each: 2, left: 2 });
}
