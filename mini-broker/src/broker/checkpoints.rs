//! Kafka's checkpoint files: small texts beside the logs, with a line for each partition. One says
//! below which offset a log is on the disk for sure, one where a log starts whose oldest records were
//! deleted, one how far a log was compacted, one up to where it is on every replica in sync.
//!
//! The lines name a partition, not a topic's id. So that a topic never goes by a line of an earlier
//! one with its name, each file here also has a line for the metadata log: how much of it was known when
//! the file was written. A topic that begins behind that is not meant.
//! (`OffsetCheckpointFile`, `CheckpointFile`.)

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;

use wire::ErrorCode;
use wire::delete_records::{DeleteRecordsResponse, INVALID_LOW_WATERMARK};

use super::partition::Partition;
use super::waiting;
use super::{Broker, Event, Job, Now, Output, Owner, Ticket};
use crate::coordinator::METADATA_TOPIC;

/// Below which offset each log is on the disk for sure.
pub const RECOVERY_POINTS: &str = "recovery-point-offset-checkpoint";
/// Where each log starts whose files do not say it.
pub const LOG_STARTS: &str = "log-start-offset-checkpoint";
/// How far each log was compacted. If it is lost, or older than the logs, a pass does more than it had
/// to.
pub const CLEANED_TO: &str = "cleaner-offset-checkpoint";
/// Up to where each log was known to be on every replica in sync. If it is older than the truth, a new
/// leader learns the rest from its followers' first fetches.
pub const HIGH_WATERMARKS: &str = "replication-offset-checkpoint";

/// How long what has moved may wait to be written down, if nobody waits for it. Losing a recovery
/// point costs a longer scan.
const WRITE_EVERY_MS: u64 = 5_000;

/// What of these files is not written yet.
#[derive(Default)]
pub struct Checkpoints {
    recovery_points_moved: bool,
    /// At least one of them is lower now than in the file.
    recovery_points_fell: bool,
    log_starts_moved: bool,
    timer_set: bool,
    /// Answers that leave once the log starts are on the disk, as they are now.
    waiting: Vec<(Ticket, DeleteRecordsResponse)>,
    /// `Some`: log starts are being written.
    log_starts_job: Option<Starts>,
    recovery_points_job: bool,
    cleaned_to_moved: bool,
    cleaned_to_job: bool,
    high_watermarks_moved: bool,
    high_watermarks_job: bool,
}

/// Log starts on their way to the disk.
struct Starts {
    /// Answers that are true then.
    answers: Vec<(Ticket, DeleteRecordsResponse)>,
    written: Vec<(Owner, u64)>,
}

impl Broker {
    /// Asks for the recovery points to be written soon.
    pub(super) fn recovery_point_moved(&mut self, now: Now) {
        self.checkpoints.recovery_points_moved = true;
        self.checkpoint_soon(now);
    }

    /// A log was cut, maybe below its recovery point: what is written there next is not on the disk, though
    /// the file says so until it is written anew. (Kafka: `LogManager.truncateTo`.)
    pub(super) fn recovery_point_fell(&mut self, now: Now) {
        self.recovery_point_moved(now);
        self.checkpoints.recovery_points_fell = true;
    }

    /// Writes recovery points that fell, of all the logs at once: after this no more of them are cut.
    pub(super) fn write_fallen(&mut self, now: Now, out: &mut Vec<Output>) {
        let state = &mut self.checkpoints;
        if state.recovery_points_fell && !state.recovery_points_job {
            state.recovery_points_fell = false;
            self.write_checkpoints(now, out);
        }
    }

    /// Asks for the log starts to be written soon: nobody waits for it.
    pub(super) fn log_start_moved(&mut self, now: Now) {
        self.checkpoints.log_starts_moved = true;
        self.checkpoint_soon(now);
    }

    /// Asks for how far logs are compacted to be written soon.
    pub(super) fn cleaned_to_moved(&mut self, now: Now) {
        self.checkpoints.cleaned_to_moved = true;
        self.checkpoint_soon(now);
    }

    /// Asks for the high watermarks to be written soon.
    pub(super) fn high_watermark_moved(&mut self, now: Now) {
        self.checkpoints.high_watermarks_moved = true;
        self.checkpoint_soon(now);
    }

