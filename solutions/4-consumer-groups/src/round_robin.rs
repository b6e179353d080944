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
    // STARTER: let _ = (give, readers);
    // STARTER: todo!("step 2: deal out {partitions:?} to {subscribed:?}: {:?}", &mut plan)
    // ANCHOR: step_2
    let mut turns = subscribed.keys().cycle();
    for (topic, count) in partitions {
        if readers(subscribed, topic).is_empty() {
            continue;
        }
        for partition in 0..*count {
            let member = turns.find(|member| subscribed[*member].contains(topic));
            give(&mut plan, member.expect("there is a reader"), topic, partition);
        }
    }
    plan
    // ANCHOR_END: step_2
}
