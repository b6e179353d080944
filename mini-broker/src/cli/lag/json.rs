//! Groups as JSON for scripts.

use serde_json::{Value, json};

use crate::labs::lag::Place;
use crate::labs::told;
use crate::monitor::view::{GroupView, PartitionView, Said};

pub fn text(groups: &[GroupView]) -> String {
    let groups: Vec<Value> = groups.iter().map(group).collect();
    json!({ "groups": groups }).to_string()
}

fn group(group: &GroupView) -> Value {
    let partitions: Vec<Value> = group.partitions.iter().map(partition).collect();
    let status = group.status.as_ref();
    json!({
        "group": group.name,
        "members": group.members,
        "status": said(&group.status, |it| json!(it.status.name())),
        "total_lag": status.map(|it| json!(it.total_lag)).unwrap_or_default(),
        "complete": status.map(|it| share(it.complete)).unwrap_or_default(),
        "late_ms": said(&group.behind_ms, |ms| json!(ms)),
        "partitions": partitions,
    })
}

fn partition(view: &PartitionView) -> Value {
    let rates = view.rates.clone().unwrap_or_default();
    let lost = match view.place {
        Ok(Place::Overtaken { lost }) => lost,
        _ => 0,
    };
    json!({
        "topic": view.topic,
        "partition": view.partition,
        "log_start": view.log.map(|(start, _)| start),
        "log_end": view.log.map(|(_, end)| end),
        "committed": view.committed,
        "lag": said(&view.lag, |lag| json!(lag)),
        "deleted_unread": lost,
        "status": said(&view.status, |status| json!(status.name())),
        "complete": share(view.complete),
        "late_ms": said(&view.behind_ms, |ms| json!(ms)),
        "come_per_s": rates.0,
        "read_per_s": rates.1,
        "all_read": said(&view.drain, |drain| json!(drain)),
        "owner": view.owner.as_ref().map(|owner| json!({
            "member_id": owner.member_id, "host": owner.host, "client_id": owner.client_id,
        })),
    })
}

/// Without the digits that only the conversion makes up.
fn share(complete: f32) -> Value {
    json!((f64::from(complete) * 1000.0).round() / 1000.0)
}

/// A step that is not written yet says so.
fn said<T>(said: &Said<T>, value: impl Fn(&T) -> Value) -> Value {
    match said {
        Ok(said) => value(said),
        Err(broken) => json!({ "unfinished": told("lag", broken) }),
    }
}
