//! One topic: its partitions, its settings, its messages, and how to write one.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use wire::ErrorCode;
use wire::configs::source;
use wire::metadata::MetadataResponseTopic;

use super::actions::{Action, Confirm, Confirmed};
use super::messages::{self, Message, Wanted};
use super::{Frame, Shared, Site, count, encoded, html, rate, watched};
use crate::cli::terminal;
use crate::client::partitioner::Partitioner;
use crate::client::producer::{Message as ToSend, Settings};
use crate::client::{Client, Led, Producer};
use crate::http::{Problem, in_time};
use crate::monitor::Monitor;

#[derive(Template)]
#[template(path = "topic.html")]
struct Page {
    frame: Frame,
    name: String,
    href: String,
    live: String,
    internal: bool,
    partitions: usize,
    settings: Vec<Setting>,
    wanted: Wanted,
}

#[derive(Template)]
#[template(path = "topic_live.html")]
struct Part {
    partitions: Vec<Partition>,
    groups: Vec<Reader>,
    more_groups: usize,
    messages: Vec<Message>,
}

struct Partition {
    index: i32,
    leader: String,
    replicas: String,
    in_sync: String,
    preferred: bool,
    healthy: bool,
    start: String,
    end: String,
    messages: String,
    come: String,
    files: String,
}

struct Reader {
    name: String,
    href: String,
    lag: String,
}

/// So many groups are listed with a topic.
const MOST_READERS: usize = 50;

struct Setting {
    name: String,
    value: String,
    from: &'static str,
    set: bool,
}

pub async fn page(
    site: Shared,
    Path(name): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    if wanted.live.is_some() {
        return watched(site, move |site| live(site, name.clone(), wanted.clone()));
    }
    let State(site) = site;
    let mut client = site.client.clone();
    let topic = known(&mut client, &name).await?;
    let settings = in_time(client.topic_configs(&[&name])).await?;
    let settings = settings.into_values().flatten().map(|config| Setting {
        set: config.config_source == source::TOPIC_CONFIG,
        from: match config.config_source {
            source::TOPIC_CONFIG => "set for this topic",
            source::DEFAULT_CONFIG => "default",
            _ => "set for the broker",
        },
        name: config.name,
        value: config.value.unwrap_or_default(),
    });
    let mut settings: Vec<Setting> = settings.collect();
    settings.sort_by(|a, b| (!a.set, &a.name).cmp(&(!b.set, &b.name)));
    let href = format!("/topic/{}", encoded(&name));
    let frame =
        site.frame("topic", format!("Topic {name}"), format!("{href}?{}&live=1", wanted.query()));
    let live = live(Arc::clone(&site), name.clone(), wanted.clone()).await?;
    let (internal, partitions) = (topic.is_internal, topic.partitions.len());
    html(&Page { frame, name, href, live, internal, partitions, settings, wanted })
}

/// The topic as it is now, or that there is none.
async fn known(client: &mut Client, name: &str) -> Result<MetadataResponseTopic, Problem> {
    let answer = in_time(client.metadata(Some(&[name]), false)).await?;
    let topic = answer.topics.into_iter().find(|topic| topic.name.as_deref() == Some(name));
    match topic {
        Some(topic) if topic.error_code.is_ok() => Ok(topic),
        Some(topic) if topic.error_code != ErrorCode::UNKNOWN_TOPIC_OR_PARTITION => {
            Err(Problem::bad(format!("{name:?}: {}", topic.error_code.sentence())))
        }
        _ => Err(Problem::not_found(format!("There is no topic {name:?}."))),
    }
}

fn led(topic: &MetadataResponseTopic) -> Vec<Led> {
    let mut led: Vec<Led> = topic.partitions.iter().map(Led::from).collect();
    led.sort_by_key(|led| led.partition);
    led
}

async fn live(site: Arc<Site>, name: String, wanted: Wanted) -> Result<String, Problem> {
    let mut client = site.client.clone();
    let topic = known(&mut client, &name).await?;
    let led = led(&topic);
    let mut messages = messages::read(&site.client, &name, &led, &wanted).await?;
    for message in &mut messages {
        let leader = led.iter().find(|led| led.partition == message.partition);
        message.bytes = leader.map_or(String::new(), |led| {
            match site.nodes.all.iter().any(|node| node.broker == Some(led.leader)) {
                true => format!(
                    "/files/{}/{}-{}?offset={}",
                    led.leader,
                    encoded(&name),
                    message.partition,
                    message.offset
                ),
                false => String::new(),
            }
        });
    }
    let here: Vec<i32> = site.nodes.all.iter().filter_map(|node| node.broker).collect();
    let (partitions, (groups, more_groups)) = site
        .watching
        .ask(move |monitor, _| (partitions(monitor, &topic, &here), readers(monitor, &name)))
        .await?;
    Ok(Part { partitions, groups, more_groups, messages }.render()?)
}

