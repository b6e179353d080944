//! The broker over HTTP: pages for people, numbers for Prometheus, and Burrow's answers for whoever asks for those.
//!
//! All of it stands outside the broker. What it shows it has asked for over Kafka's protocol, like any client, but for
//! what a node counts and what lies in this process's data directories. What it changes it changes by Kafka's APIs.

pub mod guard; // who may ask

pub mod watching; // groups and logs, looked at once a second

mod burrow; // `/v3/kafka` and `/burrow/admin`

mod metrics; // `/metrics`

mod pages; // the dashboard

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::mpsc::Sender;
use tokio::time::timeout;

use crate::client::Client;
use crate::engine::ToEngine;
use crate::numbers::requests::Requests;
use guard::Guard;
use metrics::Nodes;
use watching::Watching;

/// Whoever asks waits no longer than this for an answer of the cluster.
const PATIENCE: Duration = Duration::from_secs(5);

/// A node in this process.
pub struct Node {
    /// `None`: the coordinator.
    pub broker: Option<i32>,
    pub to_engine: Sender<ToEngine>,
    /// Its clients' requests; the coordinator's are not counted.
    pub requests: Option<Arc<Requests>>,
    pub data_dir: PathBuf,
}

impl Node {
    /// As it is called in a path.
    fn name(&self) -> String {
        self.broker.map_or("coordinator".to_owned(), |id| id.to_string())
    }
}

/// Everything that an answer is made of.
pub struct Site {
    client: Client,
    watching: Watching,
    nodes: Nodes,
    guard: Arc<Guard>,
    bootstrap: String,
}

type Shared = State<Arc<Site>>;

/// Serves until the process ends.
pub async fn serve(
    listener: TcpListener,
    client: Client,
    bootstrap: String,
    nodes: Vec<Node>,
    guard: Guard,
) {
    let client = client.client_id("mini-broker-http");
    let watching = Watching::begin(client.clone());
    let (nodes, guard) = (Nodes::new(nodes), Arc::new(guard));
    let layer = middleware::from_fn_with_state(Arc::clone(&guard), guard::check);
    let site = Arc::new(Site { client, watching, nodes, guard, bootstrap });
    let router = Router::new()
        .merge(pages::routes())
        .merge(burrow::routes())
        .merge(metrics::routes())
        .fallback(pages::nothing_here)
        .layer(layer)
        .with_state(site);
    run(listener, router).await;
}

/// Serves what nodes count, and nothing else: for a coordinator, which has no clients.
pub async fn serve_numbers(listener: TcpListener, nodes: Vec<Node>, guard: Guard) {
    let layer = middleware::from_fn_with_state(Arc::new(guard), guard::check);
    let router = Router::new()
        .route("/metrics", get(metrics::scrape_nodes))
        .fallback(async || (StatusCode::NOT_FOUND, "only /metrics is here\n"))
        .layer(layer)
        .with_state(Arc::new(Nodes::new(nodes)));
    run(listener, router).await;
}

async fn run(listener: TcpListener, router: Router) {
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!("nobody is served over HTTP any more: {error}");
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    sentence: String,
}

impl Problem {
    fn new(status: StatusCode, sentence: impl Into<String>) -> Self {
        Problem { status, sentence: sentence.into() }
    }

    fn not_found(sentence: impl Into<String>) -> Self {
        Problem::new(StatusCode::NOT_FOUND, sentence)
    }

    fn bad(sentence: impl Into<String>) -> Self {
        Problem::new(StatusCode::BAD_REQUEST, sentence)
    }
}

impl From<crate::client::Error> for Problem {
    fn from(error: crate::client::Error) -> Self {
        let status = match &error {
            crate::client::Error::Refused { .. } => StatusCode::CONFLICT,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        Problem::new(status, error.to_string())
    }
}

impl From<askama::Error> for Problem {
    fn from(error: askama::Error) -> Self {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, format!("the page has a bug: {error}"))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        pages::problem(self.status, &self.sentence)
    }
}

/// What the cluster says, or that it takes too long.
async fn in_time<T>(
    answer: impl Future<Output = Result<T, crate::client::Error>>,
) -> Result<T, Problem> {
    match timeout(PATIENCE, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => {
            let sentence = format!("the brokers have not answered within {PATIENCE:?}");
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, sentence))
        }
    }
}

/// Now, in milliseconds since 1970.
fn now_ms() -> u64 {
    crate::cli::terminal::wall_ms().try_into().unwrap_or(0)
}
