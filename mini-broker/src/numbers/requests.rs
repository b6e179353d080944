//! Requests of one broker's clients: how many, with what errors, and where their time went.
//! (`kafka.network.RequestMetrics`.)
//!
//! ```text
//! received → [request queue] → begun → [local] → done → [remote] → answered → [response queue] → sending → [send] → sent
//! ```

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::time::Instant;
use wire::{ErrorCode, RequestHeader, supported};

use super::names::{
    ERRORS, LOCAL_TIME, QUEUE_TIME, REMOTE_TIME, REQUESTS, RESPONSE_QUEUE_TIME, RESPONSE_SEND_TIME,
    TOTAL_TIME,
};
use super::{Metric, Numbers, Value};

/// What clients' answers took, of one broker.
#[derive(Debug, Default)]
pub struct Requests(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    /// By name and version.
    requests: BTreeMap<(&'static str, i16), u64>,
    errors: BTreeMap<(&'static str, ErrorCodeOrder), u64>,
    times: BTreeMap<&'static str, [Times; PHASES.len()]>,
}

/// `ErrorCode` has no order; its number has.
type ErrorCodeOrder = i16;

static PHASES: [&Metric; 6] = [
    &TOTAL_TIME,
    &QUEUE_TIME,
    &LOCAL_TIME,
    &REMOTE_TIME,
    &RESPONSE_QUEUE_TIME,
    &RESPONSE_SEND_TIME,
];

const QUANTILES: [f64; 6] = [0.50, 0.75, 0.95, 0.98, 0.99, 0.999];

/// Quantiles are of the values of the last one to two minutes.
const TURN: Duration = Duration::from_secs(60);
/// Longer ones count as this long.
const LONGEST_US: u64 = 300_000_000;

/// What a request's answer carries along until it is sent.
#[derive(Debug, Clone, Copy)]
pub struct Stamps {
    pub kind: FetchKind,
    pub received: Instant,
    /// The broker took it up.
    pub begun: Instant,
    /// It has done what it could without others.
    pub done: Instant,
    /// There is no answer yet: others have to do something first.
    pub waits: bool,
    /// There is an answer.
    pub answered: Instant,
}

impl Stamps {
    /// The answer is there.
    pub fn answered(self) -> Self {
        let answered = if self.waits { Instant::now() } else { self.done };
        Stamps { answered, ..self }
    }
}

/// Kafka counts fetches of consumers and of followers apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchKind {
    No,
    Consumer,
    Follower,
}

impl FetchKind {
    fn name(self) -> Option<&'static str> {
        match self {
            FetchKind::No => None,
            FetchKind::Consumer => Some("FetchConsumer"),
            FetchKind::Follower => Some("FetchFollower"),
        }
    }
}

impl Requests {
    /// An answer is sent.
    pub fn sent(
        &self,
        header: &RequestHeader,
        stamps: &Stamps,
        sending: Instant,
        errors: &[ErrorCode],
    ) {
        let sent = Instant::now();
        let Stamps { received, begun, done, answered, .. } = *stamps;
        let phases = [
            sent.saturating_duration_since(received),
            begun.saturating_duration_since(received),
            done.saturating_duration_since(begun),
            answered.saturating_duration_since(done),
            sending.saturating_duration_since(answered),
            sent.saturating_duration_since(sending),
        ];
        let own = supported(header.api_key).map(|range| range.name);
        let mut counted = self.lock();
        for name in own.into_iter().chain(stamps.kind.name()) {
            *counted.requests.entry((name, header.api_version)).or_default() += 1;
            for error in errors {
                *counted.errors.entry((name, error.0)).or_default() += 1;
            }
            let times = counted
                .times
                .entry(name)
                .or_insert_with(|| std::array::from_fn(|_| Times::new(sent)));
            for (times, took) in times.iter_mut().zip(phases) {
                times.took(sent, took);
            }
        }
    }

