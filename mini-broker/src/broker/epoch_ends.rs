//! OffsetForLeaderEpoch: where a leader epoch ended. A consumer learns from it whether what it has read is
//! still there. (`Partition.lastOffsetForLeaderEpoch`, KIP-101, KIP-279, KIP-320.)

use wire::offset_for_leader_epoch::{
    EpochEndOffset, OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse,
    OffsetForLeaderPartition, OffsetForLeaderTopicResult,
};

use super::partition::{Partition, Turn};
use super::{Broker, Now, Output, Refused};

impl Broker {
    pub(super) fn epoch_ends(
        &mut self,
        now: Now,
        request: &OffsetForLeaderEpochRequest,
        out: &mut Vec<Output>,
    ) -> OffsetForLeaderEpochResponse {
        let Broker { topics, files, .. } = self;
        let mut turn = Turn { now, files: files.as_mut(), out };
        let answered = request.topics.iter().map(|topic| {
            let mut known = topics.get_mut(&topic.topic);
            let partitions = topic.partitions.iter().map(|wanted| {
                let partition = usize::try_from(wanted.partition)
                    .ok()
                    .and_then(|index| known.as_mut()?.get_mut(index))
                    .ok_or_else(|| Refused::unknown_partition(&topic.topic, wanted.partition));
                let end = partition.and_then(|partition| end_of(partition, wanted, &mut turn));
                let (error_code, (leader_epoch, end_offset)) = match end {
                    Ok(end) => (wire::ErrorCode::NONE, end),
                    Err(refused) => (refused.code, (-1, -1)),
                };
                EpochEndOffset { error_code, partition: wanted.partition, leader_epoch, end_offset }
            });
            OffsetForLeaderTopicResult {
                topic: topic.topic.clone(),
                partitions: partitions.collect(),
            }
        });
        OffsetForLeaderEpochResponse { topics: answered.collect(), ..Default::default() }
    }
}

/// An epoch and its end; −1 and −1 if the leader knows none as old.
fn end_of(
    partition: &mut Partition,
    wanted: &OffsetForLeaderPartition,
    turn: &mut Turn,
) -> Result<(i32, i64), Refused> {
    partition.check_epoch(wanted.current_leader_epoch)?;
    partition.check_leads()?;
    let end = partition.end_of(turn, wanted.leader_epoch)?;
    Ok(end.map_or((-1, -1), |(epoch, end)| (epoch, end as i64)))
}
