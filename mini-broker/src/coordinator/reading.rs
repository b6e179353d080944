//! The metadata log as brokers read it: by Fetch, like any other log. Whoever has read everything waits
//! for the next decision; whoever is far behind reads a snapshot first. (KIP-595, KIP-630, KIP-631.)

use std::collections::BTreeMap;

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

/// How long an answer waits for brokers that do not read on, in ms. They may hang.
const READ_WITHIN_MS: u64 = 500;

/// How far the brokers have read, and the answers that wait for them: whoever has made a topic may go to
/// any broker next, and finds it there.
#[derive(Default)]
pub struct Readers {
    /// By node id: the registration under which a broker asked last, and from which offset on.
    asked: BTreeMap<i32, (i64, u64)>,
    waiting: Vec<Unread>,
}

/// An answer that leaves once every live broker has read the log below an offset.
struct Unread {
    below: u64,
    ticket: Ticket,
    answer: Answer,
    /// In `mono_ms`.
    deadline: u64,
}

impl Readers {
    /// When an answer has waited long enough, in `mono_ms`, of those that speak of what is on the disk
    /// below `safe`: the others wait for a sync.
    pub fn deadline(&self, safe: u64) -> Option<u64> {
        let waiting = self.waiting.iter().filter(|unread| unread.below <= safe);
        waiting.map(|unread| unread.deadline).min()
    }
}

impl Coordinator {
    pub(super) fn fetch(
        &mut self,
        now: Now,
        ticket: Ticket,
        request: FetchRequest,
        out: &mut Vec<Output>,
    ) {
        let asked = request.topics.first().and_then(|topic| topic.partitions.first());
        if let (true, Some(asked)) = (request.replica_id >= 0, asked) {
            let from = asked.fetch_offset.max(0) as u64;
            self.readers.asked.insert(request.replica_id, (request.replica_epoch, from));
        }
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

    /// Answers once everything that was decided so far is on the disk and every live broker has read it, or
    /// has had the time.
    pub(super) fn once_read(&mut self, now: Now, ticket: Ticket, answer: Answer) {
        let (below, deadline) = (self.log.promised(), now.mono_ms + READ_WITHIN_MS);
        self.readers.waiting.push(Unread { below, ticket, answer, deadline });
    }

    /// Answers those who wait for brokers that have read on, or do not.
    pub(super) fn release_unread(&mut self, now: Now, out: &mut Vec<Output>) {
        if self.readers.waiting.is_empty() {
            return;
        }
        let read = self.read_by_all();
        let safe = self.log.high_watermark();
        let waiting = std::mem::take(&mut self.readers.waiting);
        for unread in waiting {
            let long_enough = unread.below <= read || unread.deadline <= now.mono_ms;
            match unread.below <= safe && long_enough {
                true => {
                    let Unread { ticket, answer, .. } = unread;
                    out.push(Output::Answer { ticket, answer });
                }
                false => self.readers.waiting.push(unread),
            }
        }
    }

    /// The offset below which every live broker has read.
    fn read_by_all(&self) -> u64 {
        let read =
            self.cluster.live_brokers().map(|(id, broker)| match self.readers.asked.get(&id) {
                Some((epoch, from)) if *epoch == broker.epoch => *from,
                _ => 0, // not since it came
            });
        read.min().unwrap_or(u64::MAX)
    }

    /// What was to be told can never count: there is no answer to get.
    pub(super) fn give_up_unread(&mut self, why: &str, out: &mut Vec<Output>) {
        let safe = self.log.high_watermark();
        let waiting = std::mem::take(&mut self.readers.waiting);
        let (lost, kept): (Vec<_>, _) = waiting.into_iter().partition(|unread| unread.below > safe);
        self.readers.waiting = kept;
        for Unread { ticket, .. } in lost {
            out.push(Output::Answer { ticket, answer: Answer::HangUp(why.into()) });
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
