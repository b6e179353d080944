//! `message.timestamp.type=LogAppendTime`: the broker's time in place of the producer's.

use bytes::BytesMut;
use mini_broker::records::{self, Codec};
use wire::fetch::FetchRequest;
use wire::list_offsets::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic, MAX_TIMESTAMP,
};
use wire::produce::{PartitionProduceResponse, ProduceRequest};

use crate::batches::{batch, packed, produce, resealed};
use crate::by_hand::{ByHand, WALL_MS};
use crate::topics::{create, wanted, with};

const AT: i64 = WALL_MS as i64;
const FIRST: &str = "00000000000000000000.log";
/// Attribute bit 3.
const LOG_APPEND_TIME: i16 = 8;

fn broker() -> ByHand {
    let mut broker = ByHand::new();
    create(&mut broker, with("stamped", &[("message.timestamp.type", "LogAppendTime")]));
    create(&mut broker, wanted("plain"));
    broker
}

fn append(broker: &mut ByHand, topic: &str, batch: BytesMut) -> PartitionProduceResponse {
    let number = broker.send(9, produce(topic, 0, -1, batch));
    let mut response = broker.answer::<ProduceRequest>(number).unwrap();
    response.responses.remove(0).partition_responses.remove(0)
}

/// A batch that says its time is the broker's, when that is not the producer's to say.
fn claiming(mut batch: BytesMut, max_timestamp: i64) -> BytesMut {
    batch[22] |= LOG_APPEND_TIME as u8;
    batch[35..43].copy_from_slice(&max_timestamp.to_be_bytes());
    resealed(batch)
}

#[test]
fn a_batch_gets_the_brokers_time_and_keeps_everything_else() {
    let mut broker = broker();
    for codec in Codec::ALL {
        broker.pass(1);
        let sent = packed(codec, 5, &["a", "b", "c"]);
        let told = append(&mut broker, "stamped", sent.clone());
        assert!(told.error_code.is_ok(), "{codec:?}: {told:?}");
        let now = broker.now.wall_ms as i64;
        assert_eq!(told.log_append_time_ms, now);

        let stored = broker.files.dir_of("stamped-0").bytes(FIRST);
        let stored = records::batches(&stored).last().unwrap().unwrap();
        assert!(stored.crc_matches());
        let header = stored.header;
        assert_eq!((header.max_timestamp, header.base_timestamp), (now, 5));
        assert_eq!(header.attributes, LOG_APPEND_TIME | codec.attributes());
        assert_eq!(stored.bytes[43..], sent[43..], "the records as they came, packed or not");
        let times = stored.records().unwrap();
        assert!(times.iter().all(|record| record.unwrap().timestamp == now));
    }
    let told = append(&mut broker, "plain", batch(5, &["a"]));
    assert_eq!(told.log_append_time_ms, -1);
}

#[test]
fn no_time_of_the_producer_is_too_early_or_too_late() {
    let mut broker = broker();
    for at in [-1, 0, AT + 86_400_000, i64::MAX - 10] {
        assert!(append(&mut broker, "stamped", batch(at, &["a"])).error_code.is_ok(), "{at}");
    }
}

#[test]
fn records_are_found_by_the_time_at_which_they_were_appended() {
    let mut broker = broker();
    for _ in 0..3 {
        append(&mut broker, "stamped", packed(Codec::Gzip, 5, &["a", "b"]));
        broker.pass(100);
    }
    let mut find = |timestamp| {
        let partitions = vec![ListOffsetsPartition { timestamp, ..Default::default() }];
        let topics = vec![ListOffsetsTopic { name: "stamped".into(), partitions }];
        let told = broker.ask(7, ListOffsetsRequest { topics, ..Default::default() });
        let found = &told.topics[0].partitions[0];
        (found.offset, found.timestamp)
    };
    assert_eq!(find(0), (0, AT));
    assert_eq!(find(AT), (0, AT));
    assert_eq!(find(AT + 1), (2, AT + 100));
    assert_eq!(find(AT + 200), (4, AT + 200));
    assert_eq!(find(AT + 201), (-1, -1));
    assert_eq!(find(MAX_TIMESTAMP), (4, AT + 200));
}

/// As Kafka 4.1.1 does: on a topic of the broker's time such a batch is refused, whatever it claims; on
/// one of the producers' time it is taken for what it is, unless it has no time at all.
#[test]
fn a_producer_cannot_claim_to_know_the_brokers_time() {
    let mut broker = broker();
    for claimed in [AT, AT + 86_400_000, -1] {
        let told = append(&mut broker, "stamped", claiming(batch(AT, &["a"]), claimed));
        assert_eq!(told.error_code.name(), "INVALID_TIMESTAMP", "{claimed}");
        let why = "Producer should not set timestamp type to LogAppendTime.";
        assert_eq!(told.error_message.as_deref(), Some(why));
    }
    let sent = packed(Codec::Lz4, AT, &["a", "b"]);
    let told = append(&mut broker, "plain", claiming(sent.clone(), AT + 1));
    assert!(told.error_code.is_ok(), "{told:?}");
    let stored = broker.files.dir_of("plain-0").bytes(FIRST);
    assert_eq!(
        stored[16..],
        sent[16..],
        "without the claim it is the batch as it should have come"
    );

    let told = append(&mut broker, "plain", claiming(batch(AT, &["a"]), -1));
    assert_eq!(told.error_code.name(), "INVALID_TIMESTAMP");
    let told = append(&mut broker, "plain", claiming(batch(AT, &["a"]), AT + 86_400_000));
    assert_eq!(told.error_code.name(), "INVALID_TIMESTAMP");
}

/// A start, a recovery and a read look at nothing but the bytes: they are right.
#[test]
fn what_was_stamped_is_whole_after_a_kill() {
    let mut broker = broker();
    append(&mut broker, "stamped", packed(Codec::Gzip, 5, &["a", "b"]));
    let mut broker = ByHand::start(broker.files, &[]);
    let asked = broker.send(12, FetchRequest { ..crate::batches::fetch("stamped", 0, 0) });
    assert_eq!(broker.fetched(asked).unwrap(), [(0, "a".into()), (1, "b".into())]);
    assert_eq!(broker.events, []);
}
