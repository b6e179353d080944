//! Who leads: elections when brokers come and go, the in-sync sets that leaders ask for, and the way
//! back to preferred leaders. (`ReplicationControlManager`, `PartitionChangeBuilder`.)

use std::collections::BTreeSet;

use uuid::Uuid;
use wire::ErrorCode;
use wire::alter_partition::{
    AlterPartitionPartition, AlterPartitionPartitionResponse, AlterPartitionRequest,
    AlterPartitionResponse, AlterPartitionTopicResponse,
};
use wire::elect_leaders::{
    ElectLeadersRequest, ElectLeadersResponse, PartitionResult, ReplicaElectionResult,
    TopicPartitions, election_type,
};

use super::{Assignment, Coordinator, NO_LEADER, Record};
use crate::configs::TopicSettings;
use crate::labs::{acks, fenced};
use crate::node::{Event, Now, Output, Refused};

/// The setting of a topic that lets a replica lead that was not in sync.
pub const UNCLEAN: &str = "unclean.leader.election.enable";

/// A partition that is looked at.
struct Seat<'a> {
    topic: &'a str,
    id: Uuid,
    index: i32,
    is: &'a Assignment,
    unclean: bool,
}

impl Coordinator {
    /// What changes when a broker takes no part any more. It stays in an in-sync set only as the last
    /// one: nobody else has every record.
    pub(super) fn without(&self, broker: i32, out: &mut Vec<Output>) -> Vec<Record> {
        let mut alive = self.cluster.live();
        alive.retain(|id| *id != broker);
        let touched = |is: &Assignment| is.leader == broker || is.isr.contains(&broker);
        let seats = self.seats().filter(|seat| touched(seat.is));
        let changes = seats.filter_map(|seat| {
            let mut isr = seat.is.isr.clone();
            isr.retain(|id| *id != broker);
            if isr.is_empty() {
                isr.push(broker);
            }
            let leader = match seat.is.leader {
                leader if leader != broker => leader,
                _ => elected(&seat, &isr, &alive, out),
            };
            change(&seat, isr, leader)
        });
        changes.collect()
    }

    /// What changes when a broker takes part again: it may lead what nobody could.
    pub(super) fn with(&self, broker: i32, out: &mut Vec<Output>) -> Vec<Record> {
        let mut alive = self.cluster.live();
        alive.push(broker);
        let waiting = |is: &Assignment| is.leader == NO_LEADER && is.replicas.contains(&broker);
        self.elections(&alive, waiting, out)
    }

    /// What changes where a setting now lets a partition have a leader.
    pub(super) fn with_settings(&self, out: &mut Vec<Output>) -> Vec<Record> {
        self.elections(&self.cluster.live(), |is| is.leader == NO_LEADER, out)
    }

    fn elections(
        &self,
        alive: &[i32],
        wanted: impl Fn(&Assignment) -> bool,
        out: &mut Vec<Output>,
    ) -> Vec<Record> {
        let seats = self.seats().filter(|seat| wanted(seat.is));
        let changes = seats.filter_map(|seat| {
            let leader = elected(&seat, &seat.is.isr, alive, out);
            change(&seat, seat.is.isr.clone(), leader)
        });
        changes.collect()
    }

