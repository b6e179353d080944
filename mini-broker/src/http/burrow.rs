//! What Burrow says over HTTP, path for path and field for field, as its version 1.2.1 does. Only that `owner` and
//! `client_id` are known here, where Burrow 1.2.1 leaves them empty. (`core/internal/httpserver`, `core/protocol`.)
//!
//! The verdicts are those of lab 5's organ. A step that is not written yet answers 500, and says which.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use axum::{Json, Router};
use serde::Serialize;

use super::{Shared, Site, now_ms, watching};
use crate::client::TopicPartition;
use crate::labs::lag::{Commit, PartitionStatus, Status, roll_up};
use crate::labs::{Broken, fenced, told};
use crate::monitor::Monitor;
use crate::monitor::view::PartitionView;

/// There is one cluster, and Burrow's configuration would have to name it.
const CLUSTER: &str = "local";

pub fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/burrow/admin", get(|| async { "GOOD" }))
        .route("/burrow/admin/ready", get(ready))
        .route("/v3/kafka", get(clusters))
        .route("/v3/kafka/{cluster}", get(cluster))
        .route("/v3/kafka/{cluster}/topic", get(topics))
        .route("/v3/kafka/{cluster}/topic/{topic}", get(topic))
        .route("/v3/kafka/{cluster}/topic/{topic}/consumers", get(consumers_of_topic))
        .route("/v3/kafka/{cluster}/consumer", get(consumers))
        .route("/v3/kafka/{cluster}/consumer/{group}", get(consumer).delete(forget))
        .route("/v3/kafka/{cluster}/consumer/{group}/topic/{topic}", delete(forget_topic))
        .route("/v3/kafka/{cluster}/consumer/{group}/status", get(status))
        .route("/v3/kafka/{cluster}/consumer/{group}/lag", get(lag))
        .route("/v3/{*rest}", get(nothing_here))
        .route("/burrow/{*rest}", get(nothing_here))
}

#[derive(Serialize)]
struct Envelope<T> {
    error: bool,
    message: String,
    #[serde(flatten)]
    says: T,
    request: RequestInfo,
}

#[derive(Serialize)]
struct RequestInfo {
    url: String,
    host: String,
}

#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
struct Clusters {
    clusters: [&'static str; 1],
}

#[derive(Serialize)]
struct Topics<T> {
    topics: T,
}

#[derive(Serialize)]
struct Offsets {
    offsets: Vec<u64>,
}

#[derive(Serialize)]
struct Consumers<'a> {
    consumers: Vec<&'a str>,
}

#[derive(Serialize)]
struct Says {
    status: GroupSays,
}

