//! Groups: how far behind they are, and who reads what; and how one is put elsewhere.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use clap::Parser;
use serde::Deserialize;
use wire::group_admin::DescribedGroup;
use wire::metadata::MetadataResponseTopic;

use super::actions::{Action, Confirm, Confirmed};
use super::{
    Frame, Live, Pager, Part as Wanted, Shared, Site, count, encoded, html, rate, watched,
};
use crate::broker::OFFSETS_TOPIC;
use crate::cli::groups;
use crate::cli::lag::table::{OPEN, done_in, duration, remark, said, unfinished};
use crate::http::{Problem, in_time, now_ms};
use crate::labs::lag::{GroupStatus, MISSING, Status};
use crate::monitor::Monitor;
use crate::monitor::view::{GroupView, PartitionView, Said};

#[derive(Template)]
#[template(path = "groups.html")]
struct ListPage {
    frame: Frame,
    filter: String,
    live: String,
}

#[derive(Template)]
#[template(path = "groups_live.html")]
struct ListPart {
    pager: Pager,
    groups: Vec<Summary>,
}

struct Summary {
    name: String,
    href: String,
    members: String,
    topics: String,
    verdict: Verdict,
    lag: String,
    late: String,
    curve: Curve,
}

/// A verdict, and how bad it is: the class of its cell.
struct Verdict {
    name: String,
    class: &'static str,
}

/// The lag over the last looks, drawn.
struct Curve {
    /// Of an SVG of 120 by 24; empty: too little is known.
    points: String,
    /// For whoever does not see it.
    says: String,
}

pub async fn list(site: Shared, Query(wanted): Query<Wanted>) -> Result<Response, Problem> {
    if wanted.live.is_some() {
        return watched(site, move |site| live_list(site, wanted.clone()));
    }
    let State(site) = site;
    let query = format!("/group{}&live=1", wanted.query(wanted.from));
    let (frame, filter) = (site.frame("group", "Groups", query), wanted.filter.clone());
    html(&ListPage { frame, filter, live: live_list(site, wanted).await? })
}

async fn live_list(site: Arc<Site>, wanted: Wanted) -> Result<String, Problem> {
    let part = site.watching.ask(move |monitor, _| list_part(monitor, &wanted)).await?;
    Ok(part.render()?)
}

fn list_part(monitor: &Monitor, wanted: &Wanted) -> ListPart {
    let found: Vec<&str> = monitor.groups().filter(|name| wanted.fits(name)).collect();
    let pager = wanted.pager(found.len());
    let views = found[pager.from..pager.to].iter();
    let views = views.filter_map(|name| monitor.group(now_ms(), name));
    let groups = views.map(|view| {
        let topics: Vec<&str> = monitor.topics_of(&view.name).into_iter().collect();
        let (verdict, lag, late) = (group_verdict(&view), total_lag(&view), late(&view.behind_ms));
        Summary {
            href: format!("/group/{}", encoded(&view.name)),
            members: count(view.members as u64),
            topics: topics.join(", "),
            verdict,
            lag,
            late,
            curve: curve(&sum_of_curves(&view)),
            name: view.name,
        }
    });
    let groups = groups.collect();
    ListPart { pager, groups }
}

#[derive(Template)]
#[template(path = "group.html")]
struct Page {
    frame: Frame,
    name: String,
    href: String,
    topics: Vec<String>,
    live: String,
}

#[derive(Template)]
#[template(path = "group_live.html")]
struct Part {
    state: String,
    assignor: String,
    coordinator: String,
    verdict: Verdict,
    lag: String,
    late: String,
    complete: String,
    curve: Curve,
    members: Vec<Member>,
    partitions: Vec<Row>,
    unfinished: String,
}

struct Member {
    id: String,
    client_id: String,
    host: String,
    partitions: usize,
}

struct Row {
    topic: String,
    href: String,
    partition: i32,
    lag: String,
    verdict: Verdict,
    late: String,
    drain: String,
    come: String,
    read: String,
    committed: String,
    end: String,
    owner: String,
    remark: String,
    curve: Curve,
}

pub async fn page(
    site: Shared,
    Path(name): Path<String>,
    Query(query): Query<Live>,
) -> Result<Response, Problem> {
    if query.live.is_some() {
        return watched(site, move |site| live(site, name.clone()));
    }
    let State(site) = site;
    let href = format!("/group/{}", encoded(&name));
    let frame = site.frame("group", format!("Group {name}"), format!("{href}?live=1"));
    let live = live(Arc::clone(&site), name.clone()).await?;
    let of = name.clone();
    let topics = site
        .watching
        .ask(move |monitor, _| monitor.topics_of(&of).into_iter().map(str::to_owned).collect());
    let topics = topics.await?;
    html(&Page { frame, name, href, topics, live })
}

