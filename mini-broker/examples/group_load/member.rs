//! One member of a group: what it asks, one request after the other. Unlike the client's `Member` it
//! does nothing by itself: when it shows that it lives, and when it commits, is the load's to say.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mini_broker::client::Connection;
use mini_broker::client::assignor::Strategy;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use wire::committed_offsets::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use wire::consumer_protocol::{
    ConsumerProtocolAssignment, ConsumerProtocolSubscription, PROTOCOL_TYPE, TopicPartition,
};
use wire::groups::{
    HeartbeatRequest, JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse,
    LeaveGroupRequest, MemberIdentity, SyncGroupRequest, SyncGroupRequestAssignment,
};
use wire::{Api, ErrorCode};

use super::Failure;

/// How long anything may take.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// How long to wait before the same is asked again: also by a member that has its part while others
/// of its group are still to come. It would ask every three seconds, and all others would wait.
pub const SOON: Duration = Duration::from_millis(20);
/// Nobody dies of waiting for the others' measurements.
const SESSION_TIMEOUT_MS: i32 = 1_800_000;

/// What all members of a group know.
pub struct Group {
    pub name: String,
    topic: String,
    /// How many members it is to have, and the generation in which it had them.
    whole: watch::Sender<(usize, Option<i32>)>,
}

impl Group {
    pub fn new(topic: &str, size: usize) -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        // Those of an earlier run may still be there.
        let name = format!("load-{}-{number}", std::process::id());
        Group { name, topic: topic.to_owned(), whole: watch::Sender::new((size, None)) }
    }

    pub fn grows_to(&self, size: usize) {
        self.whole.send_replace((size, None));
    }

    /// The leader has seen so many.
    fn counted(&self, generation: i32, count: usize) {
        self.whole.send_modify(|(size, whole)| *whole = (count == *size).then_some(generation));
    }

    fn is_whole_in(&self, generation: i32) -> bool {
        self.whole.borrow().1 == Some(generation)
    }
}

pub struct Member {
    group: Arc<Group>,
    connection: Connection,
    number: i32,
    /// Empty until the coordinator has given one.
    id: String,
    generation: i32,
    committed: i64,
}

impl Member {
    pub fn new(group: Arc<Group>, connection: Connection, number: i32) -> Self {
        Member { group, connection, number, id: String::new(), generation: -1, committed: 0 }
    }

    pub fn group(&self) -> Arc<Group> {
        Arc::clone(&self.group)
    }

    /// Joins until all members of its group have a part in the same generation.
    pub async fn join(mut self) -> Result<Self, Failure> {
        loop {
            let joined = self.ask_to_join().await?;
            match joined.error_code {
                ErrorCode::NONE => {}
                ErrorCode::MEMBER_ID_REQUIRED => {
                    self.id = joined.member_id;
                    continue;
                }
                // So many have asked for ids that this one's was forgotten before it came back.
                ErrorCode::UNKNOWN_MEMBER_ID => {
                    self.id.clear();
                    continue;
                }
                code if is_for_now(code) => {
                    sleep(SOON).await;
                    continue;
                }
                code => return self.refused("a join", code),
            }
            (self.id, self.generation) = (joined.member_id.clone(), joined.generation_id);
            match self.sync(joined).await? {
                ErrorCode::NONE => {}
                ErrorCode::REBALANCE_IN_PROGRESS => continue,
                code => return self.refused("a sync", code),
            }
            loop {
                if self.group.is_whole_in(self.generation) {
                    return Ok(self);
                }
                sleep(SOON).await;
                match self.heart().await? {
                    ErrorCode::NONE => {}
                    ErrorCode::REBALANCE_IN_PROGRESS => break,
                    code => return self.refused("a heartbeat", code),
                }
            }
        }
    }

    async fn ask_to_join(&self) -> Result<JoinGroupResponse, Failure> {
        let topics = vec![self.group.topic.clone()];
        let subscription = ConsumerProtocolSubscription { topics, ..Default::default() };
        let protocol = JoinGroupRequestProtocol {
            name: Strategy::Range.name().to_owned(),
            metadata: subscription.to_bytes(1),
        };
        let request = JoinGroupRequest {
            group_id: self.group.name.clone(),
            session_timeout_ms: SESSION_TIMEOUT_MS,
            rebalance_timeout_ms: SESSION_TIMEOUT_MS,
            member_id: self.id.clone(),
            group_instance_id: None,
            protocol_type: PROTOCOL_TYPE.to_owned(),
            protocols: vec![protocol],
        };
        self.ask(request).await
    }

