//! What waits: fetches for records or their time, answers for the metadata log, and everything that has
//! a time, in one ordered set.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wire::Request;
use wire::fetch::FetchRequest;

use super::groups::GroupId;
use super::partition::Turn;
use super::{Answer, Broker, Client, Input, Node, Now, Output, Ticket, find};
use crate::validate::Verdicts;

/// Whoever set a timer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    Fetch(Ticket),
    Partition(Arc<str>, i32),
    Checkpoint,
    /// A request whose time is up, whatever others have done of it.
    Unfinished(Ticket),
    /// A leader that is to be fetched from again.
    Fetcher(i32),
    /// In-sync sets that are to be asked for again.
    InSync,
    /// The next heartbeat, or what comes in its place.
    Membership,
    /// The next look at the metadata log, after one that failed.
    MetadataLog,
    /// A request that is with the coordinator, by its number.
    Forwarded(u64),
    /// A group, in which somebody may have died.
    Group(GroupId),
    /// Records of a group that should be on every replica in sync by now.
    Write(u64),
    /// A partition of `__consumer_offsets` that could not be read.
    Loading(i32),
    /// Committed offsets that may be too old.
    Expiry,
}

/// Times in `mono_ms` and their owners. Whoever is touched sets its timer again, so nothing ever
/// walks over all partitions.
#[derive(Default)]
pub struct Timers(BTreeSet<(u64, Owner)>);

impl Timers {
    pub fn next(&self) -> Option<u64> {
        self.0.first().map(|(at, _)| *at)
    }

    pub fn set(&mut self, at: u64, owner: Owner) {
        self.0.insert((at, owner));
    }

    pub fn clear(&mut self, at: u64, owner: Owner) {
        self.0.remove(&(at, owner));
    }

    fn take_due(&mut self, now_ms: u64) -> Option<Owner> {
        match self.0.first() {
            Some((at, _)) if *at <= now_ms => self.0.pop_first().map(|(_, owner)| owner),
            _ => None,
        }
    }
}

/// A fetch that waits for `min_bytes`, or for its time.
pub struct Parked {
    pub request: FetchRequest,
    pub deadline: u64,
}

/// What happens once the metadata log is applied below an offset.
pub enum Then {
    Answer {
        ticket: Ticket,
        answer: Answer,
    },
    /// The request is looked at again, with what the cluster then knows.
    Again {
        ticket: Ticket,
        client: Client,
        request: Request,
    },
    /// Whoever looks for a group's coordinator may find it.
    Search,
}

pub type AfterApplied = BTreeMap<u64, Vec<Then>>;

impl Broker {
    pub(super) fn park(&mut self, ticket: Ticket, parked: Parked) {
        let follower = parked.request.replica_id >= 0;
        for topic in &parked.request.topics {
            for partition in &topic.partitions {
                if let Some(partition) = self.partition(&topic.topic, partition.partition) {
                    match follower {
                        true => partition.followers_waiting.insert(ticket),
                        false => partition.waiting.insert(ticket),
                    };
                }
            }
        }
        self.timers.set(parked.deadline, Owner::Fetch(ticket));
        self.parked.insert(ticket, parked);
    }

    pub(super) fn unpark(&mut self, ticket: Ticket) -> Option<Parked> {
        let parked = self.parked.remove(&ticket)?;
        self.woken.remove(&ticket);
        self.timers.clear(parked.deadline, Owner::Fetch(ticket));
        for topic in &parked.request.topics {
            for partition in &topic.partitions {
                if let Some(partition) = self.partition(&topic.topic, partition.partition) {
                    partition.waiting.remove(&ticket);
                    partition.followers_waiting.remove(&ticket);
                }
            }
        }
        Some(parked)
    }

    /// Looks again at the fetches whose partitions moved.
    pub(super) fn release(&mut self, now: Now, out: &mut Vec<Output>) {
        for ticket in std::mem::take(&mut self.woken) {
            let Some(parked) = self.unpark(ticket) else { continue };
            match self.try_fetch(now, &parked.request, false, out) {
                attempt if attempt.enough => {
                    let follower = parked.request.replica_id >= 0;
                    self.count_fetched(follower, &attempt.answer);
                    out.push(Output::Answer { ticket, answer: attempt.answer });
                }
                _ => self.park(ticket, parked),
            }
        }
    }