#[derive(Serialize)]
struct Detail {
    module: Module,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Module {
    class_name: &'static str,
    servers: Vec<String>,
    client_profile: Profile,
    topic_refresh: u64,
    offset_refresh: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Profile {
    name: &'static str,
    client_id: &'static str,
    kafka_version: &'static str,
    tls: Option<Nothing>,
    sasl: Option<Nothing>,
}

fn answer<T: Serialize>(
    uri: &Uri,
    status: StatusCode,
    error: bool,
    message: impl Into<String>,
    says: T,
) -> Response {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let request = RequestInfo { url: uri.path().to_owned(), host };
    (status, Json(Envelope { error, message: message.into(), says, request })).into_response()
}

fn found<T: Serialize>(uri: &Uri, message: &str, says: T) -> Response {
    answer(uri, StatusCode::OK, false, message, says)
}

fn missing(uri: &Uri, message: &str) -> Response {
    answer(uri, StatusCode::NOT_FOUND, true, message, Nothing {})
}

/// As Go's `http.Error` sends it.
async fn nothing_here() -> Response {
    let text = "{\"error\":true,\"message\":\"invalid request type\",\"result\":{}}\n";
    let plain = [(CONTENT_TYPE, "text/plain; charset=utf-8")];
    (StatusCode::NOT_FOUND, plain, text).into_response()
}

/// Asks the monitor; what it cannot say now is an error of Burrow's form.
async fn ask(
    site: &Site,
    uri: Uri,
    question: impl FnOnce(&mut Monitor, &Uri) -> Response + Send + 'static,
) -> Response {
    let at = uri.clone();
    let asked = site.watching.ask(move |monitor, _| question(monitor, &at)).await;
    asked.unwrap_or_else(|problem| answer(&uri, problem.status, true, problem.sentence, Nothing {}))
}

async fn ready(State(site): Shared) -> Response {
    match site.watching.ask(|_, _| ()).await {
        Ok(()) => "READY".into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "STARTING").into_response(),
    }
}

async fn clusters(uri: Uri) -> Response {
    found(&uri, "cluster list returned", Clusters { clusters: [CLUSTER] })
}

async fn cluster(State(site): Shared, Path(cluster): Path<String>, uri: Uri) -> Response {
    if cluster != CLUSTER {
        return missing(&uri, "cluster module not found");
    }
    let every = watching::EVERY.as_secs();
    let client_profile = Profile {
        name: "",
        client_id: "mini-broker-http",
        kafka_version: "",
        tls: None,
        sasl: None,
    };
    let module = Module {
        class_name: "kafka",
        servers: site.bootstrap.split(',').map(str::to_owned).collect(),
        client_profile,
        topic_refresh: every,
        offset_refresh: every,
    };
    found(&uri, "cluster module detail returned", Detail { module })
}

async fn topics(State(site): Shared, Path(cluster): Path<String>, uri: Uri) -> Response {
    if cluster != CLUSTER {
        return missing(&uri, "cluster not found");
    }
    ask(&site, uri, |monitor, uri| {
        let mut topics: Vec<&str> = monitor.logs().map(|((topic, _), _)| topic.as_str()).collect();
        topics.dedup();
        found(uri, "topic list returned", Topics { topics })
    })
    .await
}

async fn topic(
    State(site): Shared,
    Path((cluster, topic)): Path<(String, String)>,
    uri: Uri,
) -> Response {
    ask(&site, uri, move |monitor, uri| {
        let of_topic = monitor.logs().filter(|((name, _), _)| *name == topic);
        let ends: Vec<u64> = of_topic.map(|(_, (_, end))| end).collect();
        match cluster == CLUSTER && !ends.is_empty() {
            true => found(uri, "topic offsets returned", Offsets { offsets: ends }),
            false => missing(uri, "cluster or topic not found"),
        }
    })
    .await
}

async fn consumers_of_topic(
    State(site): Shared,
    Path((cluster, topic)): Path<(String, String)>,
    uri: Uri,
) -> Response {
    consumers_that(site, cluster, uri, "consumers of topic returned", move |monitor, group| {
        monitor.topics_of(group).contains(topic.as_str())
    })
    .await
}

async fn consumers(State(site): Shared, Path(cluster): Path<String>, uri: Uri) -> Response {
    consumers_that(site, cluster, uri, "consumer list returned", |monitor, group| {
        !monitor.topics_of(group).is_empty()
    })
    .await
}

async fn consumers_that(
    site: Arc<Site>,
    cluster: String,
    uri: Uri,
    message: &'static str,
    wanted: impl Fn(&Monitor, &str) -> bool + Send + 'static,
) -> Response {
    if cluster != CLUSTER {
        return missing(&uri, "cluster not found");
    }
    ask(&site, uri, move |monitor, uri| {
        let consumers = monitor.groups().filter(|group| wanted(monitor, group)).collect();
        found(uri, message, Consumers { consumers })
    })
    .await
}

/// One stored commit.
#[derive(Serialize, Clone)]
struct Offset {
    offset: u64,
    timestamp: u64,
    lag: Option<u64>,
}

impl From<&Commit> for Offset {
    fn from(commit: &Commit) -> Self {
        Offset { offset: commit.offset, timestamp: commit.at_ms, lag: commit.lag }
    }
}

/// All that is stored of a group in a partition.
#[derive(Serialize)]
struct Stored {
    offsets: Vec<Option<Offset>>,
    owner: String,
    client_id: String,
    #[serde(rename = "current-lag")]
    current_lag: u64,
}

async fn consumer(
    State(site): Shared,
    Path((cluster, group)): Path<(String, String)>,
    uri: Uri,
) -> Response {
    ask(&site, uri, move |monitor, uri| {
        let Some(places) = (cluster == CLUSTER).then(|| places(monitor, &group)).flatten() else {
            return missing(uri, "cluster or consumer not found");
        };
        let mut topics: BTreeMap<String, Vec<Stored>> = BTreeMap::new();
        for place in places {
            let commits = place.commits;
            let missing = monitor.intervals() - commits.len();
            let offsets: Vec<Option<Offset>> = match commits.is_empty() {
                true => Vec::new(),
                false => {
                    let none = std::iter::repeat_with(|| None).take(missing);
                    none.chain(commits.iter().map(|commit| Some(commit.into()))).collect()
                }
            };
            topics.entry(place.key.0).or_default().push(Stored {
                offsets,
                owner: place.owner,
                client_id: place.client_id,
                current_lag: place.lag,
            });
        }
        found(uri, "consumer detail returned", Topics { topics })
    })
    .await
}

/// A partition of a topic that a group reads.
struct Place<'a> {
    key: TopicPartition,
    commits: &'a [Commit],
    owner: String,
    client_id: String,
    lag: u64,
    view: Option<PartitionView>,
}

