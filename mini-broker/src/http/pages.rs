//! The dashboard: four kinds of pages, made here and sent whole. What changes by itself is a part of the page that is
//! sent again once a second to whoever looks at it; a small script puts it in place. Without the script the page is what
//! it was when it was asked for.

mod cluster; // brokers, leaders, in sync

mod topics; // all of them, and how to make one

mod topic; // partitions, settings, messages, and how to write one

mod messages; // read from a topic, as a person asks for them

mod groups; // who reads, how far behind, and how to put a group elsewhere

mod files; // the data directories, down to one byte

mod actions; // what is about to be done, before it is

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use tokio::time::Instant;

use super::{Problem, Shared, Site, watching};
use crate::labs;

pub fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/", get(cluster::page))
        .route("/topic", get(topics::page).post(topics::create))
        .route("/topic/{topic}", get(topic::page).post(topic::produce))
        .route("/group", get(groups::list))
        .route("/group/{group}", get(groups::page).post(groups::reset))
        .route("/files", get(files::dirs))
        .route("/files/{node}", get(files::dir))
        .route("/files/{node}/{dir}", get(files::partition))
        .route("/files/{node}/{dir}/{file}", get(files::file))
        .route("/style.css", get(|| asset("text/css", include_str!("../../templates/style.css"))))
        .route(
            "/live.js",
            get(|| asset("text/javascript", include_str!("../../templates/live.js"))),
        )
        .route(
            "/icon.svg",
            get(|| asset("image/svg+xml", include_str!("../../templates/icon.svg"))),
        )
}

async fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "max-age=60")], text).into_response()
}

/// What stands around every page.
struct Frame {
    title: String,
    /// Which of the four kinds of pages.
    room: &'static str,
    organs: String,
    /// For forms that change something.
    form_key: String,
    /// Where the live part comes from; empty: there is none.
    live: String,
}

impl Site {
    fn frame(
        &self,
        room: &'static str,
        title: impl Into<String>,
        live: impl Into<String>,
    ) -> Frame {
        Frame {
            title: title.into(),
            room,
            organs: labs::banner(),
            form_key: self.guard.form_key.clone(),
            live: live.into(),
        }
    }
}

fn html(page: &impl Template) -> Result<Response, Problem> {
    Ok(Html(page.render()?).into_response())
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    frame: Frame,
    sentence: &'a str,
}

/// A page that says why there is no other.
pub fn problem(status: StatusCode, sentence: &str) -> Response {
    let frame = Frame {
        title: status.canonical_reason().unwrap_or("No answer").to_owned(),
        room: "",
        organs: labs::banner(),
        form_key: String::new(),
        live: String::new(),
    };
    let page = ProblemPage { frame, sentence }.render();
    (status, Html(page.unwrap_or_else(|_| "no page".into()))).into_response()
}

pub async fn nothing_here(uri: axum::http::Uri) -> Response {
    problem(StatusCode::NOT_FOUND, &format!("There is no page {}.", uri.path()))
}

/// Whether the page is wanted, or the changes of its live part.
#[derive(Deserialize)]
struct Live {
    live: Option<u8>,
}

/// How many may watch at the same time. Each costs a page a second.
const MOST_WATCHERS: usize = 100;
static WATCHERS: AtomicUsize = AtomicUsize::new(0);

struct Watcher;

