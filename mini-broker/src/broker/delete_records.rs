//! DeleteRecords: a log starts later from now on, also in the middle of a segment. The answer leaves
//! once the next start knows it too. (`ReplicaManager.deleteRecords`, KIP-107.)

use wire::ErrorCode;
use wire::delete_records::{
    DeleteRecordsPartitionResult, DeleteRecordsRequest, DeleteRecordsResponse,
    DeleteRecordsTopicResult, INVALID_LOW_WATERMARK,
};

use super::metadata::is_internal;
use super::partition::Turn;
use super::{Broker, Now, Output, Refused, Ticket, find};

impl Broker {
    pub(super) fn delete_records(
        &mut self,
        now: Now,
        ticket: Ticket,
        request: DeleteRecordsRequest,
        out: &mut Vec<Output>,
    ) {
        let mut moved = false;
        let mut topics = Vec::with_capacity(request.topics.len());
        for topic in request.topics {
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            for wanted in topic.partitions {
                let index = wanted.partition_index;
                let deleted =
                    self.delete_before(now, &topic.name, index, wanted.offset, &mut moved, out);
                let (error_code, low_watermark) = match deleted {
                    Ok(log_start) => (ErrorCode::NONE, log_start as i64),
                    Err(refused) => (refused.code, INVALID_LOW_WATERMARK),
                };
                partitions.push(DeleteRecordsPartitionResult {
                    partition_index: index,
                    low_watermark,
                    error_code,
                });
            }
            topics.push(DeleteRecordsTopicResult { name: topic.name, partitions });
        }
        let response = DeleteRecordsResponse { topics, ..Default::default() };
        self.once_starts_are_safe(ticket, response, moved, out);
    }

    /// Gives the offset at which the log starts. Whether that has changed is noted, also when something
    /// else went wrong.
    fn delete_before(
        &mut self,
        now: Now,
        topic: &str,
        index: i32,
        before: i64,
        moved: &mut bool,
        out: &mut Vec<Output>,
    ) -> Result<u64, Refused> {
        if is_internal(topic) {
            let why = format!("Nobody but the broker itself deletes records of {topic}.");
            return Err(Refused::new(ErrorCode::INVALID_TOPIC_EXCEPTION, why));
        }
        let Broker { topics, files, woken, .. } = self;
        let partition =
            find(topics, topic, index).ok_or_else(|| Refused::unknown_partition(topic, index))?;
        let was = partition.deleted_before();
        let mut turn = Turn { now, files: files.as_mut(), out };
        let deleted = partition.delete_records(&mut turn, before);
        if partition.deleted_before() != was {
            *moved = true;
            // Whoever waits below the new start waits for nothing.
            woken.extend(&partition.waiting);
            self.rearm(now, topic, index);
        }
        deleted
    }
}
