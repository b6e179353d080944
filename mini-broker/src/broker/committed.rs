//! Committed offsets: how far groups have read. They are kept as records of `__consumer_offsets`, and
//! told from what is known of them. (`OffsetMetadataManager`.)

use wire::ErrorCode;
use wire::committed_offsets::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
    OffsetCommitResponse, OffsetCommitResponsePartition, OffsetCommitResponseTopic,
    OffsetDeleteRequest, OffsetDeleteResponse, OffsetDeleteResponsePartition,
    OffsetDeleteResponseTopic, OffsetFetchRequest, OffsetFetchRequestGroup,
    OffsetFetchRequestTopic, OffsetFetchResponse, OffsetFetchResponseGroup,
    OffsetFetchResponsePartition, OffsetFetchResponseTopic,
};
use wire::offsets_topic::{GroupRecord, OffsetCommitKey, OffsetCommitValue};

use super::groups::{GroupId, Offsets};
use super::offsets_topic::{For, forgotten, told_by_log};
use super::{Broker, Now, Output, Refused, Ticket};
use crate::labs::consumer_groups::{Error, Group, State};

/// From this version on OffsetFetch asks for several groups at once.
const SEVERAL_GROUPS: i16 = 8;
/// From this version on it has a place for an error of the whole group.
const ERROR_OF_GROUP: i16 = 2;
/// In place of an offset that was never committed.
const NOTHING: i64 = -1;

impl Broker {
    pub(super) fn commit_offsets(
        &mut self,
        now: Now,
        ticket: Ticket,
        request: OffsetCommitRequest,
        out: &mut Vec<Output>,
    ) {
        let (response, commits) = self.check_commit(now, &request);
        if commits.is_empty() {
            // Nobody asks whether a group may commit nothing.
            return out.push(Output::Answer { ticket, answer: response.into() });
        }
        let done = match self.may_commit(now, &request, out) {
            Err(refused) => Some(Err(refused)),
            Ok(id) => {
                let waits = For::Commit(ticket, response.clone());
                let done = self.write_group(now, &id, commits, waits, out);
                self.tidy_group(now, &id);
                done
            }
        };
        let response = match done {
            None => return, // it waits
            Some(Ok(())) => response,
            Some(Err(refused)) => commit_refused(response, &refused),
        };
        out.push(Output::Answer { ticket, answer: response.into() });
    }

    /// The answer as far as it does not depend on the group, and the records of what can be committed.
    fn check_commit(
        &self,
        now: Now,
        request: &OffsetCommitRequest,
    ) -> (OffsetCommitResponse, Vec<GroupRecord>) {
        let most = self.config.number("offset.metadata.max.bytes") as usize;
        let keep_ms = request.retention_time_ms;
        let mut commits = Vec::new();
        let topics = request.topics.iter().map(|OffsetCommitRequestTopic { name, partitions }| {
            let partitions = partitions.iter().map(|wanted| {
                let index = wanted.partition_index;
                let text = wanted.committed_metadata.as_deref().unwrap_or_default();
                let error_code = if self.cluster.partition(name, index).is_none() {
                    ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
                } else if text.chars().count() > most {
                    ErrorCode::OFFSET_METADATA_TOO_LARGE
                } else {
                    commits.push(record(&request.group_id, name, wanted, keep_ms, now));
                    ErrorCode::NONE
                };
                OffsetCommitResponsePartition { partition_index: index, error_code }
            });
            let (partitions, name) = (partitions.collect(), name.clone());
            OffsetCommitResponseTopic { name, partitions }
        });
        let topics = topics.collect();
        (OffsetCommitResponse { topics, ..Default::default() }, commits)
    }

