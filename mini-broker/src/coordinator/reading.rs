//! The metadata log as brokers read it: by Fetch, like any other log. Whoever has read everything waits
//! for the next decision. (KIP-595, KIP-631.)

use bytes::BytesMut;
use wire::fetch::{FetchRequest, FetchResponse, FetchableTopicResponse, PartitionData};
use wire::{ErrorCode, Records};

use super::Coordinator;
use super::log::METADATA_TOPIC;
use crate::node::{Answer, Now, Output, Refused, Ticket};

/// A fetch that waits for the next decision, or for its time.
pub struct Parked {
    request: FetchRequest,
    /// In `mono_ms`.
    pub deadline: u64,
}

impl Coordinator {
    pub(super) fn fetch(
        &mut self,
        now: Now,
        ticket: Ticket,
        request: FetchRequest,
        out: &mut Vec<Output>,
    ) {
        match self.read(&request) {
            (answer, true) => out.push(Output::Answer { ticket, answer }),
            (_, false) => {
                let deadline = now.mono_ms + request.max_wait_ms.max(0) as u64;
                self.parked.insert(ticket, Parked { request, deadline });
            }
        }
    }

    /// Answers those who wait for what is now there.
    pub(super) fn release(&mut self, now: Now, out: &mut Vec<Output>) {
        for (ticket, parked) in std::mem::take(&mut self.parked) {
            match self.read(&parked.request) {
                (answer, enough) if enough || parked.deadline <= now.mono_ms => {
                    out.push(Output::Answer { ticket, answer });
                }
                _ => drop(self.parked.insert(ticket, parked)),
            }
        }
    }

    /// Answers those who have waited long enough.
    pub(super) fn answer_as_it_is(&mut self, now: Now, out: &mut Vec<Output>) {
        if self.parked.values().any(|parked| parked.deadline <= now.mono_ms) {
            self.release(now, out);
        }
    }

    /// What a fetch gets now, and whether that is something.
    fn read(&self, request: &FetchRequest) -> (Answer, bool) {
        let mut slices = Vec::new();
        let mut enough = request.topics.is_empty();
        let mut responses = Vec::new();
        for topic in &request.topics {
            let mut partitions = Vec::new();
            for wanted in &topic.partitions {
                let mut data = PartitionData {
                    partition_index: wanted.partition,
                    high_watermark: self.log.high_watermark() as i64,
                    last_stable_offset: self.log.high_watermark() as i64,
                    log_start_offset: self.log.start() as i64,
                    records: Records::Here(BytesMut::new()),
                    ..Default::default()
                };
                let known = topic.topic == METADATA_TOPIC && wanted.partition == 0;
                let offset = u64::try_from(wanted.fetch_offset);
                let read = match (known, offset) {
                    (true, Ok(offset)) => {
                        self.log.read(offset, wanted.partition_max_bytes.max(0) as u32)
                    }
                    (true, Err(_)) => Err(Refused::new(ErrorCode::OFFSET_OUT_OF_RANGE, "below 0")),
                    (false, _) => Err(Refused::unknown_partition(&topic.topic, wanted.partition)),
                };
                match read {
                    Ok(None) => {}
                    Ok(Some(slice)) => {
                        enough = true;
                        data.records = Records::There { slot: slices.len() as u32, len: slice.len };
                        slices.push(slice);
                    }
                    Err(refused) => {
                        enough = true;
                        data.error_code = refused.code;
                    }
                }
                partitions.push(data);
            }
            responses.push(FetchableTopicResponse { topic: topic.topic.clone(), partitions });
        }
        let body = FetchResponse { responses, ..Default::default() }.into();
        (Answer::Response { body, slices }, enough)
    }
}
