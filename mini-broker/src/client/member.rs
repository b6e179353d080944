//! A member of a consumer group: it joins, is told its partitions, shows that it lives, commits, and
//! leaves.
//!
//! Which step comes when is decided by the coordinator. A member has little to remember: its id, the
//! generation it is part of, and what it has.
//!
//! A member that lives is not always one that works. So whoever does not come back to wait for records
//! for longer than `max.poll.interval.ms` leaves the group by itself (KIP-62).
//!
//! Absent are the cooperative protocol (KIP-429) and groups whose coordinator assigns (KIP-848).

use std::collections::BTreeMap;
use std::future::pending;
use std::time::Duration;

use bytes::BytesMut;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};
use wire::ErrorCode;
use wire::consumer_protocol::{
    ConsumerProtocolAssignment, ConsumerProtocolSubscription, PROTOCOL_TYPE,
    TopicPartition as OfTopic,
};
use wire::groups::{
    HeartbeatRequest, JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse,
    LeaveGroupRequest, MemberIdentity, SyncGroupRequest, SyncGroupRequestAssignment,
};

use super::assignor::{Members, Strategy};
use super::connection::REQUEST_TIMEOUT;
use super::group_admin::{Committed, Committer, by_topic};
use super::{BACKOFF, Client, Error, TopicPartition};

/// The newest that has what we have to say: the generation of what a member owns (KIP-792).
const SUBSCRIPTION_VERSION: i16 = 2;
/// No version of an assignment has more fields than the first.
const ASSIGNMENT_VERSION: i16 = 0;
/// A member that leaves does not wait longer for the coordinator's word.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, Clone)]
pub struct Settings {
    pub group: String,
    /// The name of a static member (KIP-345).
    pub instance: Option<String>,
    /// The best one first.
    pub strategies: Vec<Strategy>,
    pub session_timeout: Duration,
    pub heartbeat_interval: Duration,
    /// So long a member may work before it waits for records again, and so long others wait for it to
    /// join a round: Kafka's `max.poll.interval.ms`.
    pub rebalance_timeout: Duration,
}

impl Settings {
    /// Kafka's defaults.
    pub fn of_group(group: &str) -> Self {
        Settings {
            group: group.to_owned(),
            instance: None,
            strategies: vec![Strategy::Range],
            session_timeout: Duration::from_secs(45),
            heartbeat_interval: Duration::from_secs(3),
            rebalance_timeout: Duration::from_secs(300),
        }
    }
}

/// Why a member must join again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejoin {
    /// A round is open. What it has is still its own until it joins: it may commit.
    Round,
    /// The group has gone on without it.
    Lost,
    /// It has worked for longer than it may, and has left.
    Late,
}

/// How the heart of a member stops by itself.
enum Stopped {
    Answered(Error),
    Late,
}

pub struct Member {
    /// Its own connections: a fetch that waits for records would hold up what comes after it.
    client: Client,
    settings: Settings,
    topics: Vec<String>,
    /// Empty until the coordinator has given one.
    id: String,
    generation: i32,
    /// If it leads the group: how many partitions each topic had when it made the plan.
    planned: Option<BTreeMap<String, u32>>,
    /// For the sticky assignor.
    owned: Vec<TopicPartition>,
    heart: Option<JoinHandle<Stopped>>,
    /// Since when it works on what it has read; `None` while it waits for more.
    working_since: watch::Sender<Option<Instant>>,
}

impl Member {
    pub fn new(client: Client, topics: Vec<String>, settings: Settings) -> Self {
        Member {
            client,
            settings,
            topics,
            id: String::new(),
            generation: -1,
            planned: None,
            owned: Vec::new(),
            heart: None,
            working_since: watch::Sender::default(),
        }
    }

    /// It waits for records, or begins to work on some.
    pub fn works(&self, works: bool) {
        self.working_since.send_replace(works.then(Instant::now));
    }

    pub fn generation(&self) -> i32 {
        self.generation
    }