    fn seats(&self) -> impl Iterator<Item = Seat<'_>> {
        self.cluster.topics.iter().flat_map(|(name, topic)| {
            let unclean = TopicSettings::new(&self.config, &topic.configs).unclean_election;
            let partitions = topic.partitions.iter().zip(0..);
            partitions.map(move |(is, index)| Seat {
                topic: name,
                id: topic.id,
                index,
                is,
                unclean,
            })
        })
    }

    fn seat<'a>(&'a self, topic: &'a str, index: i32) -> Result<Seat<'a>, Refused> {
        let unknown = || Refused::unknown_partition(topic, index);
        let known = self.cluster.topics.get(topic).ok_or_else(unknown)?;
        let is = self.cluster.partition(topic, index).ok_or_else(unknown)?;
        let unclean = TopicSettings::new(&self.config, &known.configs).unclean_election;
        Ok(Seat { topic, id: known.id, index, is, unclean })
    }

    /// A leader asks for other in-sync sets. It is told what they are now.
    pub(super) fn alter_partition(
        &mut self,
        now: Now,
        request: AlterPartitionRequest,
    ) -> AlterPartitionResponse {
        let broker = request.broker_id;
        if let Err(refused) = self.check_broker_epoch(broker, request.broker_epoch) {
            return AlterPartitionResponse { error_code: refused.code, ..Default::default() };
        }
        let topics = request.topics.into_iter().map(|topic| {
            let partitions = topic.partitions.into_iter().map(|wanted| {
                let altered = self.alter_in_sync(now, broker, topic.topic_id, &wanted);
                let mut answer = AlterPartitionPartitionResponse {
                    partition_index: wanted.partition_index,
                    ..Default::default()
                };
                match altered {
                    Ok(is) => {
                        answer.leader_id = is.leader;
                        answer.leader_epoch = is.epoch;
                        answer.isr = is.isr;
                        answer.partition_epoch = is.partition_epoch;
                    }
                    Err(refused) => answer.error_code = refused.code,
                }
                answer
            });
            let partitions = partitions.collect();
            AlterPartitionTopicResponse { topic_id: topic.topic_id, partitions }
        });
        AlterPartitionResponse { topics: topics.collect(), ..Default::default() }
    }

    fn alter_in_sync(
        &mut self,
        now: Now,
        broker: i32,
        topic: Uuid,
        wanted: &AlterPartitionPartition,
    ) -> Result<Assignment, Refused> {
        let refuse = |code, why: String| Err(Refused::new(code, why));
        let index = wanted.partition_index;
        let name = self.cluster.name_of(topic).map(str::to_string).ok_or_else(|| {
            Refused::new(ErrorCode::UNKNOWN_TOPIC_ID, format!("there is no topic {topic}"))
        })?;
        let is = self.seat(&name, index)?.is.clone();
        if wanted.leader_epoch > is.epoch || wanted.partition_epoch > is.partition_epoch {
            let why = format!("{name}-{index} has not come so far here: others decide about it");
            return refuse(ErrorCode::NOT_CONTROLLER, why);
        }
        if wanted.leader_epoch < is.epoch {
            let why = format!("leader epoch {} is over, it is {}", wanted.leader_epoch, is.epoch);
            return refuse(ErrorCode::FENCED_LEADER_EPOCH, why);
        }
        if is.leader != broker {
            let why = format!("broker {} leads {name}-{index}, not {broker}", is.leader);
            return refuse(ErrorCode::INVALID_REQUEST, why);
        }
        if wanted.partition_epoch != is.partition_epoch {
            let (theirs, ours) = (wanted.partition_epoch, is.partition_epoch);
            let why = format!("partition epoch {theirs} is not the last, which is {ours}");
            return refuse(ErrorCode::INVALID_UPDATE_VERSION, why);
        }
        // In version 2 they come without epochs; here only our own brokers ask, in version 3.
        let named = wanted.new_isr_with_epochs.iter();
        let isr: BTreeSet<i32> = named.clone().map(|replica| replica.broker_id).collect();
        let once = isr.len() == named.len();
        if !once || !isr.contains(&broker) || isr.iter().any(|id| !is.replicas.contains(id)) {
            let why = format!("{isr:?} is not a part of {:?} with its leader", is.replicas);
            return refuse(ErrorCode::INVALID_REQUEST, why);
        }
        for replica in named {
            let known = self.cluster.brokers.get(&replica.broker_id);
            let eligible = known.is_some_and(|known| {
                let same = replica.broker_epoch == -1 || replica.broker_epoch == known.epoch;
                same && !known.fenced
            });
            if !eligible {
                let (id, epoch) = (replica.broker_id, replica.broker_epoch);
                let why = format!("broker {id} is fenced, or not that of epoch {epoch} any more");
                return refuse(ErrorCode::INELIGIBLE_REPLICA, why);
            }
        }
        // As everywhere: the preferred leader first.
        let isr = is.replicas.iter().copied().filter(|id| isr.contains(id)).collect();
        let record = change(&self.seat(&name, index)?, isr, is.leader);
        self.append(now, record.into_iter().collect())?;
        Ok(self.seat(&name, index)?.is.clone())
    }

    /// An admin asks for elections.
    pub(super) fn elect_leaders(
        &mut self,
        now: Now,
        request: ElectLeadersRequest,
        out: &mut Vec<Output>,
    ) -> ElectLeadersResponse {
        let unclean = request.election_type == election_type::UNCLEAN;
        if !unclean && request.election_type != election_type::PREFERRED {
            let why = format!("Unknown election type {}", request.election_type);
            let refused = Refused::new(ErrorCode::INVALID_REQUEST, why);
            return no_elections(request, &refused);
        }
        // Of all partitions only those are told of that have a new leader now.
        let all = request.topic_partitions.is_none();
        let wanted = request.topic_partitions.unwrap_or_else(|| {
            let topics = self.cluster.topics.iter().map(|(name, topic)| TopicPartitions {
                topic: name.clone(),
                partitions: (0..topic.partitions.len() as i32).collect(),
            });
            topics.collect()
        });
        let mut results = Vec::new();
        for TopicPartitions { topic, partitions } in wanted {
            let mut partition_result = Vec::new();
            for partition_id in partitions {
                let elected = self.elect_one(now, &topic, partition_id, unclean, out);
                let needed = !matches!(&elected, Err(refused)
                    if refused.code == ErrorCode::ELECTION_NOT_NEEDED);
                if needed || !all {
                    let (error_code, error_message) = Refused::told(elected);
                    let result = PartitionResult { partition_id, error_code, error_message };
                    partition_result.push(result);
                }
            }
            if !partition_result.is_empty() {
                results.push(ReplicaElectionResult { topic, partition_result });
            }
        }
        ElectLeadersResponse { replica_election_results: results, ..Default::default() }
    }

    fn elect_one(
        &mut self,
        now: Now,
        topic: &str,
        index: i32,
        unclean: bool,
        out: &mut Vec<Output>,
    ) -> Result<(), Refused> {
        let mut seat = self.seat(topic, index)?;
        let alive = self.cluster.live();
        let leader = if unclean {
            if seat.is.leader != NO_LEADER {
                return Err(not_needed());
            }
            seat.unclean = true;
            elected(&seat, &seat.is.isr, &alive, out)
        } else {
            let preferred = seat.is.replicas[0];
            if seat.is.leader == preferred {
                return Err(not_needed());
            }
            match seat.is.isr.contains(&preferred) && alive.contains(&preferred) {
                true => preferred,
                false => NO_LEADER,
            }
        };
        if leader == NO_LEADER {
            let (code, why) = match unclean {
                true => (
                    ErrorCode::ELIGIBLE_LEADERS_NOT_AVAILABLE,
                    "Eligible topic partition leaders are not available.",
                ),
                false => (
                    ErrorCode::PREFERRED_LEADER_NOT_AVAILABLE,
                    "The preferred leader was not available.",
                ),
            };
            return Err(Refused::new(code, why));
        }
        let record = change(&seat, seat.is.isr.clone(), leader);
        self.append(now, record.into_iter().collect())
    }

    /// Looks soon, if anything is to be looked at at all, whether leaders can go back to where they are
    /// preferred.
    pub(super) fn rebalance_later(&mut self, now: Now) {
        let every_ms = self.config.number("leader.imbalance.check.interval.seconds") as u64 * 1000;
        if self.config.flag("auto.leader.rebalance.enable") {
            self.rebalance_at.get_or_insert(now.mono_ms + every_ms);
        }
    }

    /// Lets preferred leaders lead again that are back in sync. (As Kafka with KRaft: the
    /// `leader.imbalance.per.broker.percentage` of old is not looked at.)
    pub(super) fn rebalance(&mut self, now: Now, out: &mut Vec<Output>) {
        if self.rebalance_at.is_none_or(|at| at > now.mono_ms) {
            return;
        }
        self.rebalance_at = None;
        let alive = self.cluster.live();
        let mut records = Vec::new();
        let mut not_yet = false;
        for seat in self.seats() {
            let preferred = seat.is.replicas[0];
            let leader = match seat.is.leader {
                leader if leader == preferred => continue,
                _ if seat.is.isr.contains(&preferred) && alive.contains(&preferred) => preferred,
                // An election that could not be written down when it was due.
                NO_LEADER => elected(&seat, &seat.is.isr, &alive, out),
                other => other,
            };
            not_yet |= leader != preferred;
            records.extend(change(&seat, seat.is.isr.clone(), leader));
        }
        let back = records.len();
        let failed = self.append(now, records).is_err();
        if back > 0 && !failed {
            out.push(Output::Tell(Event::LeadersReturned { partitions: back }));
        }
        if not_yet || failed {
            self.rebalance_later(now);
        }
    }
}

