//! `/metrics`: what the nodes of this process count, and how far behind groups are, in Prometheus' text format.
//! (jmx_exporter on each broker, and kafka_exporter beside them.)

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus::proto::{
    Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType, Quantile, Summary,
};
use prometheus::{Encoder, TEXT_FORMAT, TextEncoder};
use tokio::sync::{Mutex, oneshot};
use tokio::time::{Instant, timeout};
use wire::metadata::MetadataResponse;

use super::{Node, PATIENCE, Shared, Site};
use crate::engine::ToEngine;
use crate::monitor::Monitor;
use crate::numbers::names::*;
use crate::numbers::{Kind, Numbers, Value};

/// Whoever scrapes more often than this gets the same numbers again.
const FRESH: Duration = Duration::from_millis(200);

pub fn routes() -> Router<Arc<Site>> {
    Router::new().route("/metrics", get(scrape))
}

/// The nodes of this process, and what was told of them last.
pub struct Nodes {
    pub all: Vec<Node>,
    /// The last answer, and when it was made. The lock makes scrapes that come together share one.
    last: Mutex<Option<(Instant, String)>>,
}

async fn scrape(State(site): Shared) -> Response {
    let outside =
        async { site.watching.ask(|monitor, cluster| from_outside(monitor, cluster)).await.ok() };
    site.nodes.scraped(outside).await
}

/// For a process that has only a coordinator, and does not look at groups.
pub async fn scrape_nodes(State(nodes): State<Arc<Nodes>>) -> Response {
    nodes.scraped(async { None }).await
}

impl Nodes {
    pub fn new(all: Vec<Node>) -> Self {
        Nodes { all, last: Mutex::default() }
    }

    async fn scraped(&self, outside: impl Future<Output = Option<Numbers>>) -> Response {
        let mut last = self.last.lock().await;
        let text = match &*last {
            Some((at, text)) if at.elapsed() < FRESH => text.clone(),
            _ => {
                let mut numbers = self.numbers().await;
                if let Some(outside) = outside.await {
                    numbers.extend(outside, None);
                }
                last.insert((Instant::now(), text(&numbers))).1.clone()
            }
        };
        ([(CONTENT_TYPE, TEXT_FORMAT)], text).into_response()
    }

    async fn numbers(&self) -> Numbers {
        let mut numbers = Numbers::default();
        let several = self.all.iter().filter(|node| node.broker.is_some()).count() > 1;
        for node in &self.all {
            let name = node.broker.map(|id| id.to_string());
            // A single broker's numbers are the process's, as with Kafka's own.
            let label = name.as_deref().filter(|_| several).map(|name| ("broker", name));
            if let Some(counted) = node.numbers().await {
                numbers.extend(counted, label);
            }
            if let Some(requests) = &node.requests {
                numbers.extend(requests.numbers(Instant::now()), label);
            }
        }
        numbers
    }
}

impl Node {
    /// `None`: it has ended, or hangs.
    async fn numbers(&self) -> Option<Numbers> {
        let (answer, counted) = oneshot::channel();
        let asked = async {
            self.to_engine.send(ToEngine::Count(answer)).await.ok()?;
            counted.await.ok()
        };
        timeout(PATIENCE, asked).await.ok().flatten()
    }

    /// One number without labels.
    pub async fn counts(&self, metric: &'static crate::numbers::Metric) -> Option<f64> {
        match self.numbers().await?.0.get(metric)?.first()? {
            (_, Value::Number(number)) => Some(*number),
            (_, Value::Summary { .. }) => None,
        }
    }
}

