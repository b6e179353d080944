//! The broker's events as sentences in the log.

use tracing::{error, info, warn};

use crate::broker::Event;
use crate::labs::{Broken, WIRED};

pub fn log(event: &Event) {
    match event {
        Event::TopicCreated { topic } => info!("topic {topic} created"),
        Event::TopicDeleted { topic } => info!("topic {topic} deleted"),
        Event::Cut { partition, bytes } => {
            warn!("{partition}: {bytes} bytes behind the last whole batch were cut off");
        }
        Event::SegmentsDeleted { partition, count, log_start } => {
            info!("{partition}: retention deleted {count} segments, the log starts at {log_start}");
        }
        Event::OrganBroke { partition, broken } => error!("{}", organ_broke(partition, broken)),
        Event::Storage { partition, why, offline: true } => {
            error!("{partition} is offline until the next start: {why}");
        }
        Event::Storage { partition, why, offline: false } => error!("{partition}: {why}"),
        Event::Stray { dir } => {
            warn!("{dir} is no partition of this cluster; it was left alone");
        }
        Event::JobFailed { job, why } => warn!("{job:?} failed: {why}"),
    }
}

/// Names the lab, the step and the place; says what the clients see and what to do.
fn organ_broke(partition: &str, broken: &Broken) -> String {
    let organ = WIRED.iter().find(|organ| organ.lab == "offset-log");
    let (lab, yours) = organ.map_or(("offset-log", false), |organ| (organ.lab, organ.yours));
    let whose = if yours { "your" } else { "our" };
    match broken.message.strip_prefix("not yet implemented: ") {
        Some(step) => format!(
            "{whose} {lab} is not finished: {step}\n    at {}\n    {partition} answers \
             UNKNOWN_SERVER_ERROR until that step is written and the broker starts again",
            broken.place
        ),
        None => format!(
            "{whose} {lab} panicked: {}\n    at {}\n    {partition} answers UNKNOWN_SERVER_ERROR \
             until the broker starts again",
            broken.message, broken.place
        ),
    }
}