async fn live(site: Arc<Site>, name: String) -> Result<String, Problem> {
    let of = name.clone();
    let known = site.watching.ask(move |monitor, cluster| {
        let is_it = |topic: &MetadataResponseTopic| topic.name.as_deref() == Some(OFFSETS_TOPIC);
        (monitor.group(now_ms(), &of), cluster.topics.iter().any(is_it))
    });
    let (view, has_groups) = known.await?;
    let nobody = || {
        let sentence =
            format!("There is no group {name:?}: it has no members, and has committed nothing.");
        Problem::not_found(sentence)
    };
    // Whoever asks for a coordinator has the topic made that groups are kept in. To look must not change anything.
    if !has_groups {
        return Err(nobody());
    }
    let mut client = site.client.clone();
    let (described, coordinator) = in_time(client.describe_group(&name)).await?;
    if view.is_none() && described.group_state == "Dead" {
        return Err(nobody());
    }
    Ok(part(described, coordinator.node_id, view).render()?)
}

fn part(described: DescribedGroup, coordinator: i32, view: Option<GroupView>) -> Part {
    let partitions = view.as_ref().map_or(&[][..], |view| &view.partitions);
    let mut owned: BTreeMap<&str, usize> = BTreeMap::new();
    for owner in partitions.iter().filter_map(|partition| partition.owner.as_ref()) {
        *owned.entry(&owner.member_id).or_default() += 1;
    }
    let members = described.members.iter().map(|member| Member {
        partitions: owned.get(member.member_id.as_str()).copied().unwrap_or(0),
        id: member.member_id.clone(),
        client_id: member.client_id.clone(),
        host: member.client_host.clone(),
    });
    let complete = view.as_ref().and_then(|view| view.status.as_ref().ok());
    Part {
        state: described.group_state.clone(),
        assignor: described.protocol_data.clone(),
        coordinator: coordinator.to_string(),
        verdict: view.as_ref().map_or_else(|| verdict(&Ok(Status::NotFound)), group_verdict),
        lag: view.as_ref().map_or(MISSING.to_owned(), total_lag),
        late: view.as_ref().map_or(MISSING.to_owned(), |view| late(&view.behind_ms)),
        complete: complete.map_or(OPEN.to_owned(), |it| format!("{:.0} %", it.complete * 100.0)),
        curve: curve(&view.as_ref().map(sum_of_curves).unwrap_or_default()),
        members: members.collect(),
        partitions: partitions.iter().map(row).collect(),
        unfinished: view.as_ref().and_then(unfinished).unwrap_or_default(),
    }
}

fn row(view: &PartitionView) -> Row {
    let (come, read) = match &view.rates {
        Ok((come, read)) => (rate(*come), rate(*read)),
        Err(_) => (OPEN.to_owned(), OPEN.to_owned()),
    };
    let number = |number: Option<u64>| number.map_or(MISSING.to_owned(), count);
    let lag = |lag: &Option<i64>| match lag {
        None => MISSING.to_owned(),
        Some(lag @ ..0) => lag.to_string(),
        Some(lag) => count(*lag),
    };
    Row {
        topic: view.topic.clone(),
        href: format!("/topic/{}", encoded(&view.topic)),
        partition: view.partition,
        lag: said(&view.lag, lag),
        verdict: match view.committed {
            Some(_) => verdict(&view.status),
            None => Verdict { name: MISSING.to_owned(), class: "" },
        },
        late: late(&view.behind_ms),
        drain: said(&view.drain, done_in),
        come,
        read,
        committed: number(view.committed),
        end: number(view.log.map(|(_, end)| end)),
        owner: view.owner.as_ref().map_or(MISSING.to_owned(), |owner| owner.client_id.clone()),
        remark: said(&view.place, remark),
        curve: curve(&view.curve),
    }
}

fn late(behind_ms: &Said<Option<u64>>) -> String {
    said(behind_ms, |ms| ms.map_or(MISSING.to_owned(), duration))
}

fn total_lag(view: &GroupView) -> String {
    said(&view.status, |status| count(status.total_lag))
}

fn group_verdict(view: &GroupView) -> Verdict {
    verdict(&view.status.clone().map(|GroupStatus { status, .. }| status))
}

fn verdict(status: &Said<Status>) -> Verdict {
    let class = match status {
        Ok(Status::Ok) => "good",
        Ok(Status::Warn) => "warn",
        Ok(Status::NotFound) | Err(_) => "",
        Ok(_) => "bad",
    };
    Verdict { name: said(status, |status| status.name().to_owned()), class }
}

fn sum_of_curves(view: &GroupView) -> Vec<u64> {
    let longest = view.partitions.iter().map(|partition| partition.curve.len()).max().unwrap_or(0);
    let mut sum = vec![0; longest];
    for partition in &view.partitions {
        // The newest looks of all stand side by side.
        let skipped = longest - partition.curve.len();
        for (sum, lag) in sum[skipped..].iter_mut().zip(&partition.curve) {
            *sum += lag;
        }
    }
    sum
}

