//! Groups as an admin sees them: listed, described, deleted; and what they have committed.

use std::collections::BTreeMap;

use wire::ErrorCode;
use wire::committed_offsets::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchResponse,
    OffsetFetchResponseTopic,
};
use wire::group_admin::{
    DeleteGroupsRequest, DescribeGroupsRequest, DescribedGroup, ListGroupsRequest, ListedGroup,
};

use super::connection::REQUEST_TIMEOUT;
use super::coordinator::Coordinator;
use super::{Client, Error, TopicPartition};

/// How far a group has read a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// That of the *next* record to read.
    pub offset: i64,
    /// That of the last record read; −1: whoever committed did not say.
    pub leader_epoch: i32,
}

/// Who commits: a member in its generation, or, with the default, somebody who is no member.
#[derive(Debug, Clone)]
pub struct Committer {
    pub member_id: String,
    pub instance_id: Option<String>,
    pub generation: i32,
}

impl Default for Committer {
    fn default() -> Self {
        Committer { member_id: String::new(), instance_id: None, generation: -1 }
    }
}

impl Client {
    /// The groups of all coordinators, in the order of their names. Empty filters let all through.
    pub async fn list_groups(
        &mut self,
        states: &[String],
        types: &[String],
    ) -> Result<Vec<ListedGroup>, Error> {
        self.metadata(Some(&[]), false).await?;
        let mut groups = Vec::new();
        for node in self.nodes().collect::<Vec<_>>() {
            let request =
                ListGroupsRequest { states_filter: states.to_vec(), types_filter: types.to_vec() };
            let answer = self.node(node).await?.call(request).await?;
            Error::check(|| format!("the groups of broker {node}"), answer.error_code, None)?;
            groups.extend(answer.groups);
        }
        groups.sort_by(|a, b| a.group_id.cmp(&b.group_id));
        // While one moves, two may name it.
        groups.dedup_by(|a, b| a.group_id == b.group_id);
        Ok(groups)
    }

    /// One group, and who coordinates it. One that does not exist is in the state `Dead`.
    pub async fn describe_group(
        &mut self,
        group: &str,
    ) -> Result<(DescribedGroup, Coordinator), Error> {
        let request = DescribeGroupsRequest {
            groups: vec![group.to_owned()],
            include_authorized_operations: false,
        };
        let code =
            |groups: &[DescribedGroup]| groups.first().map_or(ErrorCode::NONE, |g| g.error_code);
        let answer = self
            .ask_coordinator(group, request, REQUEST_TIMEOUT, |answer| code(&answer.groups))
            .await?;
        Error::check(|| named(group), code(&answer.groups), None)?;
        let described = answer.groups.into_iter().next();
        let described = described
            .ok_or_else(|| Error::refused(named(group), ErrorCode::GROUP_ID_NOT_FOUND, None))?;
        Ok((described, self.coordinator(group).await?))
    }

    pub async fn delete_group(&mut self, group: &str) -> Result<(), Error> {
        let request = DeleteGroupsRequest { groups_names: vec![group.to_owned()] };
        let answer = self
            .ask_coordinator(group, request, REQUEST_TIMEOUT, |answer| {
                answer.results.first().map_or(ErrorCode::NONE, |result| result.error_code)
            })
            .await?;
        let code = answer.results.first().map_or(ErrorCode::NONE, |result| result.error_code);
        Error::check(|| named(group), code, None)
    }

    /// What a group has committed, of `partitions` or of all. Partitions without a commit are not in
    /// the answer. Who reads on from there wants `stable` offsets: none that a transaction may change.
    pub async fn committed(
        &mut self,
        group: &str,
        partitions: Option<&[TopicPartition]>,
        stable: bool,
    ) -> Result<BTreeMap<TopicPartition, Committed>, Error> {
        let topic = |(name, partition_indexes)| OffsetFetchRequestTopic { name, partition_indexes };
        let topics: Option<Vec<_>> =
            partitions.map(|all| by_topic(all.iter().cloned()).into_iter().map(topic).collect());
        let request = OffsetFetchRequest {
            group_id: group.to_owned(),
            topics: topics.clone(),
            groups: vec![OffsetFetchRequestGroup { group_id: group.to_owned(), topics }],
            require_stable: stable,
        };
        let answer = self.ask_coordinator(group, request, REQUEST_TIMEOUT, first_code).await?;
        Error::check(|| format!("the offsets of group `{group}`"), first_code(&answer), None)?;
        let mut committed = BTreeMap::new();
        for topic in topics_of(&answer) {
            for p in topic.partitions.iter().filter(|p| p.committed_offset >= 0) {
                let (offset, leader_epoch) = (p.committed_offset, p.committed_leader_epoch);
                let partition = (topic.name.clone(), p.partition_index);
                committed.insert(partition, Committed { offset, leader_epoch });
            }
        }
        Ok(committed)
    }

