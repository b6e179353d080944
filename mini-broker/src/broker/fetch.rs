//! Fetch: where the asked-for batches stand in their files, never the bytes themselves. A fetch
//! that finds too little is parked until its partitions move or its time is up.
//!
//! Without sessions: every request names all it wants, and is answered with session 0.

use bytes::BytesMut;
use uuid::Uuid;
use wire::fetch::{
    EpochEndOffset, FetchPartition, FetchRequest, FetchResponse, FetchableTopicResponse,
    PartitionData,
};
use wire::{ErrorCode, Records};

use super::partition::{Bounds, Fetched, Partition, Turn};
use super::waiting::Parked;
use super::{Answer, Broker, Located, Now, Output, Refused, Ticket, of_connection};

const READ_COMMITTED: i8 = 1;

/// One look at what a fetch asks for.
pub struct Attempt {
    pub answer: Answer,
    /// Whether to answer now: there is enough, or something to say that waiting does not change.
    pub enough: bool,
}

/// A follower that asks.
#[derive(Clone, Copy)]
struct Follower {
    id: i32,
    /// The epoch of its registration.
    registration: i64,
    arrives: bool,
}

/// What is collected while the partitions are asked in turn.
struct Collected {
    slices: Vec<Located>,
    bytes: u32,
    max_bytes: u32,
    /// There is something to say that waiting does not change.
    news: bool,
}

impl Broker {
    /// The answer, or `None` if the fetch was parked.
    pub(super) fn fetch(
        &mut self,
        now: Now,
        ticket: Ticket,
        request: FetchRequest,
        out: &mut Vec<Output>,
    ) -> Option<Answer> {
        if request.session_id != 0 {
            let error_code = ErrorCode::FETCH_SESSION_ID_NOT_FOUND;
            return Some(FetchResponse { error_code, ..Default::default() }.into());
        }
        let follower = request.replica_id >= 0;
        if follower {
            self.end_older_fetches(now, ticket, out);
        }
        self.count_asked(&request);
        let attempt = self.try_fetch(now, &request, follower, out);
        if follower {
            for topic in &request.topics {
                for partition in &topic.partitions {
                    self.touched(now, &topic.topic, partition.partition, out);
                    self.rearm(now, &topic.topic, partition.partition);
                }
            }
        }
        if attempt.enough || request.max_wait_ms <= 0 {
            self.count_fetched(follower, &attempt.answer);
            return Some(attempt.answer);
        }
        let deadline = now.mono_ms + request.max_wait_ms as u64;
        self.park(ticket, Parked { request, deadline });
        None
    }

    /// A follower that asks again does not wait for its older fetch any more.
    fn end_older_fetches(&mut self, now: Now, newer: Ticket, out: &mut Vec<Output>) {
        let older = of_connection(&self.parked, newer.connection);
        self.answer_as_it_is(now, older, out);
    }

    /// Looks at what there is. `arrives`: a follower asks for the first time, and says with that how far
    /// it has come.
    pub(super) fn try_fetch(
        &mut self,
        now: Now,
        request: &FetchRequest,
        arrives: bool,
        out: &mut Vec<Output>,
    ) -> Attempt {
        let limit = self.config.number("fetch.max.bytes") as i32;
        let max_bytes = request.max_bytes.clamp(0, limit) as u32;
        let mut collected = Collected { slices: Vec::new(), bytes: 0, max_bytes, news: false };
        let Broker { topics, files, .. } = self;
        let follower = (request.replica_id >= 0).then_some(Follower {
            id: request.replica_id,
            registration: request.replica_epoch,
            arrives,
        });
        let mut turn = Turn { now, files: files.as_mut(), out };
        let mut responses = Vec::with_capacity(request.topics.len());
        let mut asked = 0;
        for topic in &request.topics {
            let mut known = topics.get_mut(&topic.topic);
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            for wanted in &topic.partitions {
                asked += 1;
                let partition = usize::try_from(wanted.partition)
                    .ok()
                    .and_then(|index| known.as_mut()?.get_mut(index))
                    .ok_or_else(|| Refused::unknown_partition(&topic.topic, wanted.partition));
                let read = partition.and_then(|partition| {
                    check_topic_id(partition, topic.replica_topic_id)?;
                    read(partition, follower, wanted, &mut collected, &mut turn)
                });
                let mut data = read.unwrap_or_else(|refused| {
                    collected.news = true;
                    refused_data(&refused)
                });
                data.partition_index = wanted.partition;
                if request.isolation_level == READ_COMMITTED && data.error_code.is_ok() {
                    data.aborted_transactions = Some(Vec::new());
                }
                partitions.push(data);
            }
            responses.push(FetchableTopicResponse { topic: topic.topic.clone(), partitions });
        }
        let min_bytes = request.min_bytes.max(0) as u32;
        let body = FetchResponse { responses, ..Default::default() }.into();
        Attempt {
            enough: collected.news || asked == 0 || collected.bytes >= min_bytes,
            answer: Answer::Response { body, slices: collected.slices },
        }
    }
}

