//! The same inputs at the same times give the same outputs: ids, orders and events included.

use mini_broker::broker::{Input, Node, Output};
use wire::configs::{operation, resource};
use wire::fetch::FetchRequest;
use wire::log_dirs::DescribeLogDirsRequest;
use wire::metadata::MetadataRequest;
use wire::producer_id::InitProducerIdRequest;
use wire::topics::{CreatePartitionsRequest, CreatePartitionsTopic, DeleteTopicsRequest};

use crate::alter_configs::changes;
use crate::batches::{batch, fetch, produce};
use crate::by_hand::{ByHand, WALL_MS, request};
use crate::delete_records::delete;
use crate::process::metadata;

/// Drives a broker with a seeded mix of requests, jobs that end late, and passing time.
fn history(seed: u64) -> Vec<String> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut driven = ByHand::new();
    let mut lines = Vec::new();
    let mut pending = Vec::new();
    for number in 1..400 {
        let topic = format!("topic-{}", random.u8(..4));
        let input = match random.u8(..13) {
            0 => request(number, 12, metadata(&[&topic])),
            1 => request(number, 4, InitProducerIdRequest::default()),
            2 => {
                let request = FetchRequest { max_wait_ms: 50, ..fetch(&topic, 0, 0) };
                crate::by_hand::request(number, 12, request)
            }
            3 => request(number, 12, MetadataRequest::default()),
            4 if random.u8(..5) == 0 => {
                let topic_names = vec![topic];
                request(number, 5, DeleteTopicsRequest { topic_names, ..Default::default() })
            }
            8 => {
                let count = random.i32(-1..6);
                let topics = vec![CreatePartitionsTopic { name: topic, count, assignments: None }];
                let grow = CreatePartitionsRequest { topics, ..Default::default() };
                request(number, 3, grow)
            }
            9 => {
                let (resource, name) = match random.bool() {
                    true => (resource::TOPIC, topic.as_str()),
                    false => (resource::BROKER, ""),
                };
                let setting = if name.is_empty() { "log.retention.ms" } else { "segment.bytes" };
                let value = random.u32(1000..2000).to_string();
                let change = [(setting, operation::SET, Some(value.as_str()))];
                request(number, 1, changes(resource, name, &change))
            }
            10 => request(number, 2, delete(&topic, 0, random.i64(-1..30))),
            11 => request(number, 4, DescribeLogDirsRequest::default()),
            5 if !pending.is_empty() => {
                let (call, done) = pending.swap_remove(random.usize(..pending.len()));
                Input::Done { call, done: Ok(done) }
            }
            _ => request(number, 9, produce(&topic, 0, -1, batch(WALL_MS as i64, &["value"]))),
        };
        let mut out = Vec::new();
        driven.now.mono_ms += random.u64(..20);
        driven.broker.handle(driven.now, input, &mut out);
        driven.broker.tick(driven.now, &mut out);
        for output in out {
            lines.push(format!("{output:?}"));
            if let Output::Do { call, job } = output {
                pending.push((call, crate::by_hand::done(&job)));
            }
        }
    }
    lines
}

#[test]
fn the_same_inputs_give_the_same_outputs() {
    for seed in 0..5 {
        let (first, second) = (history(seed), history(seed));
        assert!(first.len() > 200, "{}", first.len());
        assert_eq!(first, second);
    }
}