/// All partitions of the topics that a group has committed anything of, in order, whether it has committed anything of
/// them or not. `None`: there is no such group.
fn places<'a>(monitor: &'a Monitor, group: &str) -> Option<Vec<Place<'a>>> {
    // Burrow reckons in whole seconds.
    let view = monitor.group(now_ms() / 1000 * 1000, group)?;
    let topics = monitor.topics_of(group);
    if topics.is_empty() {
        return None;
    }
    let mut views: BTreeMap<TopicPartition, PartitionView> = BTreeMap::new();
    for partition in view.partitions {
        views.insert((partition.topic.clone(), partition.partition), partition);
    }
    let logs = monitor.logs().map(|(key, _)| key);
    let mut keys: Vec<TopicPartition> = logs
        .chain(views.keys())
        .filter(|(topic, _)| topics.contains(topic.as_str()))
        .cloned()
        .collect();
    keys.sort();
    keys.dedup();
    let place = |key: TopicPartition| {
        let view = views.remove(&key);
        let owner = view.as_ref().and_then(|view| view.owner.clone());
        let (host, client_id) = owner.map(|it| (it.host, it.client_id)).unwrap_or_default();
        let read = view.as_ref().and_then(|view| Some((view.log?.1, view.committed?)));
        let lag = read.map_or(0, |(end, committed)| end.saturating_sub(committed));
        Place { commits: monitor.commits(group, &key), key, owner: host, client_id, lag, view }
    };
    Some(keys.into_iter().map(place).collect())
}

#[derive(Serialize)]
struct GroupSays {
    cluster: String,
    group: String,
    status: &'static str,
    complete: f32,
    partitions: Vec<PartitionSays>,
    partition_count: usize,
    maxlag: Option<PartitionSays>,
    totallag: u64,
}

#[derive(Serialize, Clone)]
struct PartitionSays {
    topic: String,
    partition: i32,
    owner: String,
    client_id: String,
    status: &'static str,
    start: Option<Offset>,
    end: Option<Offset>,
    current_lag: u64,
    complete: f32,
}

async fn status(
    State(site): Shared,
    Path((cluster, group)): Path<(String, String)>,
    uri: Uri,
) -> Response {
    status_of(site, cluster, group, uri, false).await
}

async fn lag(
    State(site): Shared,
    Path((cluster, group)): Path<(String, String)>,
    uri: Uri,
) -> Response {
    status_of(site, cluster, group, uri, true).await
}

async fn status_of(
    site: Arc<Site>,
    cluster: String,
    group: String,
    uri: Uri,
    show_all: bool,
) -> Response {
    ask(&site, uri, move |monitor, uri| {
        let message = "consumer status returned";
        let places = (cluster == CLUSTER).then(|| places(monitor, &group)).flatten();
        let Some(places) = places else {
            // Burrow takes that for no error.
            let status = not_found(cluster, group);
            return answer(uri, StatusCode::NOT_FOUND, false, message, Says { status });
        };
        match group_says(cluster, group, places, show_all) {
            Ok(status) => found(uri, message, Says { status }),
            Err(broken) => {
                let sentence = told("lag", &broken);
                answer(uri, StatusCode::INTERNAL_SERVER_ERROR, true, sentence, Nothing {})
            }
        }
    })
    .await
}

fn not_found(cluster: String, group: String) -> GroupSays {
    GroupSays {
        cluster,
        group,
        status: Status::NotFound.name(),
        complete: 1.0,
        partitions: Vec::new(),
        partition_count: 0,
        maxlag: None,
        totallag: 0,
    }
}

fn group_says(
    cluster: String,
    group: String,
    places: Vec<Place<'_>>,
    show_all: bool,
) -> Result<GroupSays, Broken> {
    let mut statuses = Vec::new();
    let mut partitions = Vec::new();
    for Place { key: (topic, partition), commits, owner, client_id, lag, view } in places {
        let (status, complete) = match view.filter(|_| !commits.is_empty()) {
            Some(view) => (view.status?, view.complete),
            None => (Status::Ok, 0.0),
        };
        statuses.push(PartitionStatus { status, lag, complete });
        partitions.push(PartitionSays {
            topic,
            partition,
            owner,
            client_id,
            status: status.name(),
            start: commits.first().map(Offset::from),
            end: commits.last().map(Offset::from),
            current_lag: lag,
            complete,
        });
    }
    let sum = fenced(|| roll_up(&statuses))?;
    let maxlag = sum.max_lag.and_then(|place| partitions.get(place)).cloned();
    let partition_count = partitions.len();
    if !show_all {
        let mut bad = statuses.iter().map(|it| it.status > Status::Ok);
        partitions.retain(|_| bad.next().unwrap_or(false));
    }
    Ok(GroupSays {
        cluster,
        group,
        status: sum.status.name(),
        complete: sum.complete,
        partitions,
        partition_count,
        maxlag,
        totallag: sum.total_lag,
    })
}

/// Only here: the group's offsets stay, and with its next commit it is back.
async fn forget(
    State(site): Shared,
    Path((_, group)): Path<(String, String)>,
    uri: Uri,
) -> Response {
    ask(&site, uri, move |monitor, uri| {
        monitor.forget(&group);
        found(uri, "consumer group removed", Nothing {})
    })
    .await
}

async fn forget_topic(
    State(site): Shared,
    Path((_, group, topic)): Path<(String, String, String)>,
    uri: Uri,
) -> Response {
    ask(&site, uri, move |monitor, uri| {
        monitor.forget_topic(&group, &topic);
        found(uri, "consumer group removed", Nothing {})
    })
    .await
}