    /// If it was this member that made the plan: how many partitions it has shared out.
    pub fn planned(&self, topic: &str) -> Option<u32> {
        let planned = self.planned.as_ref()?;
        Some(planned.get(topic).copied().unwrap_or_default())
    }

    pub fn is_static(&self) -> bool {
        self.settings.instance.is_some()
    }

    /// Joins, for the first time or again, until there is a plan: its partitions. Others may take as
    /// long as their rebalance timeout allows.
    pub async fn join(&mut self) -> Result<Vec<TopicPartition>, Error> {
        self.stop_heart();
        let mut trouble_since = None;
        loop {
            match self.round().await {
                Ok(partitions) => {
                    self.owned = partitions.clone();
                    self.start_heart();
                    return Ok(partitions);
                }
                // Somebody came or left meanwhile: once more.
                Err(Error::Refused { code: ErrorCode::REBALANCE_IN_PROGRESS, .. }) => {}
                Err(error) if is_lost(&error) => self.forget(),
                Err(error) if error.is_retriable() => {
                    let now = Instant::now();
                    if now - *trouble_since.get_or_insert(now) >= REQUEST_TIMEOUT {
                        return Err(error);
                    }
                    sleep(BACKOFF).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// One round: join and sync.
    async fn round(&mut self) -> Result<Vec<TopicPartition>, Error> {
        let mut joined = self.ask_to_join().await?;
        if joined.error_code == ErrorCode::MEMBER_ID_REQUIRED {
            self.id = joined.member_id;
            joined = self.ask_to_join().await?;
        }
        self.refuse(joined.error_code)?;
        self.id = joined.member_id.clone();
        self.generation = joined.generation_id;
        self.planned = None;
        // From the version on that can say null, a name is what it says.
        let protocol = joined.protocol_name.clone().unwrap_or_default();
        let assignments = match joined.leader == joined.member_id {
            true => self.plan(&joined, &protocol).await?,
            false => Vec::new(),
        };
        let request = SyncGroupRequest {
            group_id: self.settings.group.clone(),
            generation_id: self.generation,
            member_id: self.id.clone(),
            group_instance_id: self.settings.instance.clone(),
            protocol_type: Some(PROTOCOL_TYPE.to_owned()),
            protocol_name: Some(protocol),
            assignments,
        };
        let (group, within) = (self.settings.group.clone(), self.round_timeout());
        let synced = self.client.ask_coordinator(&group, request, within, |a| a.error_code).await?;
        self.refuse(synced.error_code)?;
        if synced.assignment.is_empty() {
            return Ok(Vec::new());
        }
        let assignment = ConsumerProtocolAssignment::from_bytes(&synced.assignment);
        let assignment = assignment.map_err(|malformed| {
            let what = format!("the assignment in group `{group}`");
            let code = ErrorCode::INCONSISTENT_GROUP_PROTOCOL;
            Error::refused(what, code, Some(malformed.to_string()))
        })?;
        Ok(flat(&assignment.assigned_partitions))
    }

    async fn ask_to_join(&mut self) -> Result<JoinGroupResponse, Error> {
        let subscription = ConsumerProtocolSubscription {
            topics: self.topics.clone(),
            owned_partitions: of_topics(&self.owned),
            generation_id: self.generation,
            ..Default::default()
        };
        let metadata = subscription.to_bytes(SUBSCRIPTION_VERSION);
        let protocol = |strategy: &Strategy| JoinGroupRequestProtocol {
            name: strategy.name().to_owned(),
            metadata: metadata.clone(),
        };
        let request = JoinGroupRequest {
            group_id: self.settings.group.clone(),
            session_timeout_ms: millis(self.settings.session_timeout),
            rebalance_timeout_ms: millis(self.settings.rebalance_timeout),
            member_id: self.id.clone(),
            group_instance_id: self.settings.instance.clone(),
            protocol_type: PROTOCOL_TYPE.to_owned(),
            protocols: self.settings.strategies.iter().map(protocol).collect(),
        };
        let (group, within) = (self.settings.group.clone(), self.round_timeout());
        self.client.ask_coordinator(&group, request, within, |answer| answer.error_code).await
    }

    /// The leader's part: who reads what.
    async fn plan(
        &mut self,
        joined: &JoinGroupResponse,
        protocol: &str,
    ) -> Result<Vec<SyncGroupRequestAssignment>, Error> {
        let strategy = self.settings.strategies.iter().find(|one| one.name() == protocol);
        let strategy = *strategy.ok_or_else(|| {
            let message = format!("it chose the assignor `{protocol}`, which was not offered");
            let code = ErrorCode::INCONSISTENT_GROUP_PROTOCOL;
            Error::refused(self.named(), code, Some(message))
        })?;
        let members = Members::read(&joined.members)?;
        let topics: Vec<&str> = members.topics().into_iter().collect();
        let mut partitions = BTreeMap::new();
        for topic in self.client.metadata(Some(&topics), false).await?.topics {
            // A topic that is not there has nothing to share out.
            if topic.error_code.is_ok() {
                let count = topic.partitions.len() as u32;
                partitions.insert(topic.name.unwrap_or_default(), count);
            }
        }
        let assigned = members.assign(strategy, &partitions)?;
        self.planned = Some(partitions);
        let assignments = assigned.into_iter().map(|(member_id, partitions)| {
            let assignment = ConsumerProtocolAssignment {
                assigned_partitions: of_topics(&partitions),
                user_data: None,
            };
            let assignment: BytesMut = assignment.to_bytes(ASSIGNMENT_VERSION);
            SyncGroupRequestAssignment { member_id, assignment }
        });
        Ok(assignments.collect())
    }

    /// Waits until the member has to join again. May be dropped while it waits.
    pub async fn must_rejoin(&mut self) -> Result<Rejoin, Error> {
        let Some(heart) = &mut self.heart else { return Ok(Rejoin::Lost) };
        let ended = heart.await;
        self.heart = None;
        match ended.expect("nobody stops the heart while it is listened to") {
            Stopped::Late => {
                self.forget();
                Ok(Rejoin::Late)
            }
            Stopped::Answered(Error::Refused {
                code: ErrorCode::REBALANCE_IN_PROGRESS, ..
            }) => Ok(Rejoin::Round),
            Stopped::Answered(error) if is_lost(&error) => {
                self.forget();
                Ok(Rejoin::Lost)
            }
            Stopped::Answered(error) => Err(error),
        }
    }

    /// Heartbeats go on while records are worked on, so they are a task of their own. It ends with the
    /// first answer that is not plain yes, or when the work takes too long.
    fn start_heart(&mut self) {
        let Settings { group, instance, heartbeat_interval, rebalance_timeout, .. } =
            self.settings.clone();
        let request = HeartbeatRequest {
            group_id: group.clone(),
            generation_id: self.generation,
            member_id: self.id.clone(),
            group_instance_id: instance.clone(),
        };
        let (mut client, member_id) = (self.client.clone(), self.id.clone());
        let mut working_since = self.working_since.subscribe();
        self.heart = Some(tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = sleep(heartbeat_interval) => {}
                    () = too_long(&mut working_since, rebalance_timeout) => {
                        // A static member is expected back: its partitions wait for it as for one that died.
                        if instance.is_none() {
                            let _ = leave_group(&mut client, &group, &member_id).await;
                        }
                        return Stopped::Late;
                    }
                }
                let request = request.clone();
                let answer =
                    client.ask_coordinator(&group, request, REQUEST_TIMEOUT, |a| a.error_code);
                match answer.await {
                    Ok(answer) if answer.error_code.is_ok() => {}
                    Ok(answer) => {
                        let what = format!("group `{group}`");
                        return Stopped::Answered(Error::refused(what, answer.error_code, None));
                    }
                    Err(error) => return Stopped::Answered(error),
                }
            }
        }));
    }

