//! ListOffsets: where a log starts and ends, and which record is the first of its time. The log
//! finds the batch; the record inside it, which may be compressed, is found here.

use wire::ErrorCode;
use wire::list_offsets::{
    EARLIEST, LATEST, ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsRequest,
    ListOffsetsResponse, ListOffsetsTopicResponse, MAX_TIMESTAMP,
};

use super::partition::{Partition, Turn};
use super::{Broker, Now, Output, Refused};
use crate::labs::offset_log::Slice;
use crate::records::offset_at_or_after;

impl Broker {
    pub(super) fn list_offsets(
        &mut self,
        now: Now,
        version: i16,
        request: &ListOffsetsRequest,
        out: &mut Vec<Output>,
    ) -> ListOffsetsResponse {
        let Broker { topics, files, .. } = self;
        let mut turn = Turn { now, files: files.as_mut(), out };
        let mut answered = Vec::with_capacity(request.topics.len());
        for topic in &request.topics {
            let mut known = topics.get_mut(&topic.name);
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            for wanted in &topic.partitions {
                let index = wanted.partition_index;
                let partition = usize::try_from(index)
                    .ok()
                    .and_then(|index| known.as_mut()?.get_mut(index))
                    .ok_or_else(|| Refused::unknown_partition(&topic.name, index));
                let found =
                    partition.and_then(|partition| look_up(partition, wanted, version, &mut turn));
                let mut found = found.unwrap_or_else(|refused| ListOffsetsPartitionResponse {
                    error_code: refused.code,
                    ..Default::default()
                });
                found.partition_index = index;
                partitions.push(found);
            }
            answered.push(ListOffsetsTopicResponse { name: topic.name.clone(), partitions });
        }
        ListOffsetsResponse { topics: answered, ..Default::default() }
    }
}

fn look_up(
    partition: &mut Partition,
    wanted: &ListOffsetsPartition,
    version: i16,
    turn: &mut Turn,
) -> Result<ListOffsetsPartitionResponse, Refused> {
    partition.check_epoch(wanted.current_leader_epoch)?;
    partition.check_leads()?;
    let bounds = partition.bounds(turn)?;
    let mut found = ListOffsetsPartitionResponse::default();
    if wanted.timestamp != EARLIEST && !partition.knows_its_watermark(turn)? {
        let why = "the leader is new, and does not know yet what is committed";
        return Err(Refused::new(ErrorCode::OFFSET_NOT_AVAILABLE, why));
    }
    match wanted.timestamp {
        LATEST => found.offset = bounds.high_watermark as i64,
        EARLIEST => found.offset = bounds.log_start as i64,
        MAX_TIMESTAMP => {
            if let Some((offset, timestamp)) = of_max_timestamp(partition, turn)? {
                (found.offset, found.timestamp) = (offset, timestamp);
            }
        }
        timestamp if timestamp < 0 => {
            let why = format!("{timestamp} is not a time");
            return Err(Refused::new(ErrorCode::UNSUPPORTED_VERSION, why));
        }
        timestamp => {
            if let Some(batch) = partition.find_time(turn, timestamp)?
                && batch.first < bounds.high_watermark
                && let Some((offset, timestamp)) = in_batch(partition, &batch, timestamp, turn)?
            {
                (found.offset, found.timestamp) = (offset, timestamp);
            }
        }
    }
    if found.offset >= 0 {
        found.leader_epoch = partition.assignment.epoch;
    }
    if version == 0 {
        let most = wanted.max_num_offsets.max(0) as usize;
        found.old_style_offsets = old_style(found.offset, bounds.log_start as i64, most);
    }
    Ok(found)
}

/// Version 0 answers with a list, the latest first, of which at most `max_num_offsets` are wanted.
/// (Kafka gave the start of every segment; who still asks wants the end, or the start.)
fn old_style(found: i64, log_start: i64, most: usize) -> Vec<i64> {
    let mut offsets = match found {
        -1 => vec![],
        offset if offset > log_start => vec![offset, log_start],
        offset => vec![offset],
    };
    offsets.truncate(most);
    offsets
}

/// The first record with the greatest timestamp of the log. The log answers "the first batch at or
/// after a time", which is all that a search by halves needs.
fn of_max_timestamp(
    partition: &mut Partition,
    turn: &mut Turn,
) -> Result<Option<(i64, i64)>, Refused> {
    let Some(mut best) = partition.find_time(turn, 0)? else { return Ok(None) };
    // Invariant: a batch reaches `low`, none reaches `high`.
    let (mut low, mut high) = (0, i64::MAX);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        match partition.find_time(turn, middle)? {
            Some(batch) => (low, best) = (middle, batch),
            None => high = middle,
        }
    }
    in_batch(partition, &best, low, turn)
}

/// Reads a batch and finds its first record at `timestamp` or later: offset and timestamp.
fn in_batch(
    partition: &Partition,
    batch: &Slice,
    timestamp: i64,
    turn: &mut Turn,
) -> Result<Option<(i64, i64)>, Refused> {
    let located = partition.located(batch);
    let mut bytes = vec![0; batch.len as usize];
    let read = turn.files.read_at(&located, &mut bytes)?;
    let found = offset_at_or_after(&bytes[..read], timestamp);
    found.map_err(|error| Refused::new(ErrorCode::CORRUPT_MESSAGE, error.to_string()))
}
