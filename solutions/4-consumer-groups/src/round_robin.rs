//! The round-robin assignor: all partitions of all topics, one after the other, to one member after
//! the other.

use std::collections::BTreeMap;

use crate::Plan;
use crate::plan::{give, nobody_reads, readers};

/// Who reads what, if the partitions are dealt out like cards: topics by name, partitions by number,
/// members by id. Whoever does not want a card is passed over. (Kafka: `RoundRobinAssignor`.)
pub fn round_robin(
    subscribed: &BTreeMap<String, Vec<String>>,
    partitions: &BTreeMap<String, u32>,
) -> Plan {
    let mut plan = nobody_reads(subscribed);
    let members: Vec<&str> = subscribed.keys().map(String::as_str).collect();
    // STARTER: let _ = give;
    // STARTER: let topics: Vec<_> = partitions.keys().map(|topic| (topic, readers(subscribed, topic))).collect();
    // STARTER: todo!("step 2: deal out {partitions:?} to {members:?}, {topics:?}, {:?}", &mut plan)
    // ANCHOR: step_2
    let mut turn = 0;
    for (topic, count) in partitions {
        let readers = readers(subscribed, topic);
        if readers.is_empty() {
            continue;
        }
        for partition in 0..*count {
            while !readers.contains(&members[turn]) {
                turn = (turn + 1) % members.len();
            }
            give(&mut plan, members[turn], topic, partition);
            turn = (turn + 1) % members.len();
        }
    }
    plan
    // ANCHOR_END: step_2
}
