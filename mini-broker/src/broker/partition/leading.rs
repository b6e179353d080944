//! What this broker is to a partition: its leader, one of its followers, or neither. What a leader knows
//! is lab 3's organ, behind its fence. (`Partition.makeLeader`, `makeFollower`.)

use std::collections::BTreeMap;

use uuid::Uuid;
use wire::ErrorCode;
use wire::alter_partition::{AlterPartitionPartition, BrokerState};

use super::{Partition, Turn};
use crate::broker::Refused;
use crate::coordinator::{Assignment, Cluster, NO_LEADER};
use crate::labs::Organ;
use crate::labs::acks::{Acks, Answer, Config, Leader};

pub enum Role {
    /// It keeps no replica, or nobody leads.
    Neither,
    Follower,
    Leader(Leading),
}

/// What belongs to one time of leading.
#[derive(Default)]
pub struct Leading {
    /// `None`: nobody has asked since the election. Ten thousand idle partitions cost nothing.
    organ: Option<Box<Organ<Leader>>>,
    /// What its followers have said with their fetches.
    followers: BTreeMap<i32, Known>,
    /// Another in-sync set is asked for in place of the one of this partition epoch, and the coordinator
    /// has not answered, or has decided something else that is not read yet.
    asking: Option<i32>,
    /// The answer to a question was lost: nobody knows whether it was done, so it is asked again as it was.
    undecided: bool,
    /// It has answered that it decided something else.
    outdated: bool,
}

/// What a leader knows of a follower beside its place in the log.
struct Known {
    /// The epoch of the registration under which it has fetched.
    registration: i64,
    log_start: i64,
    /// Where the leader's log starts, as it was told last.
    told_start: u64,
}

/// A follower, and how far it has come.
pub struct Fetched {
    pub follower: i32,
    /// The epoch of its registration: a fetch from before its last start does not count for it (KIP-903).
    pub registration: i64,
    pub leader_epoch: i32,
    /// It has everything below.
    pub from: u64,
    pub log_start: i64,
}

/// What came of a question for another in-sync set.
pub enum InSyncAnswer {
    Agreed(Assignment),
    /// It was not done, and none before it.
    Refused,
    /// The partition is another one by now, as the log will tell.
    Outdated,
    /// Nobody knows whether it was done. It is asked again.
    Unknown,
}

/// The in-sync set that the leader of a partition wants.
pub struct WantedInSync {
    pub topic_id: Uuid,
    pub partition: AlterPartitionPartition,
}

impl Partition {
    /// Takes what the cluster has agreed on. Whether somebody who waits has something to learn.
    pub fn assign(&mut self, turn: &mut Turn, assignment: Assignment) -> bool {
        let (epoch, known) = (self.assignment.epoch, self.assignment.partition_epoch);
        if epoch == assignment.epoch && assignment.partition_epoch <= known {
            return false; // the coordinator's answer was faster than its log
        }
        let before = std::mem::replace(&mut self.assignment, assignment);
        if before.epoch != self.assignment.epoch {
            self.role = role(self.me, &self.assignment);
            return true;
        }
        if let Role::Leader(leading) = &mut self.role
            && leading.outdated
        {
            (leading.asking, leading.outdated) = (None, false);
        }
        self.agreed(turn);
        if self.leads() {
            self.count_isr_moves(&before.isr);
        }
        before.isr != self.assignment.isr
    }

    fn count_isr_moves(&mut self, before: &[i32]) {
        let (now, moves) = (&self.assignment.isr, &mut self.isr_moves);
        moves.0 += u64::from(before.iter().any(|id| !now.contains(id)));
        moves.1 += u64::from(now.iter().any(|id| !before.contains(id)));
    }

    /// In-sync sets that got smaller, and larger, since this was last asked.
    pub fn take_isr_moves(&mut self) -> (u64, u64) {
        std::mem::take(&mut self.isr_moves)
    }

