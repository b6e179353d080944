//! The cluster: its brokers, what each of them leads, and what is not as it should be.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use wire::metadata::MetadataResponse;

use super::{Frame, Live, Shared, Site, count, html, rate, watched};
use crate::client::address;
use crate::coordinator::METADATA_DIR;
use crate::http::Problem;
use crate::monitor::Monitor;
use crate::numbers::names::RAFT_HIGH_WATERMARK;

#[derive(Template)]
#[template(path = "cluster.html")]
struct Page {
    frame: Frame,
    live: String,
}

#[derive(Template)]
#[template(path = "cluster_live.html")]
struct Part {
    cluster_id: String,
    coordinator: String,
    /// Records of the metadata log, and where it lies; empty if the coordinator runs elsewhere.
    decided: String,
    coordinator_files: String,
    topics: String,
    partitions: String,
    groups: String,
    under_replicated: usize,
    offline: usize,
    not_preferred: usize,
    brokers: Vec<Broker>,
}

struct Broker {
    id: i32,
    address: String,
    replicas: usize,
    leads: usize,
    /// How many more or fewer than an even share.
    skew: String,
    leader_skew: String,
    out_of_sync: usize,
    come: String,
}

pub async fn page(site: Shared, Query(query): Query<Live>) -> Result<Response, Problem> {
    if query.live.is_some() {
        return watched(site, live);
    }
    let State(site) = site;
    let frame = site.frame("cluster", "Cluster", "/?live=1");
    html(&Page { frame, live: live(site).await? })
}

async fn live(site: Arc<Site>) -> Result<String, Problem> {
    let mut part = site.watching.ask(|monitor, cluster| part(monitor, cluster)).await?;
    if let Some(node) = site.nodes.all.iter().find(|node| node.broker.is_none())
        && let Some(decided) = node.counts(&RAFT_HIGH_WATERMARK).await
    {
        part.decided = count(decided as u64);
        part.coordinator_files = format!("/files/{}/{METADATA_DIR}", node.name());
    }
    Ok(part.render()?)
}

fn part(monitor: &Monitor, cluster: &MetadataResponse) -> Part {
    let mut brokers: BTreeMap<i32, Broker> = BTreeMap::new();
    let mut rates: BTreeMap<i32, f64> = BTreeMap::new();
    for broker in &cluster.brokers {
        let (id, address) = (broker.node_id, address(&broker.host, broker.port));
        brokers.insert(id, Broker::new(id, address));
    }
    let (mut partitions, mut under_replicated, mut offline, mut not_preferred) = (0, 0, 0, 0);
    for topic in &cluster.topics {
        for partition in &topic.partitions {
            partitions += 1;
            under_replicated +=
                usize::from(partition.isr_nodes.len() < partition.replica_nodes.len());
            offline += usize::from(partition.leader_id < 0);
            let preferred = partition.replica_nodes.first();
            not_preferred += usize::from(preferred != Some(&partition.leader_id));
            for id in &partition.replica_nodes {
                // One that is away is not among the brokers, and still has its replicas.
                let broker = brokers.entry(*id).or_insert_with(|| Broker::new(*id, "away".into()));
                broker.replicas += 1;
                broker.leads += usize::from(partition.leader_id == *id);
                broker.out_of_sync += usize::from(!partition.isr_nodes.contains(id));
            }
            let key = (topic.name.clone().unwrap_or_default(), partition.partition_index);
            if let Some(come) = monitor.come_per_s(&key) {
                *rates.entry(partition.leader_id).or_default() += come;
            }
        }
    }
    let replicas: usize = brokers.values().map(|broker| broker.replicas).sum();
    let leads: usize = brokers.values().map(|broker| broker.leads).sum();
    let many = brokers.len().max(1);
    for (id, broker) in &mut brokers {
        broker.skew = skew(broker.replicas, replicas, many);
        broker.leader_skew = skew(broker.leads, leads, many);
        broker.come = rate(rates.get(id).copied().or(Some(0.0)));
    }
    Part {
        cluster_id: cluster.cluster_id.clone().unwrap_or_default(),
        coordinator: match cluster.controller_id {
            ..0 => "away: nothing is decided meanwhile".to_owned(),
            id => format!("what only it can answer goes there by way of broker {id}"),
        },
        decided: String::new(),
        coordinator_files: String::new(),
        topics: count(cluster.topics.len() as u64),
        partitions: count(partitions as u64),
        groups: count(monitor.groups().count() as u64),
        under_replicated,
        offline,
        not_preferred,
        brokers: brokers.into_values().collect(),
    }
}

impl Broker {
    fn new(id: i32, address: String) -> Self {
        let (skew, leader_skew, come) = Default::default();
        Broker { id, address, replicas: 0, leads: 0, skew, leader_skew, out_of_sync: 0, come }
    }
}

/// Against an even share, in whole partitions.
fn skew(has: usize, all: usize, brokers: usize) -> String {
    let even = all as f64 / brokers as f64;
    let more = (has as f64 - even).round();
    match more {
        0.0 => "even".to_owned(),
        more => format!("{more:+}"),
    }
}

#[cfg(test)]
mod tests {
    use super::skew;

    #[test]
    fn skew_is_told_in_partitions() {
        assert_eq!(skew(4, 12, 3), "even");
        assert_eq!(skew(6, 12, 3), "+2");
        assert_eq!(skew(0, 12, 3), "-4");
        assert_eq!(skew(1, 4, 3), "even");
        assert_eq!(skew(0, 0, 1), "even");
    }
}