/// What kafka_exporter finds out.
fn from_outside(monitor: &Monitor, cluster: &MetadataResponse) -> Numbers {
    let mut numbers = Numbers::default();
    numbers.add(&BROKERS, &[], cluster.brokers.len() as f64);
    for topic in &cluster.topics {
        let name = topic.name.as_deref().unwrap_or_default();
        numbers.add(&TOPIC_PARTITIONS, &[("topic", name)], topic.partitions.len() as f64);
        for partition in &topic.partitions {
            let index = partition.partition_index.to_string();
            let labels = [("topic", name), ("partition", index.as_str())];
            let (replicas, isr) = (&partition.replica_nodes, &partition.isr_nodes);
            let preferred = replicas.first() == Some(&partition.leader_id);
            let under = isr.len() < replicas.len();
            numbers.add(&PARTITION_LEADER, &labels, partition.leader_id.into());
            numbers.add(&PARTITION_PREFERRED, &labels, u8::from(preferred).into());
            numbers.add(&PARTITION_REPLICAS, &labels, replicas.len() as f64);
            numbers.add(&PARTITION_ISR, &labels, isr.len() as f64);
            numbers.add(&PARTITION_UNDER_REPLICATED, &labels, u8::from(under).into());
        }
    }
    for ((topic, partition), (start, end)) in monitor.logs() {
        let index = partition.to_string();
        let labels = [("topic", topic.as_str()), ("partition", index.as_str())];
        numbers.add(&PARTITION_START, &labels, start as f64);
        numbers.add(&PARTITION_END, &labels, end as f64);
    }
    for group in monitor.groups() {
        let Some(view) = monitor.group(super::now_ms(), group) else { continue };
        numbers.add(&GROUP_MEMBERS, &[("consumergroup", group)], view.members as f64);
        let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
        for partition in &view.partitions {
            let Some(committed) = partition.committed else { continue };
            let index = partition.partition.to_string();
            let topic = partition.topic.as_str();
            let labels = [("consumergroup", group), ("topic", topic), ("partition", &index)];
            numbers.add(&GROUP_OFFSET, &labels, committed as f64);
            // The learner's number, or none.
            if let Ok(Some(lag)) = partition.lag {
                numbers.add(&GROUP_LAG, &labels, lag as f64);
                *sums.entry(topic).or_default() += lag as f64;
            }
        }
        for (topic, sum) in sums {
            numbers.add(&GROUP_LAG_SUM, &[("consumergroup", group), ("topic", topic)], sum);
        }
    }
    numbers
}

fn text(numbers: &Numbers) -> String {
    let mut families = Vec::new();
    for metric in ALL {
        let Some(values) = numbers.0.get(metric) else { continue };
        let mut family = MetricFamily::default();
        family.set_name(metric.name.to_owned());
        family.set_help(metric.help.to_owned());
        family.set_field_type(match metric.kind {
            Kind::Counter => MetricType::COUNTER,
            Kind::Gauge => MetricType::GAUGE,
            Kind::Summary => MetricType::SUMMARY,
        });
        let values = values.iter().map(|(labels, value)| {
            let mut one = Metric::default();
            let label = |(name, value): &(&'static str, String)| {
                let mut pair = LabelPair::default();
                pair.set_name((*name).to_owned());
                pair.set_value(value.clone());
                pair
            };
            one.set_label(labels.iter().map(label).collect());
            set(&mut one, metric.kind, value);
            one
        });
        family.set_metric(values.collect());
        families.push(family);
    }
    let mut text = Vec::new();
    // It refuses a family without values only, and there is none.
    TextEncoder::new().encode(&families, &mut text).expect("families have values");
    let text = String::from_utf8(text).expect("names and labels are text");
    // As jmx_exporter writes the median, and dashboards ask for it.
    text.replace("quantile=\"0.5\"", "quantile=\"0.50\"")
}

fn set(one: &mut Metric, kind: Kind, value: &Value) {
    match (kind, value) {
        (Kind::Counter, Value::Number(value)) => {
            let mut counter = Counter::default();
            counter.set_value(*value);
            one.set_counter(counter);
        }
        (_, Value::Number(value)) => {
            let mut gauge = Gauge::default();
            gauge.set_value(*value);
            one.set_gauge(gauge);
        }
        (_, Value::Summary { count, sum, quantiles }) => {
            let mut summary = Summary::default();
            summary.set_sample_count(*count);
            summary.set_sample_sum(*sum);
            let quantile = |(share, value): &(f64, f64)| {
                let mut quantile = Quantile::default();
                quantile.set_quantile(*share);
                quantile.set_value(*value);
                quantile
            };
            summary.set_quantile(quantiles.iter().map(quantile).collect());
            one.set_summary(summary);
        }
    }
}