    /// Runs what is due. The fetches whose time is up are given back: they are answered last.
    pub(super) fn run_timers(&mut self, now: Now, out: &mut Vec<Output>) -> Vec<Ticket> {
        let mut waited_enough = Vec::new();
        while let Some(owner) = self.timers.take_due(now.mono_ms) {
            match owner {
                Owner::Fetch(ticket) => waited_enough.push(ticket),
                Owner::Partition(topic, index) => self.tick_partition(now, &topic, index, out),
                Owner::Unfinished(ticket) => self.unfinished_too_late(ticket, out),
                Owner::Fetcher(leader) => self.fetch_again(now, leader, out),
                Owner::InSync => self.ask_for_in_sync_again(out),
                Owner::Checkpoint => self.write_checkpoints(now, out),
                Owner::Membership => self.meet_coordinator(out),
                Owner::MetadataLog => self.read_metadata(out),
                Owner::Forwarded(number) => self.forwarded_due(now, number, out),
                Owner::Group(id) => self.tick_group(now, &id, out),
                Owner::Write(number) => self.group_write_too_late(now, number, out),
                Owner::Loading(index) => self.load_again(index),
                Owner::Expiry => self.expire_offsets(now, out),
            }
        }
        waited_enough
    }

    /// Answers fetches with what there is, however little.
    pub(super) fn answer_as_it_is(
        &mut self,
        now: Now,
        fetches: Vec<Ticket>,
        out: &mut Vec<Output>,
    ) {
        for ticket in fetches {
            if let Some(parked) = self.unpark(ticket) {
                let answer = self.try_fetch(now, &parked.request, false, out).answer;
                self.count_fetched(parked.request.replica_id >= 0, &answer);
                out.push(Output::Answer { ticket, answer });
            }
        }
    }

    fn tick_partition(&mut self, now: Now, topic: &str, index: i32, out: &mut Vec<Output>) {
        let Broker { topics, files, woken, .. } = self;
        let partition = find(topics, topic, index);
        let Some(partition) = partition else { return };
        partition.timer = None;
        let ticked = partition.tick(&mut Turn { now, files: files.as_mut(), out });
        if ticked.start_moved {
            woken.extend(&partition.waiting);
        }
        if let Some(to) = ticked.sync {
            self.sync_partition(topic, index, to, out);
        }
        self.touched(now, topic, index, out);
        self.look(now, topic, index, out);
        self.rearm(now, topic, index);
    }

    /// Sets a partition's timer to its next deadline.
    pub(super) fn rearm(&mut self, now: Now, topic: &str, index: i32) {
        let Broker { topics, timers, .. } = self;
        let partition = find(topics, topic, index);
        let Some(partition) = partition else { return };
        let next = partition.deadline(now).map(|at| at.max(now.mono_ms + 1));
        if next != partition.timer {
            let owner = || Owner::Partition(Arc::clone(&partition.topic), index);
            if let Some(at) = partition.timer {
                timers.clear(at, owner());
            }
            if let Some(at) = next {
                timers.set(at, owner());
            }
            partition.timer = next;
        }
    }

    /// Goes on once the metadata log is applied below an offset.
    pub(super) fn once_applied(
        &mut self,
        now: Now,
        offset: u64,
        then: Then,
        out: &mut Vec<Output>,
    ) {
        match offset <= self.applied {
            true => self.go_on(now, then, out),
            false => self.after_applied.entry(offset).or_default().push(then),
        }
    }

    /// More of the metadata log is applied: what waited for it goes on.
    pub(super) fn after_applied(&mut self, now: Now, out: &mut Vec<Output>) {
        let later = self.after_applied.split_off(&(self.applied + 1));
        for then in std::mem::replace(&mut self.after_applied, later).into_values().flatten() {
            self.go_on(now, then, out);
        }
    }

    fn go_on(&mut self, now: Now, then: Then, out: &mut Vec<Output>) {
        match then {
            Then::Answer { ticket, answer } => out.push(Output::Answer { ticket, answer }),
            Then::Again { ticket, client, request } => {
                let verdicts = Verdicts::new();
                self.handle(now, Input::Request { ticket, client, request, verdicts }, out);
            }
            Then::Search => self.offsets_topic_made(out),
        }
    }
}