/// The answer that says of every election that was asked for why it was not held.
pub fn no_elections(request: ElectLeadersRequest, refused: &Refused) -> ElectLeadersResponse {
    let result = |partition_id| PartitionResult {
        partition_id,
        error_code: refused.code,
        error_message: Some(refused.why.clone()),
    };
    let named = request.topic_partitions.unwrap_or_default().into_iter();
    let results = named.map(|TopicPartitions { topic, partitions }| ReplicaElectionResult {
        topic,
        partition_result: partitions.into_iter().map(result).collect(),
    });
    let replica_election_results = results.collect();
    let error_code = refused.code;
    ElectLeadersResponse { error_code, replica_election_results, ..Default::default() }
}

fn not_needed() -> Refused {
    let why = "Leader election not needed for topic partition.";
    Refused::new(ErrorCode::ELECTION_NOT_NEEDED, why)
}

/// Asks the organ of lab 3 who leads. What it says is checked: a leader that is no replica would have
/// nothing to lead.
fn elected(seat: &Seat, isr: &[i32], alive: &[i32], out: &mut Vec<Output>) -> i32 {
    let Seat { topic, index, is, unclean, .. } = seat;
    match fenced(|| acks::elect(&is.replicas, isr, alive, *unclean)) {
        Ok(Some(leader)) if is.replicas.contains(&leader) => leader,
        Ok(_) => NO_LEADER,
        Err(broken) => {
            let (lab, what, so) = ("acks", format!("{topic}-{index}"), "gets no leader");
            out.push(Output::Tell(Event::OrganBroke { lab, what, so, broken }));
            NO_LEADER
        }
    }
}

/// The record that makes a partition so, if it is not. Whoever leads without having been in sync is
/// the only one in sync from then on: the others do not have what it will write.
fn change(seat: &Seat, isr: Vec<i32>, leader: i32) -> Option<Record> {
    let isr = match leader {
        NO_LEADER => isr,
        leader if isr.contains(&leader) => isr,
        unclean => vec![unclean],
    };
    let Seat { id, index, is, .. } = *seat;
    let isr = (isr != is.isr).then_some(isr);
    let leader = (leader != is.leader).then_some(leader);
    if isr.is_none() && leader.is_none() {
        return None;
    }
    Some(Record::PartitionChange { topic: id, index, isr, leader })
}