    /// If it leads, it brings the plan: the first one gets partition 0, the next one partition 1.
    async fn sync(&self, joined: JoinGroupResponse) -> Result<ErrorCode, Failure> {
        if joined.leader == joined.member_id {
            self.group.counted(joined.generation_id, joined.members.len());
        }
        let parts = joined.members.into_iter().zip(0..).map(|(member, partition)| {
            let (topic, partitions) = (self.group.topic.clone(), vec![partition]);
            let assigned_partitions = vec![TopicPartition { topic, partitions }];
            let part = ConsumerProtocolAssignment { assigned_partitions, user_data: None };
            SyncGroupRequestAssignment { member_id: member.member_id, assignment: part.to_bytes(0) }
        });
        let request = SyncGroupRequest {
            group_id: self.group.name.clone(),
            generation_id: joined.generation_id,
            member_id: joined.member_id,
            group_instance_id: None,
            protocol_type: Some(PROTOCOL_TYPE.to_owned()),
            protocol_name: joined.protocol_name,
            assignments: parts.collect(),
        };
        Ok(self.ask(request).await?.error_code)
    }

    /// Asks again and again, until a round is open.
    pub async fn hears_of_round(&self) -> Result<(), Failure> {
        let give_up = Instant::now() + PATIENCE;
        while Instant::now() < give_up {
            match self.heart().await? {
                ErrorCode::NONE => {}
                ErrorCode::REBALANCE_IN_PROGRESS => return Ok(()),
                code => return self.refused("a heartbeat", code),
            }
        }
        Err(format!("{}: no round within {PATIENCE:?}", self.group.name).into())
    }

    pub async fn heartbeat(self) -> Result<Self, Failure> {
        match self.heart().await? {
            ErrorCode::NONE => Ok(self),
            code => self.refused("a heartbeat", code),
        }
    }

    async fn heart(&self) -> Result<ErrorCode, Failure> {
        let request = HeartbeatRequest {
            group_id: self.group.name.clone(),
            generation_id: self.generation,
            member_id: self.id.clone(),
            group_instance_id: None,
        };
        Ok(self.ask(request).await?.error_code)
    }

    /// Commits one offset, a larger one each time.
    pub async fn commit(mut self) -> Result<Self, Failure> {
        self.committed += 1;
        let partition = OffsetCommitRequestPartition {
            partition_index: self.number,
            committed_offset: self.committed,
            committed_metadata: Some(String::new()),
            ..Default::default()
        };
        let topic = OffsetCommitRequestTopic {
            name: self.group.topic.clone(),
            partitions: vec![partition],
        };
        let request = OffsetCommitRequest {
            group_id: self.group.name.clone(),
            generation_id_or_member_epoch: self.generation,
            member_id: self.id.clone(),
            topics: vec![topic],
            ..Default::default()
        };
        let answer = self.ask(request).await?;
        match answer.topics.iter().flat_map(|topic| &topic.partitions).map(|p| p.error_code).next()
        {
            Some(ErrorCode::NONE) => Ok(self),
            Some(code) => self.refused("a commit", code),
            None => Err(format!("{}: a commit was not answered", self.group.name).into()),
        }
    }

    pub async fn leave(self) -> Result<Self, Failure> {
        let member = MemberIdentity { member_id: self.id.clone(), group_instance_id: None };
        let request = LeaveGroupRequest {
            group_id: self.group.name.clone(),
            member_id: self.id.clone(),
            members: vec![member],
        };
        let answer = self.ask(request).await?;
        let of_member = answer.members.first().map_or(ErrorCode::NONE, |left| left.error_code);
        match [answer.error_code, of_member].into_iter().find(|code| code.is_err()) {
            None => Ok(self),
            Some(code) => self.refused("a leave", code),
        }
    }

    async fn ask<R: Api>(&self, request: R) -> Result<R::Response, Failure> {
        Ok(self.connection.call_within(request, PATIENCE).await?)
    }

    fn refused<T>(&self, what: &str, code: ErrorCode) -> Result<T, Failure> {
        Err(format!("{}: {what} was answered with {code}", self.group.name).into())
    }
}

/// The coordinator is still reading its log, or has just come to be one; or a newer join of ours is
/// there.
fn is_for_now(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::COORDINATOR_LOAD_IN_PROGRESS
            | ErrorCode::COORDINATOR_NOT_AVAILABLE
            | ErrorCode::NOT_COORDINATOR
            | ErrorCode::REBALANCE_IN_PROGRESS
    )
}