    /// The coordinator's answer to a question for another in-sync set, asked in this leader epoch.
    pub fn in_sync_answered(&mut self, turn: &mut Turn, epoch: i32, answer: InSyncAnswer) {
        let Role::Leader(leading) = &mut self.role else { return };
        let Some(asked) = leading.asking.take_if(|_| epoch == self.assignment.epoch) else {
            return;
        };
        match answer {
            InSyncAnswer::Agreed(agreed) => {
                if agreed.epoch == epoch && agreed.partition_epoch > self.assignment.partition_epoch
                {
                    let before = std::mem::replace(&mut self.assignment.isr, agreed.isr);
                    self.assignment.partition_epoch = agreed.partition_epoch;
                    self.count_isr_moves(&before);
                }
                self.agreed(turn);
            }
            InSyncAnswer::Refused => self.agreed(turn),
            // What was decided instead may be what an earlier question asked for, whose answer was lost.
            // Until it is read in the log, whoever was to join counts.
            InSyncAnswer::Outdated if asked == self.assignment.partition_epoch => {
                (leading.asking, leading.outdated) = (Some(asked), true);
            }
            InSyncAnswer::Outdated => {}
            InSyncAnswer::Unknown => leading.undecided = true,
        }
    }

    /// Tells the organ which replicas are in sync. If a change was refused, it hears of the old set again.
    fn agreed(&mut self, turn: &mut Turn) {
        if let Role::Leader(leading) = &mut self.role {
            leading.undecided = false;
        }
        let isr = self.assignment.isr.clone();
        self.if_begun(turn, |leader| leader.in_sync_agreed(&isr));
    }

    /// A broker is gone, says the coordinator.
    pub fn gone(&mut self, turn: &mut Turn, broker: i32) {
        if self.assignment.replicas.contains(&broker) {
            self.if_begun(turn, |leader| leader.gone(broker));
        }
    }

    pub fn leads(&self) -> bool {
        matches!(self.role, Role::Leader(_))
    }

    pub fn follows(&self) -> bool {
        matches!(self.role, Role::Follower)
    }

    /// Whether this broker leads it. (Clients look for the leader elsewhere then.)
    pub fn check_leads(&self) -> Result<(), Refused> {
        if self.leads() {
            return Ok(());
        }
        let who = match self.assignment.leader {
            NO_LEADER => "nobody leads it now".into(),
            leader => format!("broker {leader} leads it"),
        };
        let why = format!("{}-{}: {who}", self.topic, self.index);
        Err(Refused::new(ErrorCode::NOT_LEADER_OR_FOLLOWER, why))
    }

    /// A client may say which leader epoch it believes in; −1: it does not (KIP-320).
    pub fn check_epoch(&self, believed: i32) -> Result<(), Refused> {
        let (code, word) = match believed {
            -1 => return Ok(()),
            epoch if epoch < self.assignment.epoch => (ErrorCode::FENCED_LEADER_EPOCH, "older"),
            epoch if epoch > self.assignment.epoch => (ErrorCode::UNKNOWN_LEADER_EPOCH, "newer"),
            _ => return Ok(()),
        };
        let ours = self.assignment.epoch;
        Err(Refused::new(code, format!("leader epoch {believed} is {word} than ours, {ours}")))
    }

    /// Whether a batch may be appended at all.
    pub fn may_append(&mut self, turn: &mut Turn, acks: Acks) -> Result<(), Refused> {
        Ok(self.leader(turn, |leader| leader.may_append(acks))??)
    }

    /// When to answer a batch whose last record has this offset.
    pub fn answer(&mut self, turn: &mut Turn, acks: Acks, last: u64) -> Result<Answer, Refused> {
        self.leader(turn, |leader| leader.answer(acks, last))
    }

    /// A follower fetches from an offset.
    pub fn fetched(&mut self, turn: &mut Turn, fetched: Fetched) -> Result<(), Refused> {
        let Fetched { follower, registration, leader_epoch, from, log_start } = fetched;
        let now_ms = turn.now.mono_ms;
        self.leader(turn, |leader| leader.fetched(now_ms, follower, leader_epoch, from))??;
        if let Role::Leader(leading) = &mut self.role {
            let before = leading.followers.get(&follower);
            let told_start = before.map_or(0, |before| before.told_start);
            self.starts_moved |= before.is_none_or(|before| before.log_start != log_start);
            leading.followers.insert(follower, Known { registration, log_start, told_start });
        }
        Ok(())
    }

