//! Produce: batches are appended, and answered once they are as safe as `acks` asks. What waits for the
//! high watermark is parked, and looked at again when that has moved. (`ReplicaManager.appendRecords`,
//! `DelayedProduce`.)

use std::collections::BTreeSet;

use wire::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, ProduceResponse,
    TopicProduceResponse,
};
use wire::{ErrorCode, Records};

use super::metadata::is_internal;
use super::partition::{Appended, Awaited, Turn, Waiter};
use super::waiting::Owner;
use super::{Answer, Broker, Client, Now, Output, Refused, Ticket, find};
use crate::labs::acks::{self, Acks};
use crate::validate::Verdicts;

/// A request whose answer waits for high watermarks.
pub struct Producing {
    /// The answer, with what is known of it so far.
    response: ProduceResponse,
    /// The partitions that it waits for, counted over all its topics.
    open: BTreeSet<usize>,
    /// When it is answered at the latest, in `mono_ms`.
    deadline: u64,
}

/// Where a batch is whose answer may have to wait.
pub struct Placed {
    appended: Appended,
    log_start: u64,
    pub waits: bool,
}

impl Broker {
    /// The answer, or `None` if it waits.
    pub(super) fn produce(
        &mut self,
        now: Now,
        ticket: Ticket,
        client: &Client,
        request: ProduceRequest,
        mut verdicts: Verdicts,
        out: &mut Vec<Output>,
    ) -> Option<Answer> {
        let ProduceRequest { acks, transactional_id, topic_data, timeout_ms } = request;
        let wanted = wanted_acks(acks, transactional_id.as_deref());
        let mut failed = None;
        let mut open = BTreeSet::new();
        let mut place = 0;
        let mut responses = Vec::with_capacity(topic_data.len());
        for (t, topic) in topic_data.into_iter().enumerate() {
            let mut partitions = Vec::with_capacity(topic.partition_data.len());
            for (p, data) in topic.partition_data.into_iter().enumerate() {
                let index = data.index;
                let awaited = Awaited { waiter: Waiter::Produce { ticket, place }, last: 0 };
                let appended = match (&wanted, verdicts.remove(&(t, p))) {
                    (Err(refused), _) => Err(refused.clone()),
                    _ if is_internal(&topic.name) && !may_write_internal(client) => {
                        Err(internal(&topic.name))
                    }
                    (_, Some(refused)) => Err(refused),
                    (Ok(acks), None) => self.append(now, &topic.name, *acks, awaited, data, out),
                };
                match &appended {
                    Err(refused) => {
                        let why = || format!("{}-{index}: {}", topic.name, refused.why);
                        failed.get_or_insert_with(why);
                    }
                    Ok(placed) if placed.waits => drop(open.insert(place)),
                    Ok(_) => {}
                }
                partitions.push(answer(index, appended));
                place += 1;
            }
            responses
                .push(TopicProduceResponse { name: topic.name, partition_responses: partitions });
        }
        let response = ProduceResponse { responses, ..Default::default() };
        match (wanted, failed) {
            // Whoever asked for no answer learns of a failure by losing the connection.
            (Ok(Acks::None), Some(why)) => Some(Answer::HangUp(why)),
            (Ok(Acks::None), None) => Some(Answer::Nothing),
            _ if open.is_empty() => Some(response.into()),
            _ => {
                let deadline = now.mono_ms + timeout_ms.max(0) as u64;
                self.timers.set(deadline, Owner::Produce(ticket));
                self.producing.insert(ticket, Producing { response, open, deadline });
                None
            }
        }
    }

    /// Appends one partition's batch.
    pub(super) fn append(
        &mut self,
        now: Now,
        topic: &str,
        acks: Acks,
        awaited: Awaited,
        data: PartitionProduceData,
        out: &mut Vec<Output>,
    ) -> Result<Placed, Refused> {
        let unknown = || Refused::unknown_partition(topic, data.index);
        let Records::Here(mut batch) = data.records else {
            return Err(Refused::new(ErrorCode::INVALID_RECORD, "no records"));
        };
        let Broker { topics, files, woken, .. } = self;
        let partition = find(topics, topic, data.index).ok_or_else(unknown)?;
        let mut turn = Turn { now, files: files.as_mut(), out };
        partition.check_leads()?;
        partition.may_append(&mut turn, acks)?;
        let appended = partition.append(&mut turn, &mut batch)?;
        let log_start = partition.bounds(&mut turn)?.log_start;
        let answered = partition.answer(&mut turn, acks, appended.last);
        woken.extend(&partition.followers_waiting);
        let waits = matches!(answered, Ok(acks::Answer::Wait));
        if waits {
            partition.awaited.push(Awaited { last: appended.last, ..awaited });
        }
        if let Some(to) = appended.sync {
            self.sync_partition(topic, data.index, to, out);
        }
        self.touched(now, topic, data.index, out);
        if appended.rearm {
            self.rearm(now, topic, data.index);
        }
        match answered? {
            acks::Answer::NotEnoughReplicasAfterAppend => Err(not_enough_any_more()),
            acks::Answer::Now | acks::Answer::Wait => Ok(Placed { appended, log_start, waits }),
        }
    }