const WIDE: f64 = 120.0;
const HIGH: f64 = 24.0;

fn curve(lags: &[u64]) -> Curve {
    let (Some(first), Some(last)) = (lags.first(), lags.last()) else {
        return Curve { points: String::new(), says: String::new() };
    };
    let most = lags.iter().copied().max().unwrap_or(0);
    let step = WIDE / (super::watching::LOOKS as f64 - 1.0);
    let begin = WIDE - step * (lags.len() as f64 - 1.0);
    let mut points = String::new();
    for (index, lag) in lags.iter().enumerate() {
        let x = begin + step * index as f64;
        let y = HIGH - 1.0 - (HIGH - 2.0) * *lag as f64 / most.max(1) as f64;
        let _ = write!(points, "{x:.1},{y:.1} ");
    }
    let says = format!(
        "from {} to {} in {} looks, at most {}",
        count(*first),
        count(*last),
        lags.len(),
        count(most)
    );
    Curve { points: points.trim_end().to_owned(), says }
}

/// Where a group is to read on.
#[derive(Deserialize)]
pub struct Reset {
    /// Empty: all that it has read.
    #[serde(default)]
    topic: String,
    to: String,
    #[serde(default)]
    at: String,
    #[serde(flatten)]
    confirmed: Confirmed,
}

/// What stands at the prompt after `mini-broker`.
#[derive(Parser)]
#[command(no_binary_name = true)]
struct Command {
    #[command(flatten)]
    args: groups::Args,
}

/// The same code as `groups --reset-offsets`, with and without `--execute`.
pub async fn reset(
    State(site): Shared,
    Path(name): Path<String>,
    Form(form): Form<Reset>,
) -> Result<Response, Problem> {
    form.confirmed.check(&site)?;
    let mut twin: Vec<String> = vec!["groups".into(), "--group".into(), name.clone()];
    twin.push("--reset-offsets".into());
    match form.topic.as_str() {
        "" => twin.push("--all-topics".into()),
        topic => twin.extend(["--topic".into(), topic.into()]),
    }
    let at = form.at.trim();
    match form.to.as_str() {
        "earliest" => twin.push("--to-earliest".into()),
        "latest" => twin.push("--to-latest".into()),
        "offset" => twin.push(format!("--to-offset={at}")),
        "shift" => twin.push(format!("--shift-by={at}")),
        "time" => twin.push(format!("--to-datetime={at}")),
        other => {
            return Err(Problem::bad(format!(
                "to {other:?}: expected earliest, latest, offset, shift or time"
            )));
        }
    }
    let run = |what: &'static str| {
        let server = format!("--bootstrap-server={}", site.bootstrap);
        let arguments = twin[1..].iter().cloned().chain([server, what.to_owned()]);
        let command = Command::try_parse_from(arguments).map_err(|error| {
            let text = error.to_string();
            let sentence = text.lines().next().unwrap_or_default();
            Problem::bad(sentence.strip_prefix("error: ").unwrap_or(sentence))
        });
        async {
            let mut out = Vec::new();
            let done = groups::run_into(command?.args, &mut out).await;
            done.map_err(|failure| Problem::new(StatusCode::CONFLICT, failure.sentence))?;
            Ok::<_, Problem>(String::from_utf8_lossy(&out).trim().to_owned())
        }
    };
    let href = format!("/group/{}", encoded(&name));
    if form.confirmed.is() {
        run("--execute").await?;
        return Ok(Redirect::to(&href).into_response());
    }
    let plan = run("--dry-run").await?;
    let call = format!(
        "OffsetCommitRequest {{\n    group_id: {name:?},\n    generation_id: -1,\n    member_id: \"\",\n}} \
         with these offsets:\n\n{plan}"
    );
    twin.push("--execute".into());
    site.confirm(Confirm {
        room: "group",
        title: format!("Put group {name} elsewhere?"),
        sentence: "It reads on from there. What lies between is read again, or never.".into(),
        action: Action { api: "OffsetCommit", call, twin, line: String::new() },
        to: href,
        fields: vec![
            ("topic", form.topic.clone()),
            ("to", form.to.clone()),
            ("at", form.at.clone()),
        ],
        yes: "Put it there",
    })
}

#[cfg(test)]
mod tests {
    use super::curve;

    #[test]
    fn a_curve_ends_at_the_right_and_fills_its_height() {
        let drawn = curve(&[0, 10, 5]);
        let points: Vec<&str> = drawn.points.split(' ').collect();
        assert_eq!(points.len(), 3);
        assert!(points[2].starts_with("120.0,"), "{points:?}");
        assert!(points[0].ends_with(",23.0") && points[1].ends_with(",1.0"), "{points:?}");
        assert_eq!(drawn.says, "from 0 to 5 in 3 looks, at most 10");
        assert_eq!(curve(&[]).points, "");
    }
}
