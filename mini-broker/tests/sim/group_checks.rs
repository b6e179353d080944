//! What has to be so of a group: everything is read, by one member each, once nothing goes wrong; and what was
//! acknowledged is there.

use std::collections::BTreeMap;

use crate::clients::Does;
use crate::member::{GROUP, OFFSETS};
use crate::world::{BROKERS, World};

impl World {
    /// Whether records of the group may be lost, because power was lost everywhere they were.
    pub fn is_group_excused(&self) -> bool {
        let partitions = self.checks.partitions.values();
        let lost = partitions.filter(|it| it.topic == OFFSETS && it.excused_from.is_some());
        lost.count() > 0
    }

    /// Why the group is not as it should be when nothing goes wrong.
    pub fn group_not_yet(&self) -> Option<String> {
        let mut owned = Vec::new();
        let mut generations = Vec::new();
        for (client, known) in self.clients.iter().enumerate() {
            let Does::Consume(member) = &known.does else { continue };
            let Some((generation, part)) = member.part() else {
                return Some(format!("client {client} has no part in its group"));
            };
            owned.extend_from_slice(part);
            generations.push(generation);
        }
        if generations.is_empty() {
            return None; // nobody consumes
        }
        owned.sort_unstable();
        let mut all = self.units();
        all.sort_unstable();
        if !(1..=BROKERS)
            .any(|host| self.hosts[host].broker().is_some_and(|it| it.knows_group(GROUP)))
        {
            return Some("no broker knows the group".into());
        }
        if generations.iter().any(|it| *it != generations[0]) || owned != all {
            return Some(format!("the group is in generations {generations:?} and has {owned:?}"));
        }
        None
    }

    /// What was acknowledged is there.
    pub fn check_committed(&mut self) -> Option<String> {
        if self.is_group_excused() {
            self.counts.add("groups that lost power", 1);
            return None;
        }
        let brokers = (1..=BROKERS).filter_map(|host| self.hosts[host].broker());
        let acknowledged = self.checks.group.acknowledged.clone();
        let mut there = BTreeMap::new();
        for broker in brokers {
            for unit in acknowledged.keys() {
                if let Some(offset) = broker.committed_offset(GROUP, unit.0, unit.1) {
                    there.insert(*unit, offset);
                }
            }
        }
        let lost = acknowledged.iter().find(|(unit, offset)| there.get(unit) < Some(offset));
        lost.map(|(unit, offset)| {
            format!("{unit:?}: {offset} was acknowledged, there is {:?}", there.get(unit))
        })
    }
}
