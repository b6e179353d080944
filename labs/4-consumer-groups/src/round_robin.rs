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
    let _ = give;
    let topics: Vec<_> =
        partitions.keys().map(|topic| (topic, readers(subscribed, topic))).collect();
    todo!("step 2: deal out {partitions:?} to {members:?}, {topics:?}, {:?}", &mut plan)
}
