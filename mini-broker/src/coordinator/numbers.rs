//! What the coordinator counts, under the names of Kafka's controller.

use super::{Cluster, Coordinator, NO_LEADER, Record};
use crate::numbers::Numbers;
use crate::numbers::names::*;

/// Leaders elected since the start.
#[derive(Debug, Default)]
pub struct Elections {
    all: u64,
    unclean: u64,
}

impl Elections {
    /// A record that is about to change the cluster.
    pub fn count(&mut self, cluster: &Cluster, record: &Record) {
        let Record::PartitionChange { topic, index, leader: Some(leader), .. } = record else {
            return;
        };
        let is = cluster.name_of(*topic).and_then(|name| cluster.partition(name, *index));
        let Some(is) = is.filter(|_| *leader != NO_LEADER) else { return };
        self.all += 1;
        self.unclean += u64::from(!is.isr.contains(leader));
    }
}

impl Coordinator {
    pub(super) fn all_numbers(&self) -> Numbers {
        let brokers = self.cluster.brokers.values();
        let fenced = brokers.clone().filter(|broker| broker.fenced).count();
        let partitions = || self.cluster.topics.values().flat_map(|topic| &topic.partitions);
        let offline = partitions().filter(|is| is.leader == NO_LEADER).count();
        let elsewhere = partitions().filter(|is| is.replicas.first() != Some(&is.leader)).count();
        let all = [
            (&ACTIVE_CONTROLLER, 1),
            (&ACTIVE_BROKERS, (brokers.count() - fenced) as u64),
            (&FENCED_BROKERS, fenced as u64),
            (&OFFLINE_PARTITIONS, offline as u64),
            (&GLOBAL_TOPICS, self.cluster.topics.len() as u64),
            (&GLOBAL_PARTITIONS, partitions().count() as u64),
            (&NOT_PREFERRED, elsewhere as u64),
            (&ELECTIONS, self.elections.all),
            (&UNCLEAN_ELECTIONS, self.elections.unclean),
            (&RAFT_LOG_END, self.log.end()),
            (&RAFT_HIGH_WATERMARK, self.log.high_watermark()),
        ];
        let mut numbers = Numbers::default();
        for (metric, value) in all {
            numbers.add(metric, &[], value as f64);
        }
        numbers
    }
}