    /// The group, if whoever asks may commit for it. Who shows so that it lives is heard.
    fn may_commit(
        &mut self,
        now: Now,
        request: &OffsetCommitRequest,
        out: &mut Vec<Output>,
    ) -> Result<GroupId, Refused> {
        let id = self.coordinates(&request.group_id)?;
        let generation = request.generation_id_or_member_epoch;
        if self.groups.known(&id).is_none() {
            if generation >= 0 {
                let why = format!("generation {generation} of a group that does not exist");
                return Err(Refused::new(ErrorCode::ILLEGAL_GENERATION, why));
            }
            self.known_or_new(now, &id); // from its first commit on it does
        }
        let caller = (request.member_id.as_str(), request.group_instance_id.as_deref());
        let may = self.call_group(now, &id, out, |group, now_ms| {
            group.may_commit(caller, generation)?;
            if matches!(group.state(), State::Stable | State::PreparingRebalance) {
                group.heard(now_ms, caller.0);
            }
            Ok(())
        })?;
        may.map(|()| id).map_err(|error: Error| error.into())
    }

    pub(super) fn fetch_offsets(
        &mut self,
        version: i16,
        request: OffsetFetchRequest,
    ) -> OffsetFetchResponse {
        if version >= SEVERAL_GROUPS {
            let groups = request.groups.into_iter();
            let groups = groups.map(|OffsetFetchRequestGroup { group_id, topics }| {
                let (topics, error_code) = match self.offsets_of(&group_id, topics.as_deref()) {
                    Ok(topics) => (topics, ErrorCode::NONE),
                    Err(refused) => (Vec::new(), refused.code),
                };
                OffsetFetchResponseGroup { group_id, topics, error_code }
            });
            return OffsetFetchResponse { groups: groups.collect(), ..Default::default() };
        }
        match self.offsets_of(&request.group_id, request.topics.as_deref()) {
            Ok(topics) => OffsetFetchResponse { topics, ..Default::default() },
            Err(Refused { code: error_code, .. }) if version >= ERROR_OF_GROUP => {
                OffsetFetchResponse { error_code, ..Default::default() }
            }
            Err(refused) => {
                let nothing = Offsets::new();
                let mut topics = told(&nothing, request.topics.as_deref());
                for partition in topics.iter_mut().flat_map(|topic| &mut topic.partitions) {
                    partition.error_code = refused.code;
                }
                OffsetFetchResponse { topics, ..Default::default() }
            }
        }
    }

    fn offsets_of(
        &mut self,
        group: &str,
        topics: Option<&[OffsetFetchRequestTopic]>,
    ) -> Result<Vec<OffsetFetchResponseTopic>, Refused> {
        let id = self.coordinates(group)?;
        let nothing = Offsets::new();
        let known = self.groups.known(&id);
        Ok(told(known.map_or(&nothing, |known| &known.offsets), topics))
    }

    pub(super) fn delete_offsets(
        &mut self,
        now: Now,
        ticket: Ticket,
        request: OffsetDeleteRequest,
        out: &mut Vec<Output>,
    ) {
        let OffsetDeleteRequest { group_id, topics } = request;
        let id = match self.may_delete_offsets(now, &group_id, out) {
            Ok(id) => id,
            Err(refused) => {
                let response = delete_refused(OffsetDeleteResponse::default(), &refused);
                return out.push(Output::Answer { ticket, answer: response.into() });
            }
        };
        let mut records = Vec::new();
        let mut told = Vec::with_capacity(topics.len());
        for topic in topics {
            let there = self.cluster.topics.contains_key(&topic.name);
            let Some(known) = self.groups.known(&id) else { continue };
            let error_code = match there {
                false => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                true if known.reads(&topic.name) => ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC,
                true => ErrorCode::NONE,
            };
            let offsets = known.offsets.get(topic.name.as_str());
            let partitions = topic.partitions.iter().map(|wanted| {
                let partition_index = wanted.partition_index;
                let has = offsets.is_some_and(|offsets| offsets.contains_key(&partition_index));
                if error_code.is_ok() && has {
                    records.push(forgotten(&id.1, &topic.name, partition_index));
                }
                OffsetDeleteResponsePartition { partition_index, error_code }
            });
            let partitions = partitions.collect();
            told.push(OffsetDeleteResponseTopic { name: topic.name, partitions });
        }
        let response = OffsetDeleteResponse { topics: told, ..Default::default() };
        let done = match records.is_empty() {
            true => Some(Ok(())),
            false => {
                let waits = For::OffsetsDeleted(ticket, response.clone());
                let done = self.write_group(now, &id, records, waits, out);
                self.tidy_group(now, &id);
                done
            }
        };
        let response = match done {
            None => return, // it waits
            Some(Ok(())) => response,
            Some(Err(refused)) => delete_refused(response, &refused),
        };
        out.push(Output::Answer { ticket, answer: response.into() });
    }