    fn stop_heart(&mut self) {
        if let Some(heart) = self.heart.take() {
            heart.abort();
        }
    }

    pub async fn committed(
        &mut self,
        partitions: &[TopicPartition],
    ) -> Result<BTreeMap<TopicPartition, Committed>, Error> {
        self.client.committed(&self.settings.group, Some(partitions), true).await
    }

    pub async fn commit(
        &mut self,
        offsets: &BTreeMap<TopicPartition, Committed>,
    ) -> Result<(), Error> {
        let by = Committer {
            member_id: self.id.clone(),
            instance_id: self.settings.instance.clone(),
            generation: self.generation,
        };
        self.client.commit(&self.settings.group, &by, offsets).await
    }

    /// Leaves, so that others have its partitions at once. A static member does not: it is expected
    /// back, and its partitions wait for it as long as its session lasts.
    pub async fn leave(mut self) -> Result<(), Error> {
        self.stop_heart();
        if self.id.is_empty() || self.is_static() {
            return Ok(());
        }
        let answered = leave_group(&mut self.client, &self.settings.group, &self.id).await?;
        self.refuse(answered)
    }

    fn forget(&mut self) {
        self.id.clear();
        self.generation = -1;
        self.owned.clear();
    }

    /// An answer to a join or a sync may come as late as the last member does.
    fn round_timeout(&self) -> Duration {
        self.settings.rebalance_timeout.max(REQUEST_TIMEOUT) + LEAVE_TIMEOUT
    }