    /// Writes the log starts, or does so once they are written that are being written now.
    pub(super) fn write_moved_starts(&mut self, out: &mut Vec<Output>) {
        self.checkpoints.log_starts_moved = true;
        self.write_log_starts(out);
    }

    /// Answers once the starts of all logs, as they are now, are on the disk.
    pub(super) fn once_starts_are_safe(
        &mut self,
        ticket: Ticket,
        response: DeleteRecordsResponse,
        out: &mut Vec<Output>,
    ) {
        let state = &mut self.checkpoints;
        match &mut state.log_starts_job {
            _ if state.log_starts_moved => state.waiting.push((ticket, response)),
            Some(starts) => starts.answers.push((ticket, response)),
            None => return out.push(Output::Answer { ticket, answer: response.into() }),
        }
        self.write_log_starts(out);
    }

    /// The timer has come.
    pub(super) fn write_checkpoints(&mut self, now: Now, out: &mut Vec<Output>) {
        self.checkpoints.timer_set = false;
        self.write_log_starts(out);
        let state = &mut self.checkpoints;
        if due(&mut state.recovery_points_moved, &mut state.recovery_points_job) {
            let (name, text) = (RECOVERY_POINTS.into(), self.recovery_points());
            self.start_job(Job::Checkpoint { name, text }, None, out);
        }
        let state = &mut self.checkpoints;
        if due(&mut state.cleaned_to_moved, &mut state.cleaned_to_job) {
            let (name, text) = (CLEANED_TO.into(), self.cleaned_to());
            self.start_job(Job::Checkpoint { name, text }, None, out);
        }
        let state = &mut self.checkpoints;
        if due(&mut state.high_watermarks_moved, &mut state.high_watermarks_job) {
            let (name, text) = (HIGH_WATERMARKS.into(), self.high_watermarks());
            self.start_job(Job::Checkpoint { name, text }, None, out);
        }
        let state = &self.checkpoints;
        if state.recovery_points_moved || state.cleaned_to_moved || state.high_watermarks_moved {
            self.checkpoint_soon(now);
        }
    }

    /// One job at a time: a later text must not be overwritten by an earlier one.
    fn write_log_starts(&mut self, out: &mut Vec<Output>) {
        let state = &mut self.checkpoints;
        if state.log_starts_job.is_some() || !state.log_starts_moved {
            return;
        }
        state.log_starts_moved = false;
        let answers = std::mem::take(&mut state.waiting);
        let all = self.topics.values().flatten();
        let written = all.filter_map(|part| Some((Owner::of(part), part.deleted_before()?)));
        state.log_starts_job = Some(Starts { answers, written: written.collect() });
        let (name, text) = (LOG_STARTS.into(), self.log_starts());
        self.start_job(Job::Checkpoint { name, text }, None, out);
    }

    /// A checkpoint is written, or could not be.
    pub(super) fn checkpoint_written(
        &mut self,
        now: Now,
        name: &str,
        written: io::Result<()>,
        out: &mut Vec<Output>,
    ) {
        if let Err(error) = &written {
            let (what, why) = (name.into(), error.to_string());
            out.push(Output::Tell(Event::CheckpointFailed { what, why }));
            self.checkpoint_soon(now);
        }
        let state = &mut self.checkpoints;
        let of_file = match name {
            RECOVERY_POINTS => {
                Some((&mut state.recovery_points_moved, &mut state.recovery_points_job))
            }
            CLEANED_TO => Some((&mut state.cleaned_to_moved, &mut state.cleaned_to_job)),
            HIGH_WATERMARKS => {
                Some((&mut state.high_watermarks_moved, &mut state.high_watermarks_job))
            }
            _ => None,
        };
        if let Some((moved, job)) = of_file {
            *job = false;
            *moved |= written.is_err();
            return self.write_fallen(now, out);
        }
        self.checkpoints.log_starts_moved |= written.is_err();
        let Some(starts) = self.checkpoints.log_starts_job.take() else { return };
        if written.is_ok() {
            self.starts_are_safe(now, starts.written, out);
        }
        for (ticket, mut response) in starts.answers {
            if written.is_err() {
                not_deleted_for_sure(&mut response);
            }
            out.push(Output::Answer { ticket, answer: response.into() });
        }
        // After a failure only if somebody waits: the others have time.
        if written.is_ok() || !self.checkpoints.waiting.is_empty() {
            self.write_log_starts(out);
        }
    }

