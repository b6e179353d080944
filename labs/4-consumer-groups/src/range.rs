//! The range assignor, Kafka's default: each topic for itself, in ranges.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::Plan;
use crate::plan::{give, nobody_reads, readers};

/// Who reads what, if each topic's partitions are dealt out in ranges. `subscribed` has each member
/// and the topics that it wants, `partitions` how many partitions a topic has. (Kafka:
/// `RangeAssignor`.)
pub fn range(
    subscribed: &BTreeMap<String, Vec<String>>,
    partitions: &BTreeMap<String, u32>,
) -> Plan {
    let mut plan = nobody_reads(subscribed);
    for (topic, count) in partitions {
        let readers = readers(subscribed, topic);
        for (place, member) in readers.iter().enumerate() {
            for partition in share(*count, readers.len() as u32, place as u32) {
                give(&mut plan, member, topic, partition);
            }
        }
    }
    plan
}

/// Which partitions of one topic the member at a place gets. Places count from 0.
///
/// Each gets as many as every other, one after the other without a gap. If they do not come out
/// even, the first ones get one more.
fn share(partitions: u32, members: u32, place: u32) -> Range<u32> {
    todo!("step 1: the share of member {place} of {members}, with {partitions} partitions")
}