    /// Whether a follower is to be told at once that the log starts later than its own. It is told once: it
    /// may take a while until it has deleted as much.
    pub fn starts_later(&mut self, follower: i32, its_start: i64, log_start: u64) -> bool {
        let Role::Leader(leading) = &mut self.role else { return false };
        let Some(known) = leading.followers.get_mut(&follower) else { return false };
        let told = std::mem::replace(&mut known.told_start, log_start);
        told < log_start && its_start < log_start as i64
    }

    /// Where the log starts on every replica that is alive, as far as they have told this leader;
    /// `None`: one of them has not. (`Partition.lowWatermarkIfLeader`.)
    pub fn low_watermark(
        &mut self,
        turn: &mut Turn,
        cluster: &Cluster,
    ) -> Result<Option<u64>, Refused> {
        self.check_leads()?;
        let own = self.log_bounds(turn)?.0;
        let Role::Leader(Leading { followers, .. }) = &self.role else {
            unreachable!("checked above")
        };
        let others = self.assignment.replicas.iter().filter(|id| **id != self.me);
        let alive = others.filter_map(|id| Some((id, cluster.brokers.get(id)?)));
        let alive = alive.filter(|(_, broker)| !broker.fenced);
        let starts = alive.map(|(id, broker)| {
            let known = followers.get(id).filter(|known| known.registration == broker.epoch)?;
            u64::try_from(known.log_start).ok()
        });
        Ok(starts.fold(Some(own), Option::min))
    }

    /// Where an epoch of this log ends, or the next older one that it has.
    pub fn end_of(&mut self, turn: &mut Turn, epoch: i32) -> Result<Option<(i32, u64)>, Refused> {
        let log_end = self.bounds(turn)?.log_end;
        Ok(self.history.epochs.end_of(epoch, log_end))
    }

    /// Where the log of a follower parts from this one, if it does.
    pub fn parts(
        &mut self,
        turn: &mut Turn,
        last_epoch: i32,
        from: u64,
    ) -> Result<Option<(i32, u64)>, Refused> {
        let log_end = self.bounds(turn)?.log_end;
        if last_epoch < 0 {
            return Ok(None); // it has nothing
        }
        Ok(self.history.epochs.diverging(last_epoch, from, log_end))
    }

    /// Where the log ended when this broker was elected: until the high watermark has come here,
    /// nobody knows for certain what is committed (KIP-207).
    pub fn knows_its_watermark(&mut self, turn: &mut Turn) -> Result<bool, Refused> {
        self.leader(turn, |leader| leader.high_watermark() >= leader.epoch_start())
    }

    /// The in-sync set to ask the coordinator for, if there is a reason to and nothing is asked yet. Whoever
    /// is not there, as the cluster knows it, would be refused: it has to fetch again when it is.
    pub fn wanted_in_sync(&mut self, turn: &mut Turn, cluster: &Cluster) -> Option<WantedInSync> {
        let Role::Leader(Leading { organ: Some(_), asking: None, .. }) = &self.role else {
            return None;
        };
        let wanted = self.leader(turn, |leader| leader.wanted_in_sync()).ok()??;
        let Role::Leader(leading) = &mut self.role else { return None };
        let refused = wanted.iter().any(|id| {
            let follower = leading.followers.get(id);
            let known = cluster.brokers.get(id).filter(|broker| !broker.fenced);
            let same =
                known.is_some_and(|known| follower.is_none_or(|it| it.registration == known.epoch));
            !same && !self.assignment.isr.contains(id)
        });
        if refused && !leading.undecided {
            self.agreed(turn);
            return None;
        }
        leading.asking = Some(self.assignment.partition_epoch);
        let with_epochs = wanted.into_iter().map(|broker_id| BrokerState {
            broker_id,
            // Of itself and of those that were in sync before there is nothing new to know.
            broker_epoch: leading.followers.get(&broker_id).map_or(-1, |known| known.registration),
        });
        let partition = AlterPartitionPartition {
            partition_index: self.index,
            leader_epoch: self.assignment.epoch,
            new_isr_with_epochs: with_epochs.collect(),
            partition_epoch: self.assignment.partition_epoch,
            ..Default::default()
        };
        Some(WantedInSync { topic_id: self.topic_id, partition })
    }

