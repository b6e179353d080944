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
use super::partition::{Appended, Awaited, Part, Turn, Until, Waiter};
use super::unfinished::SoFar;
use super::{Answer, Broker, Client, Now, Output, Refused, Ticket, find};
use crate::labs::acks::{self, Acks};
use crate::validate::Verdicts;

/// Where a batch is whose answer may have to wait.
pub struct Placed {
    appended: Appended,
    log_start: u64,
    pub waits: bool,
}

impl Placed {
    /// How many records were appended now; one that came again was there already.
    pub fn records(&self) -> u64 {
        match self.appended.again {
            true => 0,
            false => self.appended.last - self.appended.first + 1,
        }
    }
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
                let waiter = Waiter::Part(Part { ticket, place });
                let may = match (&wanted, verdicts.remove(&(t, p))) {
                    (Err(refused), _) => Err(refused.clone()),
                    _ if is_internal(&topic.name) && !may_write_internal(client) => {
                        Err(internal(&topic.name))
                    }
                    (_, Some(refused)) => Err(refused),
                    (Ok(acks), None) => Ok(*acks),
                };
                let appended = match may {
                    Ok(acks) => self.append(now, &topic.name, acks, waiter, data, out),
                    Err(refused) => {
                        let bytes = data.records.len();
                        self.count_produced(&topic.name, index, bytes, Err(&refused));
                        Err(refused)
                    }
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
                self.wait_for_parts(now, ticket, SoFar::Produced(response), open, timeout_ms);
                None
            }
        }
    }

    /// Appends one partition's batch, and counts it.
    pub(super) fn append(
        &mut self,
        now: Now,
        topic: &str,
        acks: Acks,
        waiter: Waiter,
        data: PartitionProduceData,
        out: &mut Vec<Output>,
    ) -> Result<Placed, Refused> {
        let (index, bytes) = (data.index, data.records.len());
        let placed = self.append_batch(now, topic, acks, waiter, data, out);
        self.count_produced(topic, index, bytes, placed.as_ref());
        placed
    }

    fn append_batch(
        &mut self,
        now: Now,
        topic: &str,
        acks: Acks,
        waiter: Waiter,
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
            partition.awaited.push(Awaited { waiter, until: Until::Replicated(appended.last) });
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

    /// A sentence for whoever has waited. The records are in the leader's log, and may still become safe:
    /// nobody knows.
    pub(super) fn why_it_waits(&self, response: &ProduceResponse, place: usize) -> String {
        let topics = response.responses.iter();
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

pub(super) fn not_enough_any_more() -> Refused {
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

pub(super) fn failed(index: i32, refused: Refused) -> PartitionProduceResponse {
    PartitionProduceResponse {
        index,
        error_code: refused.code,
        base_offset: -1,
        error_message: Some(refused.why),
        ..Default::default()
    }
}
