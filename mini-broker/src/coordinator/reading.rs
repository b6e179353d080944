//! The metadata log as brokers read it: by Fetch, like any other log. Whoever has read everything waits
//! for the next decision; whoever is far behind reads a snapshot first. (KIP-595, KIP-630, KIP-631.)

use bytes::BytesMut;
use wire::fetch::{
    FetchPartition, FetchRequest, FetchResponse, FetchableTopicResponse, PartitionData, SnapshotId,
};
use wire::fetch_snapshot::{
    FetchSnapshotPartition, FetchSnapshotPartitionResponse, FetchSnapshotRequest,
    FetchSnapshotResponse, FetchSnapshotTopicResponse,
};
use wire::{ErrorCode, Records};

use super::Coordinator;
use super::log::{EPOCH, METADATA_TOPIC};
use crate::node::{Answer, Located, Now, Output, Refused, Ticket};

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
        if self.is_of_another(request.cluster_id.as_deref()) {
            let error_code = ErrorCode::INCONSISTENT_CLUSTER_ID;
            return (FetchResponse { error_code, ..Default::default() }.into(), true);
        }
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
                match self.read_one(&topic.topic, wanted, &mut data) {
                    Ok(None) => {}
                    Ok(Some(slice)) => {
                        data.records = Records::There { slot: slices.len() as u32, len: slice.len };
                        slices.push(slice);
                    }
                    Err(refused) => data.error_code = refused.code,
                }
                let has_records = !matches!(&data.records, Records::Here(none) if none.is_empty());
                let told = data.error_code.is_err() || data.snapshot_id.end_offset >= 0;
                enough |= has_records || told;
                partitions.push(data);
            }
            responses.push(FetchableTopicResponse { topic: topic.topic.clone(), partitions });
        }
        let body = FetchResponse { responses, ..Default::default() }.into();
        (Answer::Response { body, slices }, enough)
    }

    /// Where the records stand that are asked for. Who asks for what is not there any more is told which
    /// snapshot has it.
    fn read_one(
        &self,
        topic: &str,
        wanted: &FetchPartition,
        data: &mut PartitionData,
    ) -> Result<Option<Located>, Refused> {
        if topic != METADATA_TOPIC || wanted.partition != 0 {
            return Err(Refused::unknown_partition(topic, wanted.partition));
        }
        let Ok(offset) = u64::try_from(wanted.fetch_offset) else {
            return Err(Refused::new(ErrorCode::OFFSET_OUT_OF_RANGE, "below 0"));
        };
        match self.log.snapshot() {
            Some(snapshot) if offset < self.log.start() => {
                data.snapshot_id = SnapshotId { end_offset: snapshot.end as i64, epoch: EPOCH };
                Ok(None)
            }
            _ => self.log.read(offset, wanted.partition_max_bytes.max(0) as u32),
        }
    }

    /// A piece of the newest snapshot. (`KafkaRaftClient.handleFetchSnapshotRequest`.)
    pub(super) fn fetch_snapshot(&self, request: FetchSnapshotRequest) -> FetchSnapshotResponse {
        if self.is_of_another(request.cluster_id.as_deref()) {
            let error_code = ErrorCode::INCONSISTENT_CLUSTER_ID;
            return FetchSnapshotResponse { error_code, ..Default::default() };
        }
        let mut left = request.max_bytes.max(0) as usize;
        let mut topics = Vec::new();
        for topic in request.topics {
            let pieces = topic.partitions.iter().map(|wanted| {
                let piece = self.piece(&topic.name, wanted, left);
                left -= piece.unaligned_records.len();
                piece
            });
            let partitions = pieces.collect();
            topics.push(FetchSnapshotTopicResponse { name: topic.name, partitions });
        }
        FetchSnapshotResponse { topics, ..Default::default() }
    }

    fn piece(
        &self,
        topic: &str,
        wanted: &FetchSnapshotPartition,
        most: usize,
    ) -> FetchSnapshotPartitionResponse {
        let mut piece = FetchSnapshotPartitionResponse {
            index: wanted.partition,
            snapshot_id: wanted.snapshot_id.clone(),
            position: wanted.position,
            ..Default::default()
        };
        let asked = &wanted.snapshot_id;
        let same = |end: u64| asked.end_offset == end as i64 && asked.epoch == EPOCH;
        let snapshot = self.log.snapshot().filter(|snapshot| same(snapshot.end));
        let from = usize::try_from(wanted.position).unwrap_or(usize::MAX);
        match snapshot {
            _ if topic != METADATA_TOPIC || wanted.partition != 0 => {
                piece.error_code = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
            }
            None => piece.error_code = ErrorCode::SNAPSHOT_NOT_FOUND,
            Some(snapshot) if from >= snapshot.bytes.len() => {
                piece.error_code = ErrorCode::POSITION_OUT_OF_RANGE;
            }
            Some(snapshot) => {
                let rest = &snapshot.bytes[from..];
                piece.size = snapshot.bytes.len() as i64;
                piece.unaligned_records = rest[..rest.len().min(most)].into();
            }
        }
        piece
    }

    /// Whether who asks says that it belongs to another cluster.
    fn is_of_another(&self, cluster: Option<&str>) -> bool {
        cluster.is_some_and(|cluster| cluster != self.cluster_id)
    }
}
