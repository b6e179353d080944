//! The broker's events as sentences in the log.

use tracing::{error, info, warn};

use crate::coordinator::{Resource, STOPS};
use crate::labs;
use crate::node::Event;

pub fn log(event: &Event) {
    match event {
        Event::TopicCreated { topic } => info!("topic {topic} created"),
        Event::TopicDeleted { topic } => info!("topic {topic} deleted"),
        Event::BrokerRegistered { id, epoch } => info!("broker {id} registered, epoch {epoch}"),
        Event::BrokerUnfenced { id } => info!("broker {id} takes part"),
        Event::BrokerFenced { id, why } if *why == STOPS => {
            info!("broker {id} takes no part any more: {why}");
        }
        Event::BrokerFenced { id, why } => warn!("broker {id} takes no part any more: {why}"),
        Event::LeadersReturned { partitions } => {
            info!("{partitions} partitions are led again by whom they are to be led by");
        }
        Event::CoordinatorAway { why, serves: true } => warn!(
            "the coordinator does not answer: {why}. It is tried again. Produce and fetch go on; \
             elections and topic creation wait"
        ),
        Event::CoordinatorAway { why, serves: false } => warn!(
            "the coordinator does not answer: {why}. It is tried again, and clients have to wait"
        ),
        Event::CoordinatorBack => info!("the coordinator answers again"),
        Event::Cut { partition, bytes } => {
            warn!("{partition}: {bytes} bytes behind the last whole batch were cut off");
        }
        Event::SegmentsDeleted { partition, count, log_start } => {
            info!("{partition}: retention deleted {count} segments, the log starts at {log_start}");
        }
        Event::RecordsDeleted { partition, log_start } => {
            info!("{partition}: records deleted, the log starts at {log_start}");
        }
        Event::InSyncNotAgreed { partitions, why } => warn!(
            "{partitions} partitions should have another in-sync set, and the coordinator has not \
             agreed: {why}. Where a follower is gone, acks=all waits"
        ),
        Event::Truncated { partition, from, to } => {
            info!("{partition}: parts from its leader's log: cut from offset {from} to {to}");
        }
        Event::BegunAnew { partition, at } => {
            warn!("{partition}: its leader's log starts later, and it begins anew at offset {at}");
        }
        Event::SettingsChanged { resource } => match resource {
            Resource::Topic(topic) => info!("topic {topic}: settings changed"),
            Resource::Broker(id) => info!("broker {id}: settings changed"),
            Resource::AllBrokers => info!("all brokers: settings changed"),
        },
        Event::Compacted { partition, before, after, unreadable } => {
            info!("{partition}: compacted, {before} bytes → {after}");
            if *unreadable > 0 {
                warn!("{partition}: {unreadable} batches cannot be read; they stay as they are");
            }
        }
        Event::Generation { group, generation, members: 0, .. } => {
            info!("group {group}: generation {generation}, no members");
        }
        Event::Generation { group, generation, members, assignor } => {
            info!("group {group}: generation {generation}, {members} members, {assignor}");
        }
        Event::GroupsLoaded { groups } => {
            info!(
                "{groups} groups are coordinated here from now on, as __consumer_offsets has them"
            );
        }
        Event::GroupsUnreadable { partition, records } => {
            warn!(
                "{partition}: {records} records of groups cannot be read; what they said is lost"
            );
        }
        Event::NotCompacted { partition, why } => {
            warn!("{partition}: not compacted, the log is as it was: {why}");
        }
        Event::OrganBroke { lab, what, so, broken } => error!(
            "{}\n    {what} {so} until that is mended, and this program starts again",
            labs::told(lab, broken)
        ),
        Event::Storage { partition, why, offline: true } => {
            error!("{partition} is offline until the next start: {why}");
        }
        Event::Storage { partition, why, offline: false } => error!("{partition}: {why}"),
        Event::LeftOver { dir } => {
            warn!("{dir} is of a topic that was deleted; it is removed");
        }
        Event::Stray { dir } => {
            warn!("{dir} is no partition of this cluster; it was left alone");
        }
        Event::SnapshotWritten { end } => {
            info!("a snapshot holds the metadata log below offset {end}");
        }
        Event::CheckpointFailed { what, why } => {
            warn!("{what} cannot be written now, and is tried again: {why}");
        }
        Event::JobFailed { job, why } => warn!("{job:?} failed: {why}"),
    }
}
