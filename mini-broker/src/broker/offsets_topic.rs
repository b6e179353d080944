//! `__consumer_offsets`: a compacted topic like any other, in which coordinators keep their groups. A group
//! lives in one of its partitions, and is coordinated by that one's leader. (`CoordinatorRuntime`.)
//!
//! What is written counts once it is on every replica in sync, and so does what is read when a broker takes
//! over: nothing that was acknowledged is forgotten, and nothing is told that may be.

mod loading; // from the log to the groups in it

pub use loading::{Loading, forgotten};

use bytes::BytesMut;
use wire::committed_offsets::{OffsetCommitResponse, OffsetDeleteResponse};
use wire::offsets_topic::GroupRecord;
use wire::produce::PartitionProduceData;
use wire::{ErrorCode, Records};

use super::committed::{commit_refused, delete_refused};
use super::groups::{GroupId, Shard};
use super::metadata::OFFSETS_TOPIC;
use super::partition::Waiter;
use super::waiting::Owner;
use super::{Broker, Now, Output, Refused, Ticket};
use crate::labs::acks::Acks;
use crate::records::{Builder, Codec};

/// A group's records that are in the log, and not yet on every replica in sync.
pub struct Write {
    pub id: GroupId,
    records: Vec<GroupRecord>,
    /// Who waits for that; nobody any more when the time is up.
    waits: For,
    /// In `mono_ms`.
    deadline: u64,
}

/// What follows when records are written, or cannot be.
pub enum For {
    Commit(Ticket, OffsetCommitResponse),
    OffsetsDeleted(Ticket, OffsetDeleteResponse),
    /// One of the groups that somebody deletes, by its place in the answer.
    GroupDeleted(Ticket, usize),
    Saved {
        generation: i32,
    },
    Nobody,
}

impl Broker {
    /// The partition that a group lives in, if this broker coordinates it and knows its groups.
    pub(super) fn coordinates(&self, group: &str) -> Result<GroupId, Refused> {
        let partitions = self.topics.get(OFFSETS_TOPIC).map_or(0, Vec::len);
        let shard = partition_of(group, partitions);
        match shard.and_then(|shard| Some((shard, self.groups.shards.get(&shard)?))) {
            Some((shard, Shard::Loaded(groups))) => {
                let known = groups.get_key_value(group).map(|(name, _)| name.clone());
                Ok((shard, known.unwrap_or_else(|| group.into())))
            }
            Some((shard, Shard::Loading(_))) => {
                let why = format!("{OFFSETS_TOPIC}-{shard} is still being read");
                Err(Refused::new(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS, why))
            }
            Some((_, Shard::Failed(refused))) => Err(refused.clone()),
            None => {
                let why = format!("another broker coordinates {group:?}, or none does now");
                Err(Refused::new(ErrorCode::NOT_COORDINATOR, why))
            }
        }
    }

    /// Writes records of a group. `None`: it waits until they are on every replica in sync, and what is to
    /// follow will. Else it is said now, and nothing follows.
    pub(super) fn write_group(
        &mut self,
        now: Now,
        id: &GroupId,
        records: Vec<GroupRecord>,
        waits: For,
        out: &mut Vec<Output>,
    ) -> Option<Result<(), Refused>> {
        self.groups.last_write += 1;
        let number = self.groups.last_write;
        let data = PartitionProduceData {
            index: id.0,
            records: batch(&records, now).map_or(Records::None, Records::Here),
        };
        let waiter = Waiter::Write(number);
        match self.append(now, OFFSETS_TOPIC, Acks::All, waiter, data, out) {
            Ok(placed) if placed.waits => {
                let wait_ms = self.config.number("offsets.commit.timeout.ms") as u64;
                let deadline = now.mono_ms + wait_ms;
                self.timers.set(deadline, Owner::Write(number));
                if let Some(known) = self.groups.known(id) {
                    known.writing += 1;
                }
                let write = Write { id: id.clone(), records, waits, deadline };
                self.groups.writes.insert(number, write);
                None
            }
            Ok(_) => {
                self.apply_records(now, id, &records);
                Some(Ok(()))
            }
            Err(refused) => {
                if is_in_log(&refused) {
                    self.apply_records(now, id, &records);
                }
                Some(Err(refused))
            }
        }
    }

    /// Records are on every replica in sync, or nobody will know.
    pub(super) fn group_write_settled(
        &mut self,
        now: Now,
        number: u64,
        done: Result<(), Refused>,
        out: &mut Vec<Output>,
    ) {
        let Some(write) = self.groups.writes.remove(&number) else { return };
        let Write { id, records, waits, deadline } = write;
        self.timers.clear(deadline, Owner::Write(number));
        if let Some(known) = self.groups.known(&id) {
            known.writing -= 1;
        }
        if done.as_ref().map_or_else(is_in_log, |()| true) {
            self.apply_records(now, &id, &records);
        }
        self.follow_up(now, &id, waits, done, out);
        self.tidy_group(now, &id);
    }

    /// Its time is up. The records are in the log all the same, and may still count.
    pub(super) fn group_write_too_late(&mut self, now: Now, number: u64, out: &mut Vec<Output>) {
        let Some(write) = self.groups.writes.get_mut(&number) else { return };
        let (id, waits) = (write.id.clone(), std::mem::replace(&mut write.waits, For::Nobody));
        let why = "not on every replica in sync in offsets.commit.timeout.ms";
        let refused = Refused::new(ErrorCode::REQUEST_TIMED_OUT, why);
        self.follow_up(now, &id, waits, Err(refused), out);
    }