    fn named(&self) -> String {
        format!("group `{}`", self.settings.group)
    }

    fn refuse(&self, code: ErrorCode) -> Result<(), Error> {
        let what = match code {
            ErrorCode::NONE => return Ok(()),
            ErrorCode::INVALID_SESSION_TIMEOUT => {
                let timeout_ms = millis(self.settings.session_timeout);
                format!("{}, session.timeout.ms={timeout_ms}", self.named())
            }
            ErrorCode::INCONSISTENT_GROUP_PROTOCOL => {
                let names: Vec<_> = self.settings.strategies.iter().map(|s| s.name()).collect();
                format!("{}, partition.assignment.strategy={}", self.named(), names.join(","))
            }
            _ => self.named(),
        };
        Err(Error::refused(what, code, None))
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.stop_heart();
    }
}

/// Waits until a member has worked for longer than `limit`.
async fn too_long(working_since: &mut watch::Receiver<Option<Instant>>, limit: Duration) {
    loop {
        let since = *working_since.borrow_and_update();
        let over = async {
            match since {
                Some(since) => sleep_until(since + limit).await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = over => return,
            changed = working_since.changed() => if changed.is_err() { pending().await },
        }
    }
}

/// What the coordinator says of it.
async fn leave_group(client: &mut Client, group: &str, member: &str) -> Result<ErrorCode, Error> {
    let request = LeaveGroupRequest {
        group_id: group.to_owned(),
        member_id: member.to_owned(),
        members: vec![MemberIdentity { member_id: member.to_owned(), group_instance_id: None }],
    };
    // The shared connection may be waiting for the others' joins.
    let connection = client.connect_coordinator_apart(group).await?;
    let answer = connection.call_within(request, LEAVE_TIMEOUT).await?;
    let of_member = answer.members.first().map_or(answer.error_code, |one| one.error_code);
    Ok(if answer.error_code.is_err() { answer.error_code } else { of_member })
}

/// Whether the group does not know the member any more, or only an older one of it.
pub fn is_lost(error: &Error) -> bool {
    matches!(
        error,
        Error::Refused { code: ErrorCode::UNKNOWN_MEMBER_ID | ErrorCode::ILLEGAL_GENERATION, .. }
    )
}

fn of_topics(partitions: &[TopicPartition]) -> Vec<OfTopic> {
    let topics = by_topic(partitions.iter().cloned()).into_iter();
    topics.map(|(topic, partitions)| OfTopic { topic, partitions }).collect()
}

fn flat(topics: &[OfTopic]) -> Vec<TopicPartition> {
    let of = |of: &OfTopic| {
        let topic = of.topic.clone();
        of.partitions.clone().into_iter().map(move |partition| (topic.clone(), partition))
    };
    topics.iter().flat_map(of).collect()
}

fn millis(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}
