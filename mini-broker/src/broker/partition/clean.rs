//! Compaction as one partition sees it: whether it is time for a pass, and the pass's result taking
//! effect. The pass itself is a job ([`compact::run`](crate::broker::compact::run)).

use std::collections::VecDeque;
use std::io;

use super::{Log, Partition, Turn};
use crate::broker::compact::{Compacted, Group, Plan, Sealed, swap};
use crate::broker::{Event, Output};
use crate::configs::Compaction;

/// Renames in one turn, about: others want to be served too.
const RENAMES_A_TURN: usize = 500;

/// A pass that fails is tried again later and later, up to 256 times the backoff.
const MOST_DOUBLINGS: u32 = 8;

/// How long files wait that could not be removed, in a topic that is not compacted any more.
const LITTER_WAITS_MS: u64 = 15_000;

/// Where a partition stands with its compaction.
#[derive(Default)]
pub struct Cleaning {
    state: State,
    /// Everything below has been through a pass.
    cleaned_to: u64,
    /// When to look next, in `mono_ms`.
    look_at: u64,
    /// There may be files in the directory that only wait to be removed.
    litter: bool,
    /// Passes that failed since the last that did not.
    failures: u32,
    /// Another partition was being cleaned when this one asked. It will be asked.
    pub queued: bool,
}

#[derive(Default)]
enum State {
    #[default]
    Idle,
    /// A job is under way.
    Busy,
    /// A pass has ended well. These of its groups have not taken effect yet.
    Swapping { left: VecDeque<Group>, pass: Compacted },
}

/// What a partition wants done.
pub enum Chore {
    /// The files removed that wait for it.
    Sweep,
    Compact(Plan),
}

impl Partition {
    pub fn is_compacted(&self) -> bool {
        self.settings.compaction.is_some()
    }

    /// How far the log has been compacted, if at all.
    pub fn cleaned_to(&self) -> Option<u64> {
        Some(self.cleaning.cleaned_to).filter(|to| self.on_disk && *to > 0)
    }

    /// What the start has read.
    pub fn was_cleaned_to(&mut self, offset: u64) {
        self.cleaning.cleaned_to = offset;
    }

    /// The log was opened: it may end before what is known, and there may be files that wait.
    pub(super) fn opened_for_cleaning(&mut self, log_end: u64, litter: bool) {
        self.cleaning.cleaned_to = self.cleaning.cleaned_to.min(log_end);
        self.cleaning.litter |= litter;
    }

    /// Whether segments may go. While a pass is under way, those that it reads stay. (Kafka:
    /// `LogCleanerManager.pauseCleaningForNonCompactedPartitions`.)
    pub(super) fn may_delete(&self) -> bool {
        matches!(self.cleaning.state, State::Idle)
    }

    /// When to look whether there is something to clean, in `mono_ms`.
    pub fn look_at(&self) -> Option<u64> {
        let wanted = self.is_compacted() || self.cleaning.litter;
        (wanted && self.on_disk && self.may_delete()).then_some(self.cleaning.look_at)
    }

    pub fn look_later(&mut self, mono_ms: u64) {
        let wait_ms = self.settings.compaction.map_or(LITTER_WAITS_MS, |how| how.backoff_ms);
        self.cleaning.look_at =
            mono_ms.saturating_add(wait_ms << self.cleaning.failures.min(MOST_DOUBLINGS));
    }

    /// Looks whether there is something to do, and takes it as begun.
    pub fn chore(&mut self, turn: &mut Turn) -> Option<Chore> {
        if !self.may_delete() {
            return None;
        }
        self.look_later(turn.now.mono_ms);
        let chore =
            if self.cleaning.litter { Chore::Sweep } else { Chore::Compact(self.plan(turn)?) };
        self.cleaning.state = State::Busy;
        Some(chore)
    }

    /// A pass, if enough of the log is new. (Kafka: `LogCleanerManager.grabFilthiestCompactedLog`,
    /// `LogToClean`.)
    fn plan(&mut self, turn: &mut Turn) -> Option<Plan> {
        let how = self.settings.compaction.filter(|_| self.on_disk)?;
        let segments = self.sealed(turn, how)?;
        let first = segments.first()?.base;
        let dirty_from = self.cleaning.cleaned_to.max(first);
        let size_of = |counts: &dyn Fn(&Sealed) -> bool| -> u128 {
            segments.iter().filter(|one| counts(one)).map(|one| u128::from(one.size)).sum()
        };
        let clean = size_of(&|segment| segment.base < dirty_from);
        let dirty = size_of(&|segment| segment.end > dirty_from);
        if dirty * 1_000_000 <= u128::from(how.min_dirty_millionths) * (clean + dirty) {
            return None;
        }
        Some(Plan {
            segments,
            dirty_from,
            now_ms: turn.now.wall_ms,
            delete_retention_ms: how.delete_retention_ms,
            segment_bytes: self.settings.segment_bytes.min(i32::MAX as u64),
            index_interval_bytes: self.settings.index_interval_bytes,
            keys_bytes: how.keys_bytes,
        })
    }

