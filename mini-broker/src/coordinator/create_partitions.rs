//! CreatePartitions: a topic grows. Its new partitions are empty; what lies in the others stays where
//! it is, also where a key would now go elsewhere. (`ReplicationControlManager.createPartitions`.)

use wire::ErrorCode;
use wire::topics::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreatePartitionsTopic,
    CreatePartitionsTopicResult,
};

use super::create_topics::{check_count, named_twice};
use super::{Coordinator, MOST_PARTITIONS};
use crate::node::{Now, Output, Refused};

impl Coordinator {
    pub(super) fn create_partitions(
        &mut self,
        now: Now,
        request: CreatePartitionsRequest,
        out: &mut Vec<Output>,
    ) -> CreatePartitionsResponse {
        let twice = named_twice(request.topics.iter().map(|topic| &topic.name));
        let answered = |name, done: Result<(), Refused>| {
            let (error_code, error_message) = Refused::told(done);
            CreatePartitionsTopicResult { name, error_code, error_message }
        };
        let mut results = Vec::with_capacity(request.topics.len());
        for topic in request.topics {
            if !twice.contains(&topic.name) {
                let grown = self.grow(now, &topic, request.validate_only, out);
                results.push(answered(topic.name, grown));
            }
        }
        results.extend(twice.into_iter().map(|name| answered(name, Err(Refused::named_twice()))));
        CreatePartitionsResponse { results, ..Default::default() }
    }

    fn grow(
        &mut self,
        now: Now,
        topic: &CreatePartitionsTopic,
        validate_only: bool,
        out: &mut Vec<Output>,
    ) -> Result<(), Refused> {
        let CreatePartitionsTopic { name, count, assignments } = topic;
        let known = self.cluster.topics.get(name).ok_or_else(Refused::unknown_topic)?;
        let id = known.id;
        let have: Vec<_> = known.partitions.iter().map(|is| is.replicas.clone()).collect();
        let invalid = |why: String| Err(Refused::new(ErrorCode::INVALID_PARTITIONS, why));
        let add = match i64::from(*count) - have.len() as i64 {
            0 => return invalid(format!("Topic already has {count} partition(s).")),
            less if less < 0 => {
                return invalid(format!(
                    "The topic {name} currently has {} partition(s); {count} would not be an \
                     increase.",
                    have.len()
                ));
            }
            // Kafka tries, and takes its time: two million partitions keep it busy for a minute.
            _ if *count as usize > MOST_PARTITIONS => {
                let why = format!("A topic has 1 to {MOST_PARTITIONS} partitions, not {count}.");
                return Err(Refused::new(ErrorCode::POLICY_VIOLATION, why));
            }
            add => add as u32,
        };
        let factor = have.first().map_or(1, Vec::len);
        let placed = match assignments {
            None => self.spread(name, &have, add, factor as u16, out)?,
            Some(assignments) => {
                if assignments.len() != add as usize {
                    let why = format!(
                        "Attempted to add {add} additional partition(s), but only {} assignment(s) \
                         were specified.",
                        assignments.len()
                    );
                    return Err(Refused::new(ErrorCode::INVALID_REPLICA_ASSIGNMENT, why));
                }
                for assignment in assignments {
                    self.check_assignment(&assignment.broker_ids, Some(factor))?;
                }
                assignments.iter().map(|assignment| assignment.broker_ids.clone()).collect()
            }
        };
        check_count(have.len() + placed.len())?;
        let new = placed.into_iter().zip(have.len() as i32..);
        let records = new.map(|(replicas, index)| self.new_partition(id, index, replicas));
        let records = records.collect::<Result<_, _>>()?;
        if validate_only { Ok(()) } else { self.append(now, records) }
    }
}