fn partitions(monitor: &Monitor, topic: &MetadataResponseTopic, here: &[i32]) -> Vec<Partition> {
    let name = topic.name.as_deref().unwrap_or_default();
    let ids = |ids: &[i32]| ids.iter().map(i32::to_string).collect::<Vec<_>>().join(", ");
    let mut sorted: Vec<_> = topic.partitions.iter().collect();
    sorted.sort_by_key(|partition| partition.partition_index);
    let partitions = sorted.into_iter().map(|partition| {
        let index = partition.partition_index;
        let key = (name.to_owned(), index);
        let bounds = monitor.bounds(&key);
        let whose = |id: &&i32| here.contains(id);
        // The leader's files, or those of another replica in this process.
        let files = [partition.leader_id];
        let files = files.iter().chain(&partition.replica_nodes).find(whose);
        Partition {
            index,
            leader: match partition.leader_id {
                ..0 => "none".to_owned(),
                id => id.to_string(),
            },
            replicas: ids(&partition.replica_nodes),
            in_sync: ids(&partition.isr_nodes),
            preferred: partition.replica_nodes.first() == Some(&partition.leader_id),
            healthy: partition.leader_id >= 0
                && partition.isr_nodes.len() == partition.replica_nodes.len(),
            start: bounds.map_or("–".into(), |(start, _)| count(start)),
            end: bounds.map_or("–".into(), |(_, end)| count(end)),
            messages: bounds.map_or("–".into(), |(start, end)| count(end.saturating_sub(start))),
            come: rate(monitor.come_per_s(&key)),
            files: files
                .map_or(String::new(), |id| format!("/files/{id}/{}-{index}", encoded(name))),
        }
    });
    partitions.collect()
}

/// The groups that are furthest behind, and how many others there are.
fn readers(monitor: &Monitor, topic: &str) -> (Vec<Reader>, usize) {
    let groups = monitor.groups().filter(|group| monitor.topics_of(group).contains(topic));
    let groups = groups.filter_map(|name| {
        let view = monitor.group(crate::http::now_ms(), name)?;
        let of_topic = view.partitions.iter().filter(|partition| partition.topic == topic);
        let lags: Result<Vec<Option<i64>>, _> = of_topic.map(|view| view.lag.clone()).collect();
        Some((lags.ok().map(|lags| lags.into_iter().flatten().sum::<i64>()), name))
    });
    let mut groups: Vec<(Option<i64>, &str)> = groups.collect();
    groups.sort_by_key(|(lag, name)| (std::cmp::Reverse(*lag), *name));
    let more = groups.len().saturating_sub(MOST_READERS);
    let shown = groups.into_iter().take(MOST_READERS).map(|(lag, name)| Reader {
        name: name.to_owned(),
        href: format!("/group/{}", encoded(name)),
        lag: lag.map_or("?".to_owned(), count),
    });
    (shown.collect(), more)
}

/// A message as the form asks for it.
#[derive(Deserialize)]
pub struct New {
    #[serde(default)]
    partition: String,
    #[serde(default)]
    key: String,
    #[serde(default)]
    value: String,
    /// No value at all: a tombstone.
    #[serde(default)]
    null: String,
    #[serde(default)]
    headers: String,
    #[serde(flatten)]
    confirmed: Confirmed,
}

type Headers = Vec<(Vec<u8>, Option<Vec<u8>>)>;

