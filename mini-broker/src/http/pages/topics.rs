//! All topics, and how to make one.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use wire::metadata::MetadataResponse;

use super::actions::{Action, Confirm, Confirmed};
use super::{Frame, Pager, Part as Wanted, Shared, Site, count, encoded, html, rate, watched};
use crate::client::admin::NewTopic;
use crate::http::{Problem, in_time};
use crate::monitor::Monitor;

#[derive(Template)]
#[template(path = "topics.html")]
struct Page {
    frame: Frame,
    filter: String,
    live: String,
}

#[derive(Template)]
#[template(path = "topics_live.html")]
struct Part {
    pager: Pager,
    topics: Vec<Topic>,
}

struct Topic {
    name: String,
    href: String,
    internal: bool,
    partitions: usize,
    replicas: String,
    in_sync: String,
    healthy: bool,
    messages: String,
    come: String,
    groups: usize,
}

pub async fn page(site: Shared, Query(wanted): Query<Wanted>) -> Result<Response, Problem> {
    if wanted.live.is_some() {
        return watched(site, move |site| live(site, wanted.clone()));
    }
    let State(site) = site;
    let query = format!("/topic{}&live=1", wanted.query(wanted.from));
    let (frame, filter) = (site.frame("topic", "Topics", query), wanted.filter.clone());
    html(&Page { frame, filter, live: live(site, wanted).await? })
}

async fn live(site: Arc<Site>, wanted: Wanted) -> Result<String, Problem> {
    let part = site.watching.ask(move |monitor, cluster| part(monitor, cluster, &wanted)).await?;
    Ok(part.render()?)
}

fn part(monitor: &Monitor, cluster: &MetadataResponse, wanted: &Wanted) -> Part {
    let mut found: Vec<_> = cluster
        .topics
        .iter()
        .filter_map(|topic| Some((topic.name.as_deref()?, topic)))
        .filter(|(name, _)| wanted.fits(name))
        .collect();
    found.sort_by_key(|(name, topic)| (topic.is_internal, *name));
    let pager = wanted.pager(found.len());
    let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
    for group in monitor.groups() {
        for topic in monitor.topics_of(group) {
            *groups.entry(topic).or_default() += 1;
        }
    }
    let topics = found[pager.from..pager.to].iter().map(|(name, topic)| {
        let (mut replicas, mut in_sync, mut messages, mut come) = (0, 0, 0, Some(0.0));
        for partition in &topic.partitions {
            replicas += partition.replica_nodes.len();
            in_sync += partition.isr_nodes.len();
            let key = ((*name).to_owned(), partition.partition_index);
            if let Some((start, end)) = monitor.bounds(&key) {
                messages += end.saturating_sub(start);
            }
            come = come.and_then(|sum| Some(sum + monitor.come_per_s(&key)?));
        }
        let led = topic.partitions.iter().all(|partition| partition.leader_id >= 0);
        Topic {
            name: (*name).to_owned(),
            href: format!("/topic/{}", encoded(name)),
            internal: topic.is_internal,
            partitions: topic.partitions.len(),
            replicas: count(replicas as u64),
            in_sync: count(in_sync as u64),
            healthy: led && in_sync == replicas,
            messages: count(messages),
            come: rate(come),
            groups: groups.get(name).copied().unwrap_or(0),
        }
    });
    let topics = topics.collect();
    Part { pager, topics }
}

/// A topic as the form asks for it.
#[derive(Deserialize)]
pub struct New {
    name: String,
    partitions: String,
    replication_factor: String,
    #[serde(default)]
    configs: String,
    #[serde(flatten)]
    confirmed: Confirmed,
}

pub async fn create(State(site): Shared, Form(form): Form<New>) -> Result<Response, Problem> {
    form.confirmed.check(&site)?;
    let new = new_topic(&form)?;
    if !form.confirmed.is() {
        let mut twin = vec!["topics".into(), "--create".into(), "--topic".into(), new.name.clone()];
        if new.partitions > 0 {
            twin.extend(["--partitions".into(), new.partitions.to_string()]);
        }
        if new.replication_factor > 0 {
            twin.extend(["--replication-factor".into(), new.replication_factor.to_string()]);
        }
        for (name, value) in &new.configs {
            twin.extend(["--config".into(), format!("{name}={value}")]);
        }
        return site.confirm(Confirm {
            room: "topic",
            title: format!("Create topic {}?", new.name),
            sentence: "The coordinator writes it into the metadata log; brokers make its partitions as they read of it."
                .into(),
            action: Action {
                api: "CreateTopics",
                call: format!("{:#?}", new.request()),
                twin,
                line: String::new(),
            },
            to: "/topic".into(),
            fields: vec![
                ("name", form.name.clone()),
                ("partitions", form.partitions.clone()),
                ("replication_factor", form.replication_factor.clone()),
                ("configs", form.configs.clone()),
            ],
            yes: "Create it",
        });
    }
    let mut client = site.client.clone();
    in_time(client.create_topic(&new)).await?;
    Ok(Redirect::to(&format!("/topic/{}", encoded(&new.name))).into_response())
}

fn new_topic(form: &New) -> Result<NewTopic, Problem> {
    let number = |name: &str, text: &str, most: i32| match text.trim() {
        "" => Ok(-1),
        text => text.parse().ok().filter(|number| (1..=most).contains(number)).ok_or_else(|| {
            Problem::bad(format!("{name} {text:?}: expected a number from 1 to {most}, or nothing"))
        }),
    };
    let mut configs = Vec::new();
    for line in form.configs.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once('=').ok_or_else(|| {
            Problem::bad(format!(
                "setting {line:?}: expected NAME=VALUE, such as retention.ms=60000"
            ))
        })?;
        configs.push((name.trim().to_owned(), value.trim().to_owned()));
    }
    let name = form.name.trim().to_owned();
    if name.is_empty() {
        return Err(Problem::bad(
            "the topic has no name; expected letters, digits, `.`, `_` and `-`",
        ));
    }
    Ok(NewTopic {
        name,
        partitions: number("partitions", &form.partitions, 10_000)?,
        replication_factor: number("replicas", &form.replication_factor, i16::MAX.into())? as i16,
        assignments: Vec::new(),
        configs,
    })
}
