//! What a node counts, for whoever watches it: plain values, with the names that Prometheus finds them under.
//!
//! A node counts what it decides ([`Node::numbers`](crate::node::Node::numbers)), without a clock. How long requests take
//! is measured around it, in [`requests`].

pub mod names; // every metric there is, one line each

pub mod requests; // how many, and how long they took

use std::collections::BTreeMap;

/// A metric: its name, what it means, and how it behaves.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Metric {
    pub name: &'static str,
    pub kind: Kind,
    /// One sentence, and Kafka's MBean where it has one.
    pub help: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It only grows, from the start of the process on.
    Counter,
    Gauge,
    Summary,
}

/// Names and values: which topic, which request.
pub type Labels = Vec<(&'static str, String)>;

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Number(f64),
    Summary {
        count: u64,
        sum: f64,
        /// What share of the values is not above which.
        quantiles: Vec<(f64, f64)>,
    },
}

/// Values of metrics at one look.
#[derive(Debug, Default, PartialEq)]
pub struct Numbers(pub BTreeMap<&'static Metric, Vec<(Labels, Value)>>);

impl Numbers {
    pub fn add(&mut self, metric: &'static Metric, labels: &[(&'static str, &str)], value: f64) {
        self.add_value(metric, labels, Value::Number(value));
    }

    pub fn add_value(
        &mut self,
        metric: &'static Metric,
        labels: &[(&'static str, &str)],
        value: Value,
    ) {
        let labels = labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        self.0.entry(metric).or_default().push((labels, value));
    }

    /// Takes in what another node counts; `label` says whose it is.
    pub fn extend(&mut self, other: Numbers, label: Option<(&'static str, &str)>) {
        for (metric, values) in other.0 {
            let known = self.0.entry(metric).or_default();
            for (mut labels, value) in values {
                labels.extend(label.map(|(name, value)| (name, value.to_owned())));
                known.push((labels, value));
            }
        }
    }
}