pub async fn produce(
    State(site): Shared,
    Path(name): Path<String>,
    Form(form): Form<New>,
) -> Result<Response, Problem> {
    form.confirmed.check(&site)?;
    let mut client = site.client.clone();
    let topic = known(&mut client, &name).await?;
    let headers = headers(&form.headers)?;
    let key = Some(form.key.as_bytes()).filter(|key| !key.is_empty());
    // Forms send line ends as they were on teletypes.
    let value = form.value.replace("\r\n", "\n");
    let value = Some(value.as_bytes()).filter(|_| form.null.is_empty());
    let all = topic.partitions.len() as u32;
    let partition = partition(&form.partition, all)?;
    if !form.confirmed.is() {
        let href = format!("/topic/{}", encoded(&name));
        let show = |bytes: Option<&[u8]>| match bytes {
            None => "null".to_owned(),
            Some(bytes) => format!("{:?}", String::from_utf8_lossy(bytes)),
        };
        let shown: Vec<String> = headers
            .iter()
            .map(|(name, value)| {
                format!("{} = {}", String::from_utf8_lossy(name), show(value.as_deref()))
            })
            .collect();
        let call = format!(
            "ProduceRequest {{\n    acks: -1 (all),\n    topic: {name:?},\n    partition: {},\n    \
             one batch of one record:\n        key: {},\n        value: {},\n        headers: {shown:?},\n}}",
            partition
                .map_or("what lab 2's code says".to_owned(), |partition| partition.to_string()),
            show(key),
            show(value),
        );
        let mut twin: Vec<String> = vec!["produce".into(), "--topic".into(), name.clone()];
        let line = twin_line(&mut twin, &form, &headers);
        return site.confirm(Confirm {
            room: "topic",
            title: format!("Write a message to {name}?"),
            sentence: match (partition, value.is_some_and(|value| value.contains(&b'\n'))) {
                (Some(_), _) => {
                    "It cannot be taken back. (The command leaves the partition to the key.)"
                }
                (_, true) => {
                    "It cannot be taken back. (The command takes each line for a message.)"
                }
                _ => "It cannot be taken back.",
            }
            .into(),
            action: Action { api: "Produce", call, twin, line },
            to: href,
            fields: vec![
                ("partition", form.partition.clone()),
                ("key", form.key.clone()),
                ("value", form.value.clone()),
                ("null", form.null.clone()),
                ("headers", form.headers.clone()),
            ],
            yes: "Write it",
        });
    }
    let seed = terminal::seed();
    let settings = Settings { delivery_timeout: Duration::from_secs(5), ..Settings::default() };
    let sent = async {
        let mut producer = Producer::new(client, &name, settings).await?;
        let partition = match partition {
            Some(partition) => partition,
            None => Partitioner::new(1, seed).partition(key, 0, all)?,
        };
        let timestamp = terminal::wall_ms();
        producer.push(partition, ToSend { timestamp, key, value, headers: &headers });
        producer.close_all();
        loop {
            if let Some(delivery) = producer.progress().await?.into_iter().next() {
                return Ok((delivery.partition, delivery.result?));
            }
        }
    };
    let (partition, offset) = in_time(sent).await?;
    let href = format!(
        "/topic/{}?from=offset&at={offset}&partition={partition}&count=1#messages",
        encoded(&name)
    );
    Ok(Redirect::to(&href).into_response())
}

/// What is typed to our `produce`; the flags that it needs go to the command.
fn twin_line(twin: &mut Vec<String>, form: &New, headers: &Headers) -> String {
    let mut line = String::new();
    if !headers.is_empty() {
        twin.extend(["--property".into(), "parse.headers=true".into()]);
        let headers: Vec<String> = headers
            .iter()
            .map(|(name, value)| {
                let value = value.as_deref().unwrap_or_default();
                format!("{}:{}", String::from_utf8_lossy(name), String::from_utf8_lossy(value))
            })
            .collect();
        line.push_str(&headers.join(","));
        line.push_str("$'\\t'");
    }
    if !form.key.is_empty() {
        twin.extend(["--property".into(), "parse.key=true".into()]);
        line.push_str(&super::actions::quoted(&form.key));
        line.push_str("$'\\t'");
    }
    if form.null.is_empty() {
        line.push_str(&super::actions::quoted(&form.value));
    } else {
        twin.extend(["--property".into(), "null.marker=NULL".into()]);
        line.push_str("NULL");
    }
    line
}

fn partition(text: &str, all: u32) -> Result<Option<i32>, Problem> {
    match text.trim() {
        "" => Ok(None),
        text => match text.parse::<i32>() {
            Ok(number) if (0..all as i32).contains(&number) => Ok(Some(number)),
            _ => Err(Problem::bad(format!(
                "partition {text:?}: expected a number from 0 to {}, or nothing",
                all - 1
            ))),
        },
    }
}

/// A line each, `name=value`; without a sign of equality the value is null.
fn headers(text: &str) -> Result<Headers, Problem> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let headers = lines.map(|line| match line.split_once('=') {
        Some(("", _)) => Err(Problem::bad(format!("header {line:?}: expected NAME=VALUE"))),
        Some((name, value)) => Ok((name.as_bytes().to_vec(), Some(value.as_bytes().to_vec()))),
        None => Ok((line.as_bytes().to_vec(), None)),
    });
    headers.collect()
}
