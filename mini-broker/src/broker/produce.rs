//! Produce: batches are appended, and answered once they are as safe as `acks` asks. With one
//! replica that is at once.

use wire::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, ProduceResponse,
    TopicProduceResponse,
};
use wire::{ErrorCode, Records};

use super::partition::{Appended, Turn};
use super::{Answer, Broker, Now, Output, Refused};
use crate::validate::Verdicts;

const ACKS_NONE: i16 = 0;
pub(super) const ACKS_ALL: i16 = -1;

impl Broker {
    pub(super) fn produce(
        &mut self,
        now: Now,
        request: ProduceRequest,
        mut verdicts: Verdicts,
        out: &mut Vec<Output>,
    ) -> Answer {
        let ProduceRequest { acks, transactional_id, topic_data, .. } = request;
        let refused = refused_whole(acks, transactional_id.as_deref()).err();
        let mut failed = None;
        let mut responses = Vec::with_capacity(topic_data.len());
        for (t, topic) in topic_data.into_iter().enumerate() {
            let mut partitions = Vec::with_capacity(topic.partition_data.len());
            for (p, data) in topic.partition_data.into_iter().enumerate() {
                let index = data.index;
                let verdict = refused.clone().or_else(|| verdicts.remove(&(t, p)));
                let appended = match verdict {
                    Some(refused) => Err(refused),
                    None => self.append(now, &topic.name, acks, data, out),
                };
                if let Err(refused) = &appended {
                    failed
                        .get_or_insert_with(|| format!("{}-{index}: {}", topic.name, refused.why));
                }
                partitions.push(answer(index, appended));
            }
            responses
                .push(TopicProduceResponse { name: topic.name, partition_responses: partitions });
        }
        match failed {
            // Whoever asked for no answer learns of a failure by losing the connection.
            Some(why) if acks == ACKS_NONE => Answer::HangUp(why),
            None if acks == ACKS_NONE => Answer::Nothing,
            _ => ProduceResponse { responses, ..Default::default() }.into(),
        }
    }

    /// Appends one partition's batch and gives what came of it and the log's start.
    fn append(
        &mut self,
        now: Now,
        topic: &str,
        acks: i16,
        data: PartitionProduceData,
        out: &mut Vec<Output>,
    ) -> Result<(Appended, u64), Refused> {
        let unknown = || Refused::unknown_partition(topic, data.index);
        let Records::Here(mut batch) = data.records else {
            return Err(Refused::new(ErrorCode::INVALID_RECORD, "no records"));
        };
        let Broker { topics, files, woken, config, .. } = self;
        let partition = usize::try_from(data.index)
            .ok()
            .and_then(|index| topics.get_mut(topic)?.get_mut(index))
            .ok_or_else(unknown)?;
        let mut turn = Turn { now, files: files.as_mut(), out };
        partition.check_leads(config.node_id)?;
        partition.check_replicas(acks)?;
        let appended = partition.append(&mut turn, &mut batch)?;
        let log_start = partition.bounds(&mut turn)?.log_start;
        woken.extend(&partition.waiting);
        if let Some(to) = appended.sync {
            self.sync_partition(topic, data.index, to, out);
        }
        if appended.rearm {
            self.rearm(now, topic, data.index);
        }
        Ok((appended, log_start))
    }
}

fn refused_whole(acks: i16, transactional_id: Option<&str>) -> Result<(), Refused> {
    if !(ACKS_ALL..=1).contains(&acks) {
        let why = format!("acks={acks}: it must be 0, 1 or -1 (all)");
        return Err(Refused::new(ErrorCode::INVALID_REQUIRED_ACKS, why));
    }
    if let Some(id) = transactional_id {
        return Err(Refused::transactional(id));
    }
    Ok(())
}

fn answer(index: i32, appended: Result<(Appended, u64), Refused>) -> PartitionProduceResponse {
    match appended {
        Ok((appended, log_start)) => PartitionProduceResponse {
            index,
            base_offset: appended.first as i64,
            log_append_time_ms: appended.log_append_time_ms.map_or(-1, |time| time as i64),
            log_start_offset: log_start as i64,
            ..Default::default()
        },
        Err(refused) => PartitionProduceResponse {
            index,
            error_code: refused.code,
            base_offset: -1,
            error_message: Some(refused.why),
            ..Default::default()
        },
    }
}