    /// When the organ has something to do, in `mono_ms`.
    pub(super) fn leading_deadline(&mut self) -> Option<u64> {
        let Role::Leader(Leading { organ: Some(organ), .. }) = &mut self.role else { return None };
        organ.call(|leader| leader.deadline()).ok().flatten()
    }

    pub(super) fn leading_tick(&mut self, turn: &mut Turn) {
        let now_ms = turn.now.mono_ms;
        self.if_begun(turn, |leader| leader.tick(now_ms));
    }

    pub(super) fn configure_leading(&mut self, turn: &mut Turn) {
        let config = self.leader_config();
        self.if_begun(turn, |leader| leader.configure(config));
    }

    /// Tells the organ, if it has begun to lead. A panic is told of; from then on it answers no more anyway.
    fn if_begun(&mut self, turn: &mut Turn, call: impl FnOnce(&mut Leader)) {
        if let Role::Leader(Leading { organ: Some(_), .. }) = &self.role {
            let _ = self.leader(turn, call);
        }
    }

    fn leader_config(&self) -> Config {
        Config {
            min_in_sync: self.settings.min_insync_replicas as u32,
            lag_time_max_ms: self.settings.lag_time_max_ms,
        }
    }

    /// Calls the organ behind its fence; it begins to lead if it has not yet. Notes whether the high
    /// watermark has moved.
    pub(super) fn leader<R>(
        &mut self,
        turn: &mut Turn,
        call: impl FnOnce(&mut Leader) -> R,
    ) -> Result<R, Refused> {
        self.check_leads()?;
        if let Role::Leader(Leading { organ: None, .. }) = &self.role {
            self.begin_to_lead(turn)?;
        }
        let Role::Leader(Leading { organ: Some(organ), .. }) = &mut self.role else {
            unreachable!("it leads, and has begun to")
        };
        let known = organ.broken().is_some();
        let called = organ.call(|leader| (call(leader), leader.high_watermark()));
        match called {
            Ok((result, high_watermark)) => {
                self.watermark_moved |= high_watermark != self.high_watermark;
                self.high_watermark = high_watermark;
                Ok(result)
            }
            Err(broken) => {
                if !known {
                    self.tell_broken(turn, "acks", &broken);
                }
                Err(broken.into())
            }
        }
    }

    /// The first time that something is asked of a new leader: its epoch starts where its log ends.
    fn begin_to_lead(&mut self, turn: &mut Turn) -> Result<(), Refused> {
        let log_end = self.log_bounds(turn)?.1;
        let epoch = self.assignment.epoch;
        self.epoch_begins(turn, epoch, log_end);
        let (me, config) = (self.me, self.leader_config());
        let Assignment { replicas, isr, .. } = &self.assignment;
        let (now_ms, high_watermark) = (turn.now.mono_ms, self.high_watermark.min(log_end));
        let elected = crate::labs::fenced(|| {
            Leader::elected(me, epoch, replicas, isr, log_end, high_watermark, now_ms, config)
        });
        let leader = elected.inspect_err(|broken| self.tell_broken(turn, "acks", broken))?;
        if let Role::Leader(leading) = &mut self.role {
            leading.organ = Some(Box::new(Organ::new(leader)));
        }
        Ok(())
    }
}

pub fn role(me: i32, assignment: &Assignment) -> Role {
    let Assignment { leader, replicas, .. } = assignment;
    match *leader {
        leader if leader == me => Role::Leader(Leading::default()),
        NO_LEADER => Role::Neither,
        _ if replicas.contains(&me) => Role::Follower,
        _ => Role::Neither,
    }
}