impl Watcher {
    fn new() -> Result<Self, Problem> {
        if WATCHERS.fetch_add(1, Ordering::Relaxed) < MOST_WATCHERS {
            return Ok(Watcher);
        }
        drop(Watcher);
        let sentence =
            format!("{MOST_WATCHERS} pages are being watched already; the page itself is there");
        Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, sentence))
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        WATCHERS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Sends what `part` gives, once a second, if it is another than before. Nothing is made for a browser that does not
/// take what it was sent: it sleeps, or its connection is slow.
fn watched<F>(
    State(site): Shared,
    part: impl Fn(Arc<Site>) -> F + Send + 'static,
) -> Result<Response, Problem>
where
    F: Future<Output = Result<String, Problem>> + Send,
{
    let watcher = Watcher::new()?;
    let state = (site, part, String::new(), Instant::now(), watcher);
    let events = futures_util::stream::unfold(state, async |(site, part, last, due, watcher)| {
        let mut due = due;
        loop {
            tokio::time::sleep_until(due).await;
            due = Instant::now() + watching::EVERY;
            let (kind, text) = match part(Arc::clone(&site)).await {
                Ok(text) => ("message", text),
                Err(problem) => ("problem", problem.sentence),
            };
            if text != last {
                let event = Event::default().event(kind).data(&text);
                return Some((Ok::<_, Infallible>(event), (site, part, text, due, watcher)));
            }
        }
    });
    let alive = KeepAlive::new().interval(Duration::from_secs(15));
    Ok(Sse::new(Box::pin(events)).keep_alive(alive).into_response())
}

/// A number in the way of the commands: `1,234,567`.
fn count(number: impl TryInto<u64>) -> String {
    crate::cli::terminal::thousands(number.try_into().unwrap_or(0))
}

/// Bytes for a person.
fn bytes(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
        _ => format!("{:.1} GiB", bytes as f64 / 1_073_741_824.0),
    }
}

/// A time for a person, in UTC: every machine shows the same.
fn time(ms: i64) -> String {
    match ms {
        -1 => "–".to_owned(),
        ms => crate::cli::terminal::utc(ms, '.'),
    }
}

/// Records a second.
fn rate(rate: Option<f64>) -> String {
    match rate {
        None => "–".to_owned(),
        Some(rate) if rate.abs() < 10.0 => format!("{rate:.1}"),
        Some(rate) => format!("{rate:.0}"),
    }
}

/// One part of a path or query, so that any name may stand there.
fn encoded(text: &str) -> String {
    use std::fmt::Write;
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(byte.into());
            }
            byte => drop(write!(encoded, "%{byte:02X}")),
        }
    }
    encoded
}

/// Some of many: which are shown, and the way to the others.
struct Pager {
    from: usize,
    to: usize,
    all: usize,
    before: Option<String>,
    after: Option<String>,
}

/// So many rows stand on one page.
const ROWS: usize = 100;

/// What part of a list is asked for, and what its names must contain.
#[derive(Deserialize, Default, Clone)]
struct Part {
    #[serde(default)]
    from: usize,
    #[serde(default)]
    filter: String,
    live: Option<u8>,
}

impl Part {
    fn fits(&self, name: &str) -> bool {
        name.to_lowercase().contains(&self.filter.to_lowercase())
    }

    fn query(&self, from: usize) -> String {
        format!("?from={from}&filter={}", encoded(&self.filter))
    }

    fn pager(&self, all: usize) -> Pager {
        let from = self.from.min(all);
        let to = (from + ROWS).min(all);
        Pager {
            from,
            to,
            all,
            before: (from > 0).then(|| self.query(from.saturating_sub(ROWS))),
            after: (to < all).then(|| self.query(to)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_may_stand_in_a_path() {
        assert_eq!(encoded("orders-1.a_b"), "orders-1.a_b");
        assert_eq!(encoded("a/b?c#<d>&é"), "a%2Fb%3Fc%23%3Cd%3E%26%C3%A9");
    }

    #[test]
    fn a_list_is_shown_in_parts() {
        let part = |from| Part { from, filter: "a&b".into(), live: None };
        let pager = part(0).pager(250);
        assert_eq!((pager.from, pager.to, pager.before), (0, 100, None));
        assert_eq!(pager.after.as_deref(), Some("?from=100&filter=a%26b"));
        let pager = part(200).pager(250);
        assert_eq!((pager.from, pager.to, pager.after), (200, 250, None));
        assert_eq!(part(999).pager(250).to, 250);
    }
}
