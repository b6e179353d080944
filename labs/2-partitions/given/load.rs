//! How much each broker has to carry.

use std::collections::BTreeMap;

/// For each broker, how many partitions it leads, and of how many it holds a replica.
#[derive(Clone, Debug, Default)]
pub struct Load(BTreeMap<i32, (usize, usize)>);

impl Load {
    /// The load of partitions that are placed already. Each is the list of its brokers, the
    /// preferred leader first.
    pub fn of(placed: &[Vec<i32>]) -> Self {
        let mut load = Load::default();
        placed.iter().for_each(|replicas| load.add(replicas));
        load
    }

    /// Counts one more partition.
    pub fn add(&mut self, replicas: &[i32]) {
        for broker in replicas {
            self.0.entry(*broker).or_default().1 += 1;
        }
        if let Some(leader) = replicas.first() {
            self.0.entry(*leader).or_default().0 += 1;
        }
    }

    /// Partitions that this broker leads: clients write to it, and mostly read from it.
    pub fn leads(&self, broker: i32) -> usize {
        self.0.get(&broker).map_or(0, |(leads, _)| *leads)
    }

    /// Partitions of which this broker holds a replica, those that it leads included: so much of
    /// the data is on its disk.
    pub fn holds(&self, broker: i32) -> usize {
        self.0.get(&broker).map_or(0, |(_, holds)| *holds)
    }
}
