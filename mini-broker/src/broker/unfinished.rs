//! Requests that the leader has done its part of, and whose answer waits for other replicas: batches with
//! acks=all for the high watermark, deletions for the starts of the followers' logs. When something has
//! happened to a partition, whoever waits for it is looked at again; the last part that is filled in answers
//! the request, or its time. (`DelayedOperationPurgatory`.)

use std::collections::BTreeSet;

use wire::ErrorCode;
use wire::delete_records::{DeleteRecordsResponse, INVALID_LOW_WATERMARK};
use wire::produce::ProduceResponse;

use super::partition::{Part, Turn, Waiter};
use super::waiting::Owner;
use super::{Broker, Now, Output, Refused, Ticket, find, produce};

/// A request of which parts wait.
pub struct Unfinished {
    so_far: SoFar,
    /// The partitions that it waits for, counted over all its topics.
    open: BTreeSet<usize>,
    /// When it is answered at the latest, in `mono_ms`.
    deadline: u64,
}

/// The answer, with what is known of it so far.
pub enum SoFar {
    Produced(ProduceResponse),
    Deleted(DeleteRecordsResponse),
}

impl Broker {
    /// The answer leaves once all parts are filled in that are open, or the time is up that the client gave.
    pub(super) fn wait_for_parts(
        &mut self,
        now: Now,
        ticket: Ticket,
        so_far: SoFar,
        open: BTreeSet<usize>,
        timeout_ms: i32,
    ) {
        let deadline = now.mono_ms + timeout_ms.max(0) as u64;
        self.timers.set(deadline, Owner::Unfinished(ticket));
        self.unfinished.insert(ticket, Unfinished { so_far, open, deadline });
    }

    /// Looks again at who waits for partitions to which something has happened.
    pub(super) fn settle(&mut self, now: Now, out: &mut Vec<Output>) {
        for (topic, index) in std::mem::take(&mut self.settling) {
            let Broker { topics, files, cluster, .. } = self;
            let partition = find(topics, &topic, index);
            let Some(partition) = partition else { continue };
            let mut turn = Turn { now, files: files.as_mut(), out };
            let mut filled = Vec::new();
            for awaited in std::mem::take(&mut partition.awaited) {
                match partition.fulfilled(&mut turn, cluster, awaited.until) {
                    None => partition.awaited.push(awaited),
                    Some(result) => filled.push((awaited.waiter, result)),
                }
            }
            for (waiter, result) in filled {
                self.settled(now, index, waiter, result, out);
            }
        }
    }

    /// What somebody has waited for has come, or will not.
    pub(super) fn settled(
        &mut self,
        now: Now,
        index: i32,
        waiter: Waiter,
        result: Result<u64, Refused>,
        out: &mut Vec<Output>,
    ) {
        match waiter {
            Waiter::Part(part) => self.part_filled(part, result, out),
            Waiter::Write(number) => {
                self.group_write_settled(now, number, result.map(|_| ()), out);
            }
            Waiter::Loading { epoch } => {
                self.loading_settled(now, index, epoch, result.map(|_| ()), out);
            }
        }
    }

    /// What a part of a request has waited for has come, or will not. The last of them answers it.
    fn part_filled(&mut self, part: Part, result: Result<u64, Refused>, out: &mut Vec<Output>) {
        let Part { ticket, place } = part;
        let Some(unfinished) = self.unfinished.get_mut(&ticket) else { return }; // answered, or gone
        if !unfinished.open.remove(&place) {
            return;
        }
        unfinished.so_far.fill(place, result);
        if unfinished.open.is_empty()
            && let Some(Unfinished { so_far, .. }) = self.forget_unfinished(ticket)
        {
            self.answer_parts(ticket, so_far, out);
        }
    }

    /// The time that the client gave is up. The leader has done its part, and the others may do theirs yet.
    pub(super) fn unfinished_too_late(&mut self, ticket: Ticket, out: &mut Vec<Output>) {
        let Some(Unfinished { mut so_far, open, .. }) = self.unfinished.remove(&ticket) else {
            return;
        };
        for place in open {
            let why = match &so_far {
                SoFar::Produced(response) => self.why_it_waits(response, place),
                SoFar::Deleted(_) => String::new(), // nobody is told
            };
            so_far.fill(place, Err(Refused::new(ErrorCode::REQUEST_TIMED_OUT, why)));
        }
        self.answer_parts(ticket, so_far, out);
    }

    fn answer_parts(&mut self, ticket: Ticket, so_far: SoFar, out: &mut Vec<Output>) {
        match so_far {
            SoFar::Produced(response) => {
                out.push(Output::Answer { ticket, answer: response.into() });
            }
            SoFar::Deleted(response) => self.once_starts_are_safe(ticket, response, out),
        }
    }

    pub(super) fn forget_unfinished(&mut self, ticket: Ticket) -> Option<Unfinished> {
        let unfinished = self.unfinished.remove(&ticket)?;
        self.timers.clear(unfinished.deadline, Owner::Unfinished(ticket));
        Some(unfinished)
    }
}

impl SoFar {
    /// What has come of a part. Of a deletion it is the low watermark.
    fn fill(&mut self, place: usize, result: Result<u64, Refused>) {
        match self {
            SoFar::Produced(response) => {
                let topics = response.responses.iter_mut();
                let mut places = topics.flat_map(|topic| &mut topic.partition_responses);
                if let (Some(at), Err(refused)) = (places.nth(place), result) {
                    *at = produce::failed(at.index, refused);
                }
            }
            SoFar::Deleted(response) => {
                let topics = response.topics.iter_mut();
                let mut places = topics.flat_map(|topic| &mut topic.partitions);
                let Some(at) = places.nth(place) else { return };
                (at.error_code, at.low_watermark) = match result {
                    Ok(low_watermark) => (ErrorCode::NONE, low_watermark as i64),
                    // The low watermark goes along as it was at first.
                    Err(refused) if refused.code == ErrorCode::REQUEST_TIMED_OUT => {
                        (refused.code, at.low_watermark)
                    }
                    Err(refused) => (refused.code, INVALID_LOW_WATERMARK),
                };
            }
        }
    }
}