    pub fn numbers(&self, now: Instant) -> Numbers {
        let mut numbers = Numbers::default();
        let mut counted = self.lock();
        for ((name, version), count) in &counted.requests {
            let labels = [("request", *name), ("version", &version.to_string())];
            numbers.add(&REQUESTS, &labels, *count as f64);
        }
        for ((name, code), count) in &counted.errors {
            let labels = [("request", *name), ("error", ErrorCode(*code).name())];
            numbers.add(&ERRORS, &labels, *count as f64);
        }
        for (name, times) in &mut counted.times {
            for (metric, times) in PHASES.iter().zip(times) {
                numbers.add_value(metric, &[("request", name)], times.summary(now));
            }
        }
        numbers
    }

    /// A panic elsewhere leaves at most one request uncounted.
    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One phase of one kind of request, in microseconds.
#[derive(Debug)]
struct Times {
    count: u64,
    sum: Duration,
    /// Of this turn, and of the one before.
    now: Histogram<u32>,
    before: Histogram<u32>,
    turned: Instant,
}

impl Times {
    fn new(now: Instant) -> Self {
        let empty =
            || Histogram::new_with_bounds(1, LONGEST_US, 2).expect("these bounds are right");
        Times { count: 0, sum: Duration::ZERO, now: empty(), before: empty(), turned: now }
    }

    fn took(&mut self, now: Instant, took: Duration) {
        self.turn(now);
        self.count += 1;
        self.sum += took;
        self.now.saturating_record(took.as_micros() as u64);
    }

    fn turn(&mut self, now: Instant) {
        let since = now.saturating_duration_since(self.turned);
        if since < TURN {
            return;
        }
        std::mem::swap(&mut self.now, &mut self.before);
        self.now.reset();
        if since >= 2 * TURN {
            self.before.reset();
        }
        self.turned = now;
    }

    fn summary(&mut self, now: Instant) -> Value {
        self.turn(now);
        let mut both = self.before.clone();
        both.add(&self.now).expect("the same bounds");
        let value = |quantile| match both.is_empty() {
            true => f64::NAN,
            false => both.value_at_quantile(quantile) as f64 / 1000.0,
        };
        Value::Summary {
            count: self.count,
            sum: self.sum.as_secs_f64() * 1000.0,
            quantiles: QUANTILES.iter().map(|quantile| (*quantile, value(*quantile))).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_forget_after_two_minutes_and_counts_never() {
        let start = Instant::now();
        let mut times = Times::new(start);
        for _ in 0..10 {
            times.took(start, Duration::from_millis(4));
        }
        times.took(start + TURN, Duration::from_millis(8));
        let quantile = |value: &Value, at: usize| match value {
            Value::Summary { quantiles, .. } => quantiles[at].1,
            Value::Number(_) => panic!("a summary"),
        };
        let value = times.summary(start + TURN);
        assert!((quantile(&value, 0) - 4.0).abs() < 0.1, "{value:?}");
        assert!((quantile(&value, 5) - 8.0).abs() < 0.1, "{value:?}");
        let value = times.summary(start + 2 * TURN);
        assert!((quantile(&value, 0) - 8.0).abs() < 0.1, "{value:?}");
        let value = times.summary(start + 5 * TURN);
        assert!(quantile(&value, 0).is_nan(), "{value:?}");
        assert!(matches!(value, Value::Summary { count: 11, sum, .. } if sum == 48.0), "{value:?}");
    }

    #[test]
    fn a_fetch_counts_under_two_names() {
        let requests = Requests::default();
        let now = Instant::now();
        let stamps = Stamps {
            kind: FetchKind::Follower,
            received: now,
            begun: now,
            done: now,
            waits: false,
            answered: now,
        };
        let header = RequestHeader { api_key: 1, api_version: 12, ..Default::default() };
        requests.sent(&header, &stamps, now, &[ErrorCode::NONE, ErrorCode::NOT_LEADER_OR_FOLLOWER]);
        let numbers = requests.numbers(now);
        let labels: Vec<_> =
            numbers.0[&REQUESTS].iter().map(|(labels, _)| labels[0].1.as_str()).collect();
        assert_eq!(labels, ["Fetch", "FetchFollower"]);
        assert_eq!(numbers.0[&ERRORS].len(), 4);
    }
}
