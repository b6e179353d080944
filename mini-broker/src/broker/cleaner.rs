//! Whose turn it is to be compacted. One partition at a time: a pass takes memory and the disk's
//! attention. (Kafka: `LogCleaner`, with its one thread by default, which takes the filthiest log
//! first; here they come in the order in which they ask.)
//!
//! ```text
//! a look, every log.cleaner.backoff.ms → Job::Compact → its result takes effect, in turns of
//! some milliseconds → Job::Sweep, which removes the old files → the next partition
//! ```

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::sync::Arc;

use super::partition::{Chore, Partition, Turn};
use super::{Broker, Done, Job, Now, Output, Owner, find};

#[derive(Default)]
pub struct Cleaner {
    /// A partition is being cleaned.
    busy: bool,
    /// What was written for it takes effect in the next tick.
    swapping: Option<Owner>,
    /// Who has asked meanwhile.
    waiting: VecDeque<(Arc<str>, i32)>,
}

impl Cleaner {
    /// Whether a tick has something to do at once.
    pub fn is_due(&self) -> bool {
        self.swapping.is_some()
    }
}

impl Broker {
    /// Looks whether a partition has something to clean, if it is time.
    pub(super) fn look(&mut self, now: Now, topic: &str, index: i32, out: &mut Vec<Output>) {
        let busy = self.cleaner.busy;
        let Some(partition) = self.partition(topic, index) else { return };
        if partition.look_at().is_none_or(|at| at > now.mono_ms) {
            return;
        }
        if !busy {
            return self.begin(now, topic, index, out);
        }
        partition.look_later(now.mono_ms);
        if !std::mem::replace(&mut partition.cleaning.queued, true) {
            let topic = Arc::clone(&partition.topic);
            self.cleaner.waiting.push_back((topic, index));
        }
    }

    /// Begins what is to be done for a partition, if there is anything.
    fn begin(&mut self, now: Now, topic: &str, index: i32, out: &mut Vec<Output>) {
        let Broker { topics, files, .. } = self;
        let partition = find(topics, topic, index);
        let Some(partition) = partition else { return };
        let dir = partition.dir.to_string();
        let job = match partition.chore(&mut Turn { now, files: files.as_mut(), out }) {
            Some(Chore::Compact(plan)) => Job::Compact { dir, plan },
            Some(Chore::Sweep) => Job::Sweep { dir },
            None => return,
        };
        let owner = Owner::of(partition);
        self.cleaner.busy = true;
        self.start_job(job, Some(owner), out);
    }

    /// A pass has ended. Its result waits for the tick: then no answer is under way that says where
    /// in the old files something stands.
    pub(super) fn compacted(
        &mut self,
        dir: String,
        owner: Owner,
        done: io::Result<Done>,
        out: &mut Vec<Output>,
    ) {
        // Without an owner its topic was deleted. What the pass has written lies in the directory
        // that was set aside, or, if it came later, in that of a new topic of the same name.
        if let Some(partition) = self.owned(&owner) {
            match done {
                Ok(Done::Compacted(pass)) => {
                    partition.compacted(pass);
                    self.cleaner.swapping = Some(owner);
                    return;
                }
                Ok(_) => unreachable!("a pass ends as a pass"),
                Err(error) => partition.not_compacted(&error, out),
            }
        }
        self.start_job(Job::Sweep { dir }, Some(owner), out);
    }

    /// Lets the result of a pass take effect, or some of it.
    pub(super) fn swap(&mut self, now: Now, out: &mut Vec<Output>) {
        let Some(owner) = self.cleaner.swapping.take() else { return };
        let Broker { topics, files, .. } = self;
        let partition = topics.get_mut(&*owner.topic);
        let partition = partition.and_then(|topic| topic.get_mut(owner.index as usize));
        let dir = match partition.filter(|partition| partition.topic_id == owner.id) {
            Some(partition) => {
                if !partition.swap(&mut Turn { now, files: files.as_mut(), out }) {
                    self.cleaner.swapping = Some(owner);
                    return;
                }
                partition.dir.to_string()
            }
            None => format!("{}-{}", owner.topic, owner.index),
        };
        self.start_job(Job::Sweep { dir }, Some(owner), out);
    }

    /// A partition is done with. The next one that waits may be looked at.
    pub(super) fn swept(
        &mut self,
        now: Now,
        owner: Owner,
        done: io::Result<Done>,
        out: &mut Vec<Output>,
    ) {
        self.cleaner.busy = false;
        if let Some(partition) = self.owned(&owner) {
            partition.swept(done.map(|_| ()), out);
        }
        self.cleaned_to_moved(now);
        self.rearm(now, &owner.topic, owner.index);
        while !self.cleaner.busy
            && let Some((topic, index)) = self.cleaner.waiting.pop_front()
        {
            if let Some(partition) = self.partition(&topic, index) {
                partition.cleaning.queued = false;
                self.begin(now, &topic, index, out);
                self.rearm(now, &topic, index);
            }
        }
    }

    /// Tells, if it has changed, in which topics every record must have a key.
    pub(super) fn tell_keyed(&mut self, out: &mut Vec<Output>) {
        let compacted =
            |partitions: &Vec<Partition>| partitions.iter().any(Partition::is_compacted);
        let keyed = || self.topics.iter().filter(|(_, all)| compacted(all)).map(|(name, _)| name);
        if !keyed().eq(self.keyed.iter()) {
            let keyed: Arc<BTreeSet<String>> = Arc::new(keyed().cloned().collect());
            self.keyed = Arc::clone(&keyed);
            out.push(Output::Keyed(keyed));
        }
    }
}
