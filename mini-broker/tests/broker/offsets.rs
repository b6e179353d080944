//! ListOffsets: the ends of a log, and its records by time.

use mini_broker::records::Codec;
use tempfile::TempDir;
use wire::ErrorCode;
use wire::list_offsets::{
    EARLIEST, LATEST, ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsRequest,
    ListOffsetsTopic, MAX_TIMESTAMP,
};

use crate::batches::{batch, packed};
use crate::process::{Connection, Server};

const NOW: i64 = 1_700_000_000_000;

fn look_up(client: &mut Connection, version: i16, timestamp: i64) -> ListOffsetsPartitionResponse {
    let request = ListOffsetsRequest {
        replica_id: -1,
        topics: vec![ListOffsetsTopic {
            name: "orders".into(),
            partitions: vec![ListOffsetsPartition {
                timestamp,
                max_num_offsets: 2,
                ..Default::default()
            }],
        }],
        ..Default::default()
    };
    client.ask(version, request).topics.remove(0).partitions.remove(0)
}

fn offset_and_time(found: &ListOffsetsPartitionResponse) -> (i64, i64) {
    assert_eq!(found.error_code, ErrorCode::NONE);
    (found.offset, found.timestamp)
}

#[test]
fn an_empty_log_starts_and_ends_at_0_and_has_no_times() {
    let data = TempDir::new().unwrap();
    let server = Server::start(data.path());
    let mut client = server.connect();
    client.topic("orders");

    assert_eq!(offset_and_time(&look_up(&mut client, 7, EARLIEST)), (0, -1));
    assert_eq!(offset_and_time(&look_up(&mut client, 7, LATEST)), (0, -1));
    assert_eq!(offset_and_time(&look_up(&mut client, 7, MAX_TIMESTAMP)), (-1, -1));
    assert_eq!(offset_and_time(&look_up(&mut client, 7, 0)), (-1, -1));
}

#[test]
fn records_are_found_by_their_time_also_inside_a_compressed_batch() {
    let data = TempDir::new().unwrap();
    let server = Server::start(data.path());
    let mut client = server.connect();
    client.topic("orders");
    // Times run: 0 to 2, then 100 to 149, then 50: later offsets may be earlier.
    client.produce("orders", -1, batch(NOW, &["a", "b", "c"]));
    client.produce("orders", -1, packed(Codec::Gzip, NOW + 100, &["x"; 50]));
    client.produce("orders", -1, batch(NOW + 50, &["late"]));

    for version in 1..=7 {
        let mut at = |after: i64| offset_and_time(&look_up(&mut client, version, NOW + after));
        assert_eq!(at(-5), (0, NOW));
        assert_eq!(at(1), (1, NOW + 1));
        assert_eq!(at(3), (3, NOW + 100));
        assert_eq!(at(118), (21, NOW + 118), "inside the packed batch");
        assert_eq!(at(149), (52, NOW + 149));
        assert_eq!(at(150), (-1, -1), "nothing that late");
    }
    assert_eq!(offset_and_time(&look_up(&mut client, 7, MAX_TIMESTAMP)), (52, NOW + 149));
    let latest = look_up(&mut client, 4, LATEST);
    assert_eq!((offset_and_time(&latest), latest.leader_epoch), ((54, -1), 0));
}

#[test]
fn version_0_answers_with_a_list() {
    let data = TempDir::new().unwrap();
    let server = Server::start(data.path());
    let mut client = server.connect();
    client.topic("orders");
    client.produce("orders", -1, batch(NOW, &["a", "b", "c"]));

    assert_eq!(look_up(&mut client, 0, LATEST).old_style_offsets, [3, 0]);
    assert_eq!(look_up(&mut client, 0, EARLIEST).old_style_offsets, [0]);
}

#[test]
fn a_time_that_is_none_is_refused() {
    let data = TempDir::new().unwrap();
    let server = Server::start(data.path());
    let mut client = server.connect();
    client.topic("orders");
    assert_eq!(look_up(&mut client, 7, -9).error_code, ErrorCode::UNSUPPORTED_VERSION);
}
