//! DeleteRecords: a log starts later from now on, also in the middle of a segment. The answer leaves
//! once every replica that is alive has told its leader that its log starts there too, and the next start of
//! the leader knows it. (`ReplicaManager.deleteRecords`, `DelayedDeleteRecords`, KIP-107.)

use std::collections::BTreeSet;

use wire::ErrorCode;
use wire::delete_records::{
    DeleteRecordsPartitionResult, DeleteRecordsRequest, DeleteRecordsResponse,
    DeleteRecordsTopicResult, INVALID_LOW_WATERMARK,
};

use super::metadata::is_internal;
use super::partition::{Awaited, Part, Turn, Until, Waiter};
use super::unfinished::SoFar;
use super::{Broker, Now, Output, Refused, Ticket, find};

/// A partition whose log starts later at this leader.
struct Deleted {
    /// `None`: not all of its followers have told where theirs start.
    low_watermark: Option<u64>,
    waits: bool,
}

impl Broker {
    pub(super) fn delete_records(
        &mut self,
        now: Now,
        ticket: Ticket,
        request: DeleteRecordsRequest,
        out: &mut Vec<Output>,
    ) {
        let (mut open, mut moved) = (BTreeSet::new(), false);
        let mut place = 0;
        let mut topics = Vec::with_capacity(request.topics.len());
        for topic in request.topics {
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            for wanted in topic.partitions {
                let (index, part) = (wanted.partition_index, Part { ticket, place });
                let deleted = self.delete_before(
                    now,
                    (&topic.name, index),
                    wanted.offset,
                    part,
                    &mut moved,
                    out,
                );
                let (error_code, low_watermark) = match deleted {
                    Ok(Deleted { low_watermark, waits }) => {
                        if waits {
                            open.insert(place);
                        }
                        let low = low_watermark.map_or(INVALID_LOW_WATERMARK, |low| low as i64);
                        (ErrorCode::NONE, low)
                    }
                    Err(refused) => (refused.code, INVALID_LOW_WATERMARK),
                };
                partitions.push(DeleteRecordsPartitionResult {
                    partition_index: index,
                    low_watermark,
                    error_code,
                });
                place += 1;
            }
            topics.push(DeleteRecordsTopicResult { name: topic.name, partitions });
        }
        let response = DeleteRecordsResponse { topics, ..Default::default() };
        if moved {
            self.write_moved_starts(out);
        }
        match open.is_empty() {
            true => self.once_starts_are_safe(ticket, response, out),
            false => {
                let so_far = SoFar::Deleted(response);
                self.wait_for_parts(now, ticket, so_far, open, request.timeout_ms);
            }
        }
    }

    /// Whether the log's start has changed is noted, also when something else went wrong.
    fn delete_before(
        &mut self,
        now: Now,
        (topic, index): (&str, i32),
        before: i64,
        part: Part,
        moved: &mut bool,
        out: &mut Vec<Output>,
    ) -> Result<Deleted, Refused> {
        if is_internal(topic) {
            let why = format!("Nobody but the broker itself deletes records of {topic}.");
            return Err(Refused::new(ErrorCode::INVALID_TOPIC_EXCEPTION, why));
        }
        let Broker { topics, files, cluster, woken, .. } = self;
        let partition =
            find(topics, topic, index).ok_or_else(|| Refused::unknown_partition(topic, index))?;
        let was = partition.deleted_before();
        let mut turn = Turn { now, files: files.as_mut(), out };
        let deleted = partition.delete_records(&mut turn, before).and_then(|before| {
            let low_watermark = partition.low_watermark(&mut turn, cluster)?;
            let waits = low_watermark.is_none_or(|low| low < before);
            if waits {
                partition
                    .awaited
                    .push(Awaited { waiter: Waiter::Part(part), until: Until::Deleted(before) });
            }
            Ok(Deleted { low_watermark, waits })
        });
        if partition.deleted_before() != was {
            *moved = true;
            // Readers that wait below the new start wait for nothing; followers let theirs begin there.
            woken.extend(&partition.waiting);
            woken.extend(&partition.followers_waiting);
            self.rearm(now, topic, index);
        }
        deleted
    }
}
