//! DescribeLogDirs: the sizes of logs, open or not, and of the disk.

use mini_broker::broker::{Input, Job};
use wire::ErrorCode;
use wire::log_dirs::{DescribableLogDirTopic, DescribeLogDirsRequest, DescribeLogDirsResult};

use crate::batches::batch;
use crate::by_hand::{ByHand, MemFiles, WALL_MS};
use crate::process::Server;

const AT: i64 = WALL_MS as i64;

fn asked(topics: Option<&[(&str, &[i32])]>) -> DescribeLogDirsRequest {
    let topics = topics.map(|topics| {
        let topics = topics.iter().map(|(topic, partitions)| DescribableLogDirTopic {
            topic: topic.to_string(),
            partitions: partitions.to_vec(),
        });
        topics.collect()
    });
    DescribeLogDirsRequest { topics }
}

/// Topic, partition, size.
fn sizes(result: &DescribeLogDirsResult) -> Vec<(&str, i32, i64)> {
    let topics = result.topics.iter().flat_map(|topic| {
        topic
            .partitions
            .iter()
            .map(|it| (topic.name.as_str(), it.partition_index, it.partition_size))
    });
    topics.collect()
}

fn filled() -> (ByHand, i64) {
    let mut broker = ByHand::start(MemFiles::default(), &[("num.partitions", "2")]);
    broker.topic("orders");
    broker.topic("empty");
    let size = batch(AT, &["a", "b"]).len() as i64;
    for _ in 0..3 {
        broker.append("orders", AT, &["a", "b"]);
    }
    (broker, 3 * size)
}

#[test]
fn every_partition_has_its_size_also_while_its_log_is_closed() {
    let (mut broker, size) = filled();
    let expected = [("empty", 0, 0), ("empty", 1, 0), ("orders", 0, size), ("orders", 1, 0)];
    let told = broker.ask(4, asked(None)).results.remove(0);
    assert_eq!(sizes(&told), expected);
    assert_eq!(told.log_dir, "/data");
    assert_eq!((told.total_bytes, told.usable_bytes), (1000, 400));

    let mut broker = ByHand::start(broker.files, &[("num.partitions", "2")]);
    let read = broker.files.dir_of("orders-0").bytes_read("00000000000000000000.log");
    let told = broker.ask(4, asked(None)).results.remove(0);
    assert_eq!(sizes(&told), expected);
    let read_since = broker.files.dir_of("orders-0").bytes_read("00000000000000000000.log");
    assert_eq!(read_since, read, "nothing was opened for it");
}

#[test]
fn what_is_not_there_is_left_out() {
    let (mut broker, size) = filled();
    let some: &[(&str, &[i32])] = &[("orders", &[0, 99, -1, 0]), ("nope", &[0]), ("empty", &[])];
    let told = broker.ask(4, asked(Some(some))).results.remove(0);
    assert_eq!(sizes(&told), [("orders", 0, size)]);
    assert_eq!(told.topics.len(), 1);
    let told = broker.ask(4, asked(Some(&[]))).results.remove(0);
    assert_eq!(told.topics, []);
}

#[test]
fn a_directory_that_cannot_be_read_is_told_as_offline() {
    let (mut broker, _) = filled();
    let number = broker.send(4, asked(None));
    assert!(!broker.answers.contains_key(&number));
    let (call, job) = broker.jobs.pop().unwrap();
    assert!(matches!(job, Job::Measure { .. }));

    broker.input(Input::Done { call, done: Err(std::io::Error::other("gone")) });

    let told = broker.answer::<DescribeLogDirsRequest>(number).unwrap();
    assert_eq!(told.results[0].error_code, ErrorCode::KAFKA_STORAGE_ERROR);
}

#[test]
fn a_real_disk_says_where_and_how_large_it_is() {
    let data = tempfile::TempDir::new().unwrap();
    let server = Server::start(data.path());
    let mut client = server.connect();
    client.topic("orders");
    client.produce("orders", -1, batch(AT, &["a", "b"]));
    server.kill();
    let server = Server::start(data.path());
    let mut client = server.connect();

    for version in 1..=4 {
        let mut told = client.ask(version, asked(None));
        let told = told.results.remove(0);
        assert_eq!(told.log_dir, data.path().canonicalize().unwrap().display().to_string());
        assert_eq!(sizes(&told), [("orders", 0, batch(AT, &["a", "b"]).len() as i64)]);
        let known = told.usable_bytes > 0 && told.total_bytes >= told.usable_bytes;
        assert_eq!(known, version == 4, "{told:?}");
    }
}
