//! What this broker counts, for whoever watches it.

use wire::group_admin::ListGroupsRequest;

use super::traffic::Traffic;
use super::{Broker, Partition};
use crate::labs::consumer_groups::State;
use crate::numbers::names::*;
use crate::numbers::{Metric, Numbers};

impl Broker {
    pub(super) fn all_numbers(&mut self) -> Numbers {
        let mut numbers = Numbers::default();
        add_traffic(&mut numbers, None, &self.traffic);
        let mut sums = Sums::default();
        for (topic, partitions) in &mut self.topics {
            let mut traffic = Traffic::default();
            for partition in partitions.iter_mut().filter(|partition| partition.is_here()) {
                traffic.add(&partition.traffic);
                sums.add(partition);
                add_partition(&mut numbers, topic, partition);
            }
            if traffic != Traffic::default() {
                add_traffic(&mut numbers, Some(topic), &traffic);
            }
        }
        let all = [
            (&PARTITIONS, sums.partitions),
            (&LEADERS, sums.leaders),
            (&UNDER_REPLICATED, sums.under_replicated),
            (&UNDER_MIN_ISR, sums.under_min_isr),
            (&AT_MIN_ISR, sums.at_min_isr),
            (&OFFLINE_REPLICAS, sums.offline),
            (&OFFLINE_LOG_DIRS, sums.offline.min(1)),
            (&ISR_SHRINKS, self.in_sync.shrinks),
            (&ISR_EXPANDS, self.in_sync.expands),
        ];
        for (metric, value) in all {
            numbers.add(metric, &[], value as f64);
        }
        let waiting = [("Fetch", self.parked.len()), ("Produce", self.unfinished.len())];
        for (operation, waiting) in waiting {
            numbers.add(&PURGATORY, &[("delayedOperation", operation)], waiting as f64);
        }
        self.add_groups(&mut numbers);
        numbers
    }

    fn add_groups(&mut self, numbers: &mut Numbers) {
        let groups = self.list_groups(&ListGroupsRequest::default()).groups;
        numbers.add(&GROUPS, &[], groups.len() as f64);
        let states: [(&'static Metric, State); 5] = [
            (&GROUPS_STABLE, State::Stable),
            (&GROUPS_PREPARING, State::PreparingRebalance),
            (&GROUPS_COMPLETING, State::CompletingRebalance),
            (&GROUPS_EMPTY, State::Empty),
            (&GROUPS_DEAD, State::Dead),
        ];
        for (metric, state) in states {
            let count = groups.iter().filter(|group| group.group_state == state.name()).count();
            numbers.add(metric, &[], count as f64);
        }
    }
}

/// Over all replicas of this broker.
#[derive(Default)]
struct Sums {
    partitions: u64,
    leaders: u64,
    under_replicated: u64,
    under_min_isr: u64,
    at_min_isr: u64,
    offline: u64,
}

impl Sums {
    fn add(&mut self, partition: &Partition) {
        self.partitions += 1;
        self.offline += u64::from(partition.is_offline());
        if !partition.leads() {
            return;
        }
        let (in_sync, min) = (partition.assignment.isr.len(), partition.min_in_sync());
        self.leaders += 1;
        self.under_replicated += u64::from(in_sync < partition.assignment.replicas.len());
        self.under_min_isr += u64::from(in_sync < min);
        self.at_min_isr += u64::from(in_sync == min);
    }
}

fn add_partition(numbers: &mut Numbers, topic: &str, partition: &mut Partition) {
    let index = partition.index.to_string();
    let labels = [("topic", topic), ("partition", index.as_str())];
    if let Some(log) = partition.seen() {
        numbers.add(&LOG_START, &labels, log.start as f64);
        numbers.add(&LOG_END, &labels, log.end as f64);
        numbers.add(&LOG_SIZE, &labels, log.size as f64);
        numbers.add(&LOG_SEGMENTS, &labels, log.segments as f64);
    }
    if partition.leads() {
        let in_sync = partition.assignment.isr.len();
        let under = in_sync < partition.min_in_sync();
        numbers.add(&PARTITION_IN_SYNC, &labels, in_sync as f64);
        numbers.add(&PARTITION_UNDER_MIN_ISR, &labels, u8::from(under).into());
    }
}

fn add_traffic(numbers: &mut Numbers, topic: Option<&str>, traffic: &Traffic) {
    let labels = topic.map(|topic| ("topic", topic));
    let all = [
        (&MESSAGES_IN, traffic.messages_in),
        (&BYTES_IN, traffic.bytes_in),
        (&BYTES_OUT, traffic.bytes_out),
        (&BYTES_REJECTED, traffic.bytes_rejected),
        (&PRODUCE_REQUESTS, traffic.produce_requests),
        (&FAILED_PRODUCE, traffic.failed_produce),
        (&FETCH_REQUESTS, traffic.fetch_requests),
        (&FAILED_FETCH, traffic.failed_fetch),
        (&REPLICATION_IN, traffic.replication_bytes_in),
        (&REPLICATION_OUT, traffic.replication_bytes_out),
    ];
    for (metric, value) in all {
        numbers.add(metric, labels.as_slice(), value as f64);
    }
}