    /// Looks again at who waits for partitions whose high watermark, in-sync set or leader is another.
    pub(super) fn settle(&mut self, now: Now, out: &mut Vec<Output>) {
        for (topic, index) in std::mem::take(&mut self.settling) {
            let Broker { topics, files, .. } = self;
            let partition = find(topics, &topic, index);
            let Some(partition) = partition else { continue };
            let mut turn = Turn { now, files: files.as_mut(), out };
            let mut filled = Vec::new();
            for awaited in std::mem::take(&mut partition.awaited) {
                match partition.answer(&mut turn, Acks::All, awaited.last) {
                    Ok(acks::Answer::Wait) => partition.awaited.push(awaited),
                    Ok(acks::Answer::Now) => filled.push((awaited, Ok(()))),
                    Ok(acks::Answer::NotEnoughReplicasAfterAppend) => {
                        filled.push((awaited, Err(not_enough_any_more())));
                    }
                    Err(refused) => filled.push((awaited, Err(refused))),
                }
            }
            for (awaited, result) in filled {
                self.settled(now, index, awaited.waiter, result, out);
            }
        }
    }

    /// What somebody waited for has come, or will not.
    pub(super) fn settled(
        &mut self,
        now: Now,
        index: i32,
        waiter: Waiter,
        result: Result<(), Refused>,
        out: &mut Vec<Output>,
    ) {
        match waiter {
            Waiter::Produce { ticket, place } => self.place_filled(ticket, place, result, out),
            Waiter::Write(number) => self.group_write_settled(now, number, result, out),
            Waiter::Loading { epoch } => self.loading_settled(now, index, epoch, result, out),
        }
    }

    /// One of a request's places is filled. The last of them answers it.
    fn place_filled(
        &mut self,
        ticket: Ticket,
        place: usize,
        result: Result<(), Refused>,
        out: &mut Vec<Output>,
    ) {
        let Some(producing) = self.producing.get_mut(&ticket) else { return }; // answered, or gone
        if !producing.open.remove(&place) {
            return;
        }
        if let Err(refused) = result {
            producing.fail(place, refused);
        }
        if producing.open.is_empty()
            && let Some(Producing { response, .. }) = self.forget_producing(ticket)
        {
            out.push(Output::Answer { ticket, answer: response.into() });
        }
    }

    /// The time that the client gave is up. The records are in the leader's log, and may still become
    /// safe: nobody knows.
    pub(super) fn produced_too_late(&mut self, ticket: Ticket, out: &mut Vec<Output>) {
        let Some(mut producing) = self.producing.remove(&ticket) else { return };
        for place in std::mem::take(&mut producing.open) {
            let why = self.why_it_waits(&producing, place);
            producing.fail(place, Refused::new(ErrorCode::REQUEST_TIMED_OUT, why));
        }
        out.push(Output::Answer { ticket, answer: producing.response.into() });
    }

    /// A sentence for whoever has waited.
    fn why_it_waits(&self, producing: &Producing, place: usize) -> String {
        let topics = producing.response.responses.iter();
        let mut places = topics.flat_map(|topic| {
            topic.partition_responses.iter().map(|at| (topic.name.as_str(), at.index))
        });
        let known = places.nth(place).and_then(|(topic, index)| {
            let partition = self.topics.get(topic)?.get(index as usize)?;
            Some(format!("{topic}-{index}: in sync are {:?}", partition.assignment.isr))
        });
        let agreed = match self.in_sync.is_refused() {
            true => "; the coordinator, which would have to agree to others, does not answer",
            false => "",
        };
        format!(
            "not on every replica in sync in the time that the client gave ({}{agreed})",
            known.unwrap_or_default()
        )
    }

    pub(super) fn forget_producing(&mut self, ticket: Ticket) -> Option<Producing> {
        let producing = self.producing.remove(&ticket)?;
        self.timers.clear(producing.deadline, Owner::Produce(ticket));
        Some(producing)
    }
}

impl Producing {
    fn fail(&mut self, place: usize, refused: Refused) {
        let topics = self.response.responses.iter_mut();
        let mut places = topics.flat_map(|topic| &mut topic.partition_responses);
        if let Some(at) = places.nth(place) {
            *at = failed(at.index, refused);
        }
    }
}

fn wanted_acks(acks: i16, transactional_id: Option<&str>) -> Result<Acks, Refused> {
    let wanted = Acks::from_wire(acks).ok_or_else(|| {
        let why = format!("acks={acks}: it must be 0, 1 or -1 (all)");
        Refused::new(ErrorCode::INVALID_REQUIRED_ACKS, why)
    })?;
    match transactional_id {
        Some(id) => Err(Refused::transactional(id)),
        None => Ok(wanted),
    }
}

/// Kafka lets nobody write where it keeps its own state but clients of this name, which tests of its own
/// have. (`Topic.isInternal`, `AdminUtils.ADMIN_CLIENT_ID`.)
fn may_write_internal(client: &Client) -> bool {
    client.id.as_deref() == Some("__admin_client")
}

fn internal(topic: &str) -> Refused {
    let why = format!("Cannot append to internal topic {topic}");
    Refused::new(ErrorCode::INVALID_TOPIC_EXCEPTION, why)
}

fn not_enough_any_more() -> Refused {
    let why = "appended, but fewer replicas are in sync by now than min.insync.replicas asks for";
    Refused::new(ErrorCode::NOT_ENOUGH_REPLICAS_AFTER_APPEND, why)
}

fn answer(index: i32, placed: Result<Placed, Refused>) -> PartitionProduceResponse {
    match placed {
        Ok(Placed { appended, log_start, .. }) => PartitionProduceResponse {
            index,
            base_offset: appended.first as i64,
            log_append_time_ms: appended.log_append_time_ms.map_or(-1, |time| time as i64),
            log_start_offset: log_start as i64,
            ..Default::default()
        },
        Err(refused) => failed(index, refused),
    }
}

fn failed(index: i32, refused: Refused) -> PartitionProduceResponse {
    PartitionProduceResponse {
        index,
        error_code: refused.code,
        base_offset: -1,
        error_message: Some(refused.why),
        ..Default::default()
    }
}