    /// A group of consumers may go on while offsets that it does not need are deleted; of others nobody
    /// knows what they need. (`ClassicGroup.validateOffsetDelete`.)
    fn may_delete_offsets(
        &mut self,
        now: Now,
        group: &str,
        out: &mut Vec<Output>,
    ) -> Result<GroupId, Refused> {
        let id = self.coordinates_named(group)?;
        if self.groups.known(&id).is_none() {
            return Err(Refused::unknown_group(group));
        }
        let consumers = Some(wire::consumer_protocol::PROTOCOL_TYPE);
        let may =
            |group: &mut Group, _| group.members().len() == 0 || group.protocol_type() == consumers;
        match self.call_group(now, &id, out, may)? {
            true => Ok(id),
            false => Err(Refused::non_empty_group(group)),
        }
    }
}

fn record(
    group: &str,
    topic: &str,
    wanted: &OffsetCommitRequestPartition,
    keep_ms: i64,
    now: Now,
) -> GroupRecord {
    let key = OffsetCommitKey {
        group: group.into(),
        topic: topic.into(),
        partition: wanted.partition_index,
    };
    let value = OffsetCommitValue {
        offset: wanted.committed_offset,
        leader_epoch: wanted.committed_leader_epoch,
        metadata: wanted.committed_metadata.clone().unwrap_or_default(),
        commit_timestamp: now.wall_ms as i64,
        expire_timestamp: match keep_ms {
            ..0 => -1,
            keep_ms => (now.wall_ms as i64).saturating_add(keep_ms),
        },
        ..Default::default()
    };
    GroupRecord::OffsetCommit { key, value: Some(value) }
}

/// What was committed of these topics, or of all.
fn told(
    offsets: &Offsets,
    topics: Option<&[OffsetFetchRequestTopic]>,
) -> Vec<OffsetFetchResponseTopic> {
    let one = |index: i32, value: Option<&OffsetCommitValue>| match value {
        Some(value) => OffsetFetchResponsePartition {
            partition_index: index,
            committed_offset: value.offset,
            committed_leader_epoch: value.leader_epoch,
            metadata: Some(value.metadata.clone()),
            ..Default::default()
        },
        None => OffsetFetchResponsePartition {
            partition_index: index,
            committed_offset: NOTHING,
            metadata: Some(String::new()),
            ..Default::default()
        },
    };
    let Some(topics) = topics else {
        let all = offsets.iter().map(|(topic, partitions)| OffsetFetchResponseTopic {
            name: topic.to_string(),
            partitions: partitions.iter().map(|(index, value)| one(*index, Some(value))).collect(),
        });
        return all.collect();
    };
    let wanted = topics.iter().map(|topic| {
        let known = offsets.get(topic.name.as_str());
        let indexes = topic.partition_indexes.iter();
        let partitions = indexes.map(|index| one(*index, known.and_then(|known| known.get(index))));
        OffsetFetchResponseTopic { name: topic.name.clone(), partitions: partitions.collect() }
    });
    wanted.collect()
}

/// What has not failed by itself has failed together.
pub fn commit_refused(
    mut response: OffsetCommitResponse,
    refused: &Refused,
) -> OffsetCommitResponse {
    for partition in response.topics.iter_mut().flat_map(|topic| &mut topic.partitions) {
        if partition.error_code.is_ok() {
            partition.error_code = told_by_log(refused.code);
        }
    }
    response
}

pub fn delete_refused(
    mut response: OffsetDeleteResponse,
    refused: &Refused,
) -> OffsetDeleteResponse {
    response.error_code = told_by_log(refused.code);
    response.topics.clear();
    response
}
