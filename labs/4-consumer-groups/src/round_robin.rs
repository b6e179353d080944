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
    let _ = (give, readers);
    todo!("step 2: deal out {partitions:?} to {subscribed:?}: {:?}", &mut plan)
}