/// A follower may not have heard yet that its topic is deleted, and that there is another one of its name:
/// what it has is not of this one.
fn check_topic_id(partition: &Partition, meant: Uuid) -> Result<(), Refused> {
    if meant.is_nil() || meant == partition.topic_id {
        return Ok(());
    }
    let why = format!("this is topic {}, not {meant}", partition.topic_id);
    Err(Refused::new(ErrorCode::INCONSISTENT_TOPIC_ID, why))
}

/// One partition's part. The first batch of the whole answer is given however large it is, so that a
/// client with small limits still gets on.
fn read(
    partition: &mut Partition,
    follower: Option<Follower>,
    wanted: &FetchPartition,
    collected: &mut Collected,
    turn: &mut Turn,
) -> Result<PartitionData, Refused> {
    partition.check_epoch(wanted.current_leader_epoch)?;
    partition.check_leads()?;
    let bounds = partition.bounds(turn)?;
    let mut data = PartitionData {
        high_watermark: bounds.high_watermark as i64,
        last_stable_offset: bounds.high_watermark as i64,
        log_start_offset: bounds.log_start as i64,
        records: Records::Here(BytesMut::new()),
        ..Default::default()
    };
    // A consumer may stand behind the high watermark, where there is nothing for it yet.
    let offset = u64::try_from(wanted.fetch_offset).ok();
    if let (Some(follower), Some(offset)) = (follower, offset) {
        if let Some((epoch, end)) = partition.parts(turn, wanted.last_fetched_epoch, offset)? {
            collected.news = true;
            data.diverging_epoch = EpochEndOffset { epoch, end_offset: end as i64 };
            return Ok(data);
        }
        if follower.arrives && (bounds.log_start..=bounds.log_end).contains(&offset) {
            let fetched = Fetched {
                follower: follower.id,
                registration: follower.registration,
                leader_epoch: wanted.current_leader_epoch,
                from: offset,
                log_start: wanted.log_start_offset,
            };
            partition.fetched(turn, fetched)?;
            let high_watermark = partition.bounds(turn)?.high_watermark;
            data.high_watermark = high_watermark as i64;
        }
    }
    // Whoever deletes records waits until the followers have deleted them as well.
    if let Some(Follower { id, .. }) = follower {
        collected.news |= partition.starts_later(id, wanted.log_start_offset, bounds.log_start);
    }
    let below = if follower.is_some() { bounds.log_end } else { bounds.high_watermark };
    let first = match offset {
        Some(offset) if follower.is_some() && offset < bounds.log_start => {
            first_batch(partition, &bounds, turn)?
        }
        _ => bounds.log_start,
    };
    let offset = offset.filter(|at| (first..=bounds.log_end).contains(at));
    let Some(offset) = offset.map(|at| at.max(bounds.log_start)) else {
        // The bounds go along: they tell the client where it may go on.
        collected.news = true;
        data.error_code = ErrorCode::OFFSET_OUT_OF_RANGE;
        data.log_start_offset = first as i64;
        return Ok(data);
    };
    let left = collected.max_bytes.saturating_sub(collected.bytes);
    let most = left.min(wanted.partition_max_bytes.max(0) as u32);
    if offset >= below || (most == 0 && collected.bytes > 0) {
        return Ok(data);
    }
    let Some(slice) = partition.read(turn, offset, below, most)? else {
        return Ok(data);
    };
    if slice.len > most && collected.bytes > 0 {
        return Ok(data);
    }
    collected.bytes = collected.bytes.saturating_add(slice.len);
    data.records = Records::There { slot: collected.slices.len() as u32, len: slice.len };
    collected.slices.push(partition.located(&slice));
    Ok(data)
}

/// Where the batch begins in which the log starts. Records may be deleted up to the middle of a batch, but a
/// follower gets whole batches: it has to begin there.
fn first_batch(
    partition: &mut Partition,
    bounds: &Bounds,
    turn: &mut Turn,
) -> Result<u64, Refused> {
    let Bounds { log_start, log_end, .. } = *bounds;
    if log_start >= log_end {
        return Ok(log_start);
    }
    let slice = partition.read(turn, log_start, log_end, 1)?;
    Ok(slice.map_or(log_start, |slice| slice.first.min(log_start)))
}

fn refused_data(refused: &Refused) -> PartitionData {
    PartitionData {
        error_code: refused.code,
        high_watermark: -1,
        records: Records::Here(BytesMut::new()),
        ..Default::default()
    }
}