    /// Commits offsets; the first refusal is the error.
    pub async fn commit(
        &mut self,
        group: &str,
        by: &Committer,
        offsets: &BTreeMap<TopicPartition, Committed>,
    ) -> Result<(), Error> {
        let partition = |(index, committed): (i32, Committed)| OffsetCommitRequestPartition {
            partition_index: index,
            committed_offset: committed.offset,
            committed_leader_epoch: committed.leader_epoch,
            committed_metadata: Some(String::new()),
        };
        let pairs = offsets.iter().map(|((topic, p), committed)| (topic.clone(), (*p, *committed)));
        let topic = |(name, partitions): (String, Vec<_>)| OffsetCommitRequestTopic {
            name,
            partitions: partitions.into_iter().map(partition).collect(),
        };
        let request = OffsetCommitRequest {
            group_id: group.to_owned(),
            generation_id_or_member_epoch: by.generation,
            member_id: by.member_id.clone(),
            group_instance_id: by.instance_id.clone(),
            topics: by_topic(pairs).into_iter().map(topic).collect(),
            ..Default::default()
        };
        let answer = self
            .ask_coordinator(group, request, REQUEST_TIMEOUT, |answer| {
                let mut codes = answer.topics.iter().flat_map(|topic| &topic.partitions);
                codes.find(|p| p.error_code.is_err()).map_or(ErrorCode::NONE, |p| p.error_code)
            })
            .await?;
        for topic in answer.topics {
            for p in topic.partitions {
                let what = || {
                    format!("the offset of {}-{} in group `{group}`", topic.name, p.partition_index)
                };
                Error::check(what, p.error_code, None)?;
            }
        }
        Ok(())
    }

    /// Forgets what a group has committed of partitions: for each the outcome.
    pub async fn delete_offsets(
        &mut self,
        group: &str,
        partitions: &[TopicPartition],
    ) -> Result<BTreeMap<TopicPartition, ErrorCode>, Error> {
        let partition = |partition_index| OffsetDeleteRequestPartition { partition_index };
        let topic = |(name, partitions): (String, Vec<i32>)| OffsetDeleteRequestTopic {
            name,
            partitions: partitions.into_iter().map(partition).collect(),
        };
        let topics = by_topic(partitions.iter().cloned()).into_iter().map(topic).collect();
        let request = OffsetDeleteRequest { group_id: group.to_owned(), topics };
        let answer = self
            .ask_coordinator(group, request, REQUEST_TIMEOUT, |answer| answer.error_code)
            .await?;
        Error::check(|| named(group), answer.error_code, None)?;
        let mut outcomes = BTreeMap::new();
        for topic in answer.topics {
            for p in topic.partitions {
                outcomes.insert((topic.name.clone(), p.partition_index), p.error_code);
            }
        }
        Ok(outcomes)
    }
}

/// Requests name a topic once, with all that is wanted of it.
pub(super) fn by_topic<T>(pairs: impl Iterator<Item = (String, T)>) -> BTreeMap<String, Vec<T>> {
    let mut topics: BTreeMap<String, Vec<T>> = BTreeMap::new();
    for (topic, of_partition) in pairs {
        topics.entry(topic).or_default().push(of_partition);
    }
    topics
}

/// From version 8 on the answer is a list of groups; one was asked for.
fn topics_of(answer: &OffsetFetchResponse) -> &[OffsetFetchResponseTopic] {
    answer.groups.first().map_or(&answer.topics, |group| &group.topics)
}

fn first_code(answer: &OffsetFetchResponse) -> ErrorCode {
    let whole = answer.groups.first().map_or(answer.error_code, |group| group.error_code);
    let partitions = topics_of(answer).iter().flat_map(|topic| &topic.partitions);
    let mut codes = std::iter::once(whole).chain(partitions.map(|p| p.error_code));
    codes.find(|code| code.is_err()).unwrap_or(ErrorCode::NONE)
}

fn named(group: &str) -> String {
    format!("group `{group}`")
}
