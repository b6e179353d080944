//! Offsets that nobody will ask for any more: a week after their group has had its last member, or when
//! their topic is deleted. A group that has neither members nor offsets goes, too. (KIP-211,
//! `GroupCoordinatorShard.cleanupGroupMetadata`.)
//!
//! Groups are looked at when theirs may be too old, and not before: each look says when the next one is.

use std::collections::BTreeSet;

use wire::offsets_topic::{GroupMetadataKey, GroupRecord};

use super::groups::GroupId;
use super::offsets_topic::{For, forgotten};
use super::waiting::Owner;
use super::{Broker, Now, Output};

/// So many records are written at a time: a batch may not be too large.
const PIECE: usize = 1_000;

#[derive(Default)]
pub struct Expiry {
    /// When to look at which group, in `wall_ms`.
    due: BTreeSet<(u64, GroupId)>,
    /// When there was a look, in `mono_ms`.
    looked: u64,
    /// The timer that is set, in `mono_ms`.
    timer: Option<u64>,
}

impl Expiry {
    pub fn forget(&mut self, at: Option<u64>, id: &GroupId) {
        if let Some(at) = at {
            self.due.remove(&(at, id.clone()));
        }
    }
}

impl Broker {
    /// How long offsets are kept once nobody needs them.
    pub(super) fn keep_offsets_ms(&self) -> u64 {
        self.config.number("offsets.retention.minutes") as u64 * 60_000
    }

    /// Looks at a group's offsets at this time, in `wall_ms`, or before.
    pub(super) fn look_at_offsets(&mut self, now: Now, id: &GroupId, at: u64) {
        let Some(known) = self.groups.known(id) else { return };
        if known.look_at.is_some_and(|earlier| earlier <= at) {
            return;
        }
        let before = known.look_at.replace(at);
        self.groups.expiry.forget(before, id);
        self.groups.expiry.due.insert((at, id.clone()));
        self.set_expiry_timer(now);
    }

    fn set_expiry_timer(&mut self, now: Now) {
        let every = self.config.number("offsets.retention.check.interval.ms") as u64;
        let expiry = &mut self.groups.expiry;
        let next = expiry.due.first().map(|(at, _)| {
            let from_now = at.saturating_sub(now.wall_ms);
            now.mono_ms.saturating_add(from_now).max(expiry.looked + every)
        });
        if next != expiry.timer {
            if let Some(at) = expiry.timer {
                self.timers.clear(at, Owner::Expiry);
            }
            if let Some(at) = next {
                self.timers.set(at, Owner::Expiry);
            }
            expiry.timer = next;
        }
    }

    /// Looks at the groups whose time may have come.
    pub(super) fn expire_offsets(&mut self, now: Now, out: &mut Vec<Output>) {
        (self.groups.expiry.timer, self.groups.expiry.looked) = (None, now.mono_ms);
        let later = match self.groups.expiry.due.iter().find(|(at, _)| *at > now.wall_ms) {
            Some(later) => self.groups.expiry.due.split_off(&later.clone()),
            None => BTreeSet::new(),
        };
        let due = std::mem::replace(&mut self.groups.expiry.due, later);
        for (_, id) in due {
            if let Some(known) = self.groups.known(&id) {
                known.look_at = None;
                self.expire_offsets_of(now, &id, out);
            }
        }
        self.set_expiry_timer(now);
    }

    fn expire_offsets_of(&mut self, now: Now, id: &GroupId, out: &mut Vec<Output>) {
        let keep_ms = self.keep_offsets_ms();
        let Some(known) = self.groups.known(id) else { return };
        let mut next = now.wall_ms.saturating_add(keep_ms);
        let mut records = Vec::new();
        let offsets = std::mem::take(&mut known.offsets);
        for (topic, partitions) in &offsets {
            for (index, value) in partitions {
                match known.expires(topic, value, keep_ms) {
                    Some(at) if at <= now.wall_ms => {
                        records.push(forgotten(&id.1, topic, *index));
                    }
                    Some(at) => next = next.min(at),
                    None => {}
                }
            }
        }
        let all = records.len() == offsets.values().map(|it| it.len()).sum::<usize>();
        known.offsets = offsets;
        let nobody = known.get(|group| group.members().len() == 0 && group.pending().len() == 0);
        let ends = all && known.writing == 0 && nobody == Some(true);
        if ends && known.saved {
            let key = GroupMetadataKey { group: id.1.to_string() };
            records.push(GroupRecord::GroupMetadata { key, value: None });
        }
        let written = self.write_in_pieces(now, id, records, out);
        let config = self.groups_config();
        if let Some(known) = self.groups.known(id) {
            if ends && written {
                known.begin_anew(now, config);
            }
            // What could not be written is tried again with the next look.
            let next = if all && !written { now.wall_ms + 1 } else { next };
            self.look_at_offsets(now, id, next);
        }
        self.tidy_group(now, id);
    }

    /// A topic is gone, and with it what groups have read of it. (`OffsetMetadataManager.onPartitionsDeleted`.)
    pub(super) fn forget_offsets_of(&mut self, now: Now, topic: &str, out: &mut Vec<Output>) {
        let mut all = Vec::new();
        let shards: Vec<i32> = self.groups.shards.keys().copied().collect();
        for shard in shards {
            for (name, known) in self.groups.of(shard).into_iter().flatten() {
                if let Some(partitions) = known.offsets.get(topic) {
                    let records = partitions.keys().map(|index| forgotten(name, topic, *index));
                    all.push(((shard, name.clone()), records.collect::<Vec<_>>()));
                }
            }
        }
        for (id, records) in all {
            self.write_in_pieces(now, &id, records, out);
            self.tidy_group(now, &id);
        }
    }

    /// Whether all of it is in the log.
    pub(super) fn write_in_pieces(
        &mut self,
        now: Now,
        id: &GroupId,
        records: Vec<GroupRecord>,
        out: &mut Vec<Output>,
    ) -> bool {
        records.chunks(PIECE).all(|piece| {
            let done = self.write_group(now, id, piece.to_vec(), For::Nobody, out);
            done.is_none_or(|done| done.is_ok())
        })
    }
}