    /// Leaders that wait for this broker's logs to start later hear of it.
    fn starts_are_safe(&mut self, now: Now, written: Vec<(Owner, u64)>, out: &mut Vec<Output>) {
        let mut told = false;
        for (owner, before) in written {
            if let Some(partition) = self.owned(&owner)
                && partition.deleted_for_sure(before)
            {
                self.tell_leader(&owner.topic, owner.index);
                told = true;
            }
        }
        if told {
            self.fetch_news(now, out);
        }
    }

    fn checkpoint_soon(&mut self, now: Now) {
        if !self.checkpoints.timer_set {
            self.checkpoints.timer_set = true;
            self.timers.set(now.mono_ms + WRITE_EVERY_MS, waiting::Owner::Checkpoint);
        }
    }

    pub(super) fn recovery_points(&self) -> String {
        self.lines(Partition::recovery_point)
    }

    pub(super) fn log_starts(&self) -> String {
        self.lines(Partition::deleted_before)
    }

    pub(super) fn cleaned_to(&self) -> String {
        self.lines(Partition::cleaned_to)
    }

    pub(super) fn high_watermarks(&self) -> String {
        self.lines(Partition::high_watermark)
    }

    /// A version, the number of lines, and the lines: topic, partition, offset.
    fn lines(&self, offset: impl Fn(&Partition) -> Option<u64>) -> String {
        let all = self.topics.values().flatten();
        let known: Vec<_> = all.filter_map(|part| Some((part, offset(part)?))).collect();
        let mut text = format!("0\n{}\n{METADATA_TOPIC} 0 {}\n", known.len() + 1, self.applied);
        for (partition, offset) in known {
            let _ = writeln!(text, "{} {} {offset}", partition.topic, partition.index);
        }
        text
    }
}

/// Whether a file is to be written, which then counts as begun. One job at a time: a later text must
/// not be overwritten by an earlier one.
fn due(moved: &mut bool, job: &mut bool) -> bool {
    let due = *moved && !*job;
    if due {
        (*moved, *job) = (false, true);
    }
    due
}

/// The records are deleted, but a kill could bring them back.
fn not_deleted_for_sure(response: &mut DeleteRecordsResponse) {
    for partition in response.topics.iter_mut().flat_map(|topic| &mut topic.partitions) {
        if partition.error_code.is_ok() {
            partition.error_code = ErrorCode::KAFKA_STORAGE_ERROR;
            partition.low_watermark = INVALID_LOW_WATERMARK;
        }
    }
}

/// What a checkpoint file says.
#[derive(Default)]
pub struct Lines {
    /// Offsets by partition.
    offsets: BTreeMap<(String, i32), u64>,
}

impl Lines {
    /// A line that cannot be read is none.
    pub fn parse(text: &str) -> Self {
        let lines = text.lines().skip(2).filter_map(|line| {
            let mut words = line.split(' ');
            let partition = (words.next()?.to_string(), words.next()?.parse().ok()?);
            Some((partition, words.next()?.parse().ok()?))
        });
        Self { offsets: lines.collect() }
    }

    /// What is said of a partition of the topic that begins at the offset `created` of the metadata
    /// log; 0 if nothing is.
    pub fn of(&self, topic: &str, index: i32, created: u64) -> u64 {
        if created < self.known_to() { self.offset(topic, index) } else { 0 }
    }

    /// How much of the metadata log was known when the file was written.
    pub fn known_to(&self) -> u64 {
        self.offset(METADATA_TOPIC, 0)
    }

    fn offset(&self, topic: &str, index: i32) -> u64 {
        self.offsets.get(&(topic.to_string(), index)).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_counts_for_the_topic_that_was_there_when_it_was_written() {
        let lines = Lines::parse("0\n3\n__cluster_metadata 0 7\norders 0 5\norders 1 x\n");
        assert_eq!(lines.of("orders", 0, 6), 5);
        assert_eq!(lines.of("orders", 0, 7), 0, "a later topic of the same name");
        assert_eq!(lines.of("orders", 1, 6), 0, "a line that cannot be read");
        assert_eq!(lines.of("others", 0, 6), 0);
        let without = Lines::parse("0\n1\norders 0 5\n");
        assert_eq!(without.of("orders", 0, 0), 0, "nobody knows which topic is meant");
    }
}