    /// The segments that may be compacted: sealed ones, every record of which is on every replica,
    /// on the disk (or else a power loss could take a record after its older one has gone), and old
    /// enough.
    fn sealed(&mut self, turn: &mut Turn, how: Compaction) -> Option<Vec<Sealed>> {
        let mut limit = self.recovery_point.min(self.bounds(turn).ok()?.high_watermark);
        if how.min_lag_ms > 0 {
            let too_new = turn.now.wall_ms.checked_sub(how.min_lag_ms)? as i64 + 1;
            let found = self.find_time(turn, too_new).ok()?;
            limit = found.map_or(limit, |batch| limit.min(batch.segment));
        }
        let segments = self.segments(turn)?;
        Some(segments.into_iter().take_while(|segment| segment.end <= limit).collect())
    }

    /// All sealed segments.
    fn segments(&mut self, turn: &mut Turn) -> Option<Vec<Sealed>> {
        let all = self.call(turn, |log| {
            log.segments().iter().map(|segment| (segment.base, segment.size)).collect::<Vec<_>>()
        });
        let all = all.ok()?;
        let ends = all.iter().skip(1).map(|(base, _)| *base);
        let sealed = all.iter().zip(ends);
        Some(sealed.map(|(&(base, size), end)| Sealed { base, end, size }).collect())
    }

    /// A pass has ended. What it has written takes effect in [`swap`](Self::swap).
    pub fn compacted(&mut self, pass: Compacted) {
        let left = pass.groups.clone().into();
        self.cleaning.state = State::Swapping { left, pass };
    }

    /// A pass has failed, and the log is as it was.
    pub fn not_compacted(&mut self, error: &io::Error, out: &mut Vec<Output>) {
        self.cleaning.state = State::Busy;
        self.failed(error, out);
    }

    /// Tells it once, however often it is tried again.
    fn failed(&mut self, error: &io::Error, out: &mut Vec<Output>) {
        if self.cleaning.failures == 0 {
            let (partition, why) = (self.dir.to_string(), error.to_string());
            out.push(Output::Tell(Event::NotCompacted { partition, why }));
        }
        self.cleaning.failures = self.cleaning.failures.saturating_add(1);
    }

    /// Puts what a pass has written in the place of what it was made from. False: there is more to
    /// do, in the next turn.
    pub fn swap(&mut self, turn: &mut Turn) -> bool {
        let state = std::mem::replace(&mut self.cleaning.state, State::Busy);
        let State::Swapping { mut left, pass } = state else { return true };
        let swapped = self.swap_some(turn, &mut left);
        // Opened again now, and not with the next request: a clean stop syncs what is open.
        let _ = self.bounds(turn);
        match swapped {
            Err(error) => self.failed(&error, turn.out),
            Ok(true) if left.is_empty() => self.all_swapped(turn, pass),
            Ok(true) => {
                self.cleaning.state = State::Swapping { left, pass };
                return false;
            }
            Ok(false) => {}
        }
        true
    }

    /// Swaps the first groups that are `left`, in order. False: the log is not what it was when the
    /// pass began, so the rest must not take effect.
    ///
    /// The log is closed for it. What was written to it is known, so that nothing of it needs to be
    /// read when it is opened again but names, lengths and the last index entries.
    fn swap_some(&mut self, turn: &mut Turn, left: &mut VecDeque<Group>) -> io::Result<bool> {
        let (Some(segments), Ok(bounds)) = (self.segments(turn), self.bounds(turn)) else {
            return Ok(false);
        };
        let mut renames = 0;
        while let Some(group) = left.pop_front() {
            let at = segments.iter().position(|segment| segment.base == group.base());
            if at.is_none_or(|at| !segments[at..].starts_with(&group.segments)) {
                // Somebody moved the log's start. If that took all of the group, the next may go on.
                match segments.iter().any(|segment| group.segments.contains(segment)) {
                    true => return Ok(false),
                    false => continue,
                }
            }
            self.log = Log::Closed;
            self.reopens_as = Some(bounds);
            swap::replace(turn.files, &self.dir, &group)?;
            renames += 3 * group.segments.len() + 2;
            if renames >= RENAMES_A_TURN {
                break;
            }
        }
        Ok(true)
    }

    fn all_swapped(&mut self, turn: &mut Turn, pass: Compacted) {
        self.cleaning.cleaned_to = pass.cleaned_to;
        // There may be more: not all keys need have found room.
        self.cleaning.failures = 0;
        self.cleaning.look_at = turn.now.mono_ms;
        if pass.groups.is_empty() {
            return;
        }
        let partition = self.dir.to_string();
        let Compacted { before, after, unreadable, .. } = pass;
        turn.out.push(Output::Tell(Event::Compacted { partition, before, after, unreadable }));
    }

    /// The files that waited for it are removed, or could not be.
    pub fn swept(&mut self, swept: io::Result<()>, out: &mut Vec<Output>) {
        self.cleaning.state = State::Idle;
        self.cleaning.litter = swept.is_err();
        if let Err(error) = swept {
            self.failed(&error, out);
        }
    }
}