    fn follow_up(
        &mut self,
        now: Now,
        id: &GroupId,
        waits: For,
        done: Result<(), Refused>,
        out: &mut Vec<Output>,
    ) {
        match waits {
            For::Nobody => {}
            For::Commit(ticket, response) => {
                let response = match done {
                    Ok(()) => response,
                    Err(refused) => commit_refused(response, &refused),
                };
                out.push(Output::Answer { ticket, answer: response.into() });
            }
            For::OffsetsDeleted(ticket, response) => {
                let response = match done {
                    Ok(()) => response,
                    Err(refused) => delete_refused(response, &refused),
                };
                out.push(Output::Answer { ticket, answer: response.into() });
            }
            For::GroupDeleted(ticket, place) => self.group_deleted(ticket, place, done, out),
            For::Saved { generation } => {
                let next = self.group_saved(now, id, generation, done, out);
                self.group_goes_on(now, id, next, out);
            }
        }
    }

    /// Takes records into account that are on every replica in sync.
    fn apply_records(&mut self, now: Now, id: &GroupId, records: &[GroupRecord]) {
        let Some(known) = self.known_or_new(now, id) else { return };
        records.iter().for_each(|record| known.apply(record));
        let soon = records.iter().filter_map(expires).min();
        if let Some(at) = soon {
            self.look_at_offsets(now, id, at);
        }
    }

    /// This broker coordinates the groups of a partition no more.
    fn forget_groups(&mut self, shard: i32, out: &mut Vec<Output>) {
        self.groups.loading.remove(&shard);
        self.groups.epochs.remove(&shard);
        let elsewhere = Refused::new(ErrorCode::NOT_COORDINATOR, "the group has moved");
        let numbers = self.groups.writes.iter().filter(|(_, write)| write.id.0 == shard);
        for number in numbers.map(|(number, _)| *number).collect::<Vec<_>>() {
            let Some(write) = self.groups.writes.remove(&number) else { continue };
            self.timers.clear(write.deadline, Owner::Write(number));
            // Of a generation that was to be saved nobody hears; its members are told below.
            if !matches!(write.waits, For::Saved { .. }) {
                let now = Now { mono_ms: 0, wall_ms: 0 }; // no group is called
                self.follow_up(now, &write.id, write.waits, Err(elsewhere.clone()), out);
            }
        }
        let Some(Shard::Loaded(groups)) = self.groups.shards.remove(&shard) else { return };
        for (name, known) in groups {
            let id = (shard, name);
            self.groups.expiry.forget(known.look_at, &id);
            if let Some(at) = known.timer {
                self.timers.clear(at, Owner::Group(id));
            }
        }
        self.nobody_waits_in(shard, &elsewhere, out);
    }
}

/// The partition for a group, of so many. (`Utils.abs(groupId.hashCode) % partitions`.)
pub fn partition_of(group: &str, partitions: usize) -> Option<i32> {
    let hash = group
        .encode_utf16()
        .fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(unit.into()));
    let positive = if hash == i32::MIN { 0 } else { hash.abs() };
    positive.checked_rem(i32::try_from(partitions).ok()?)
}

fn batch(records: &[GroupRecord], now: Now) -> Option<BytesMut> {
    let mut batch = Builder::new(Codec::None);
    for record in records {
        let (key, value) = record.encode();
        let no_headers = std::iter::empty::<(&[u8], Option<&[u8]>)>();
        batch.push(now.wall_ms as i64, Some(&key), value.as_deref(), no_headers);
    }
    batch.finish()
}

/// When somebody who commits wants the offset to go, in `wall_ms`.
fn expires(record: &GroupRecord) -> Option<u64> {
    match record {
        GroupRecord::OffsetCommit { value: Some(value), .. } => {
            u64::try_from(value.expire_timestamp).ok()
        }
        _ => None,
    }
}

/// Whether records are in the log, and on every replica in sync, although something was wrong.
fn is_in_log(refused: &Refused) -> bool {
    refused.code == ErrorCode::NOT_ENOUGH_REPLICAS_AFTER_APPEND
}

/// What a group's client is told where the log gave an error: it knows of groups, and not of their log.
/// (`GroupCoordinatorService.handleOperationException`.)
pub fn told_by_log(code: ErrorCode) -> ErrorCode {
    match code {
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
        | ErrorCode::NOT_ENOUGH_REPLICAS
        | ErrorCode::NOT_ENOUGH_REPLICAS_AFTER_APPEND
        | ErrorCode::REQUEST_TIMED_OUT => ErrorCode::COORDINATOR_NOT_AVAILABLE,
        ErrorCode::NOT_LEADER_OR_FOLLOWER | ErrorCode::KAFKA_STORAGE_ERROR => {
            ErrorCode::NOT_COORDINATOR
        }
        ErrorCode::MESSAGE_TOO_LARGE => ErrorCode::UNKNOWN_SERVER_ERROR,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers are Java's.
    #[test]
    fn a_group_lives_where_kafka_puts_it() {
        assert_eq!(partition_of("billing", 50), Some(9));
        assert_eq!(partition_of("", 50), Some(0));
        assert_eq!(partition_of("polygenelubricants", 50), Some(0), "its hash is the least number");
        assert_eq!(partition_of("billing", 0), None);
    }
}
