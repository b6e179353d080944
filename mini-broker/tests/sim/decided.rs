//! What the coordinator decides, and what producers are told: checked against what lies on the disks.

use mini_broker::coordinator::{Assignment, Cluster};

use crate::host::{COORDINATOR, Program};
use crate::world::World;

impl World {
    pub fn check_coordinator(&mut self) -> Result<(), String> {
        let Some(Program::Coordinator(coordinator)) = &self.hosts[COORDINATOR].program else {
            return Ok(());
        };
        let anew = std::mem::take(&mut self.checks.anew);
        let cluster: &Cluster = coordinator.cluster();
        let checks = &mut self.checks;
        for (id, broker) in &cluster.brokers {
            checks.registered.insert(*id as usize, broker.epoch);
        }
        for (key, partition) in &mut checks.partitions {
            // Of a topic that is deleted nobody has to keep anything.
            if partition.is.is_some() && cluster.name_of(key.0).is_none() {
                partition.is = None;
            }
        }
        for (topic, known) in &cluster.topics {
            for (is, index) in known.partitions.iter().zip(0..) {
                let key = (known.id, index);
                let partition = checks.partitions.entry(key).or_default();
                if partition.is.as_ref() == Some(is) {
                    continue;
                }
                if partition.topic.is_empty() {
                    partition.topic.clone_from(topic);
                    checks.keys.insert((topic.clone(), index), key);
                }
                let Assignment { leader, epoch, isr, partition_epoch, .. } = is;
                checks.changes.push(format!(
                    "{topic}-{index}: leader {leader} epoch {epoch} isr {isr:?} p{partition_epoch}"
                ));
                let was = partition.is.replace(is.clone());
                if let Some(was) = &was {
                    for id in is.isr.iter().filter(|id| !was.isr.contains(id) && !anew) {
                        let host = *id as usize;
                        let then = checks.damaged.get(&(host, key));
                        if then.is_some_and(|then| checks.registered[&host] != *then) {
                            checks.damaged.remove(&(host, key));
                        }
                    }
                    if was.epoch != is.epoch && is.leader >= 0 {
                        self.counts.add("elections", 1);
                    }
                    self.counts.add("changes of in-sync sets", u64::from(was.isr != is.isr));
                }
                let host = is.leader as usize;
                let elected =
                    is.leader >= 0 && was.as_ref().is_some_and(|was| was.epoch != is.epoch);
                // Of several changes at once only the last is seen here.
                let at_once =
                    was.as_ref().is_some_and(|was| was.partition_epoch + 1 == is.partition_epoch);
                let unclean =
                    elected && was.as_ref().is_some_and(|was| !was.isr.contains(&is.leader));
                if unclean && at_once && !anew {
                    if !self.plan.unclean {
                        return Err(format!("{topic}-{index}: {is:?} was elected after {was:?}"));
                    }
                    self.counts.add("unclean elections", 1);
                }
                if elected && (unclean || checks.damaged.contains_key(&(host, key))) {
                    let partition = checks.partitions.get_mut(&key).expect("seen above");
                    partition.power_epoch = is.epoch;
                }
                if elected
                    && (self.plan.unclean || checks.damaged.contains_key(&(host, key)))
                    && let Some(batch) = checks.lacks(host, key, 0)
                {
                    if !unclean
                        && !checks.damaged.contains_key(&(host, key))
                        && checks.partitions[&key].excused_from.is_none()
                    {
                        return Err(format!("{topic}-{index}: {is:?} lacks {batch:?}"));
                    }
                    self.counts.add("elections of whom power had left", u64::from(!unclean));
                    let partition = checks.partitions.get_mut(&key).expect("seen above");
                    partition.committed.retain(|it| it.first < batch.first);
                    let from = partition.excused_from.get_or_insert(batch.first);
                    *from = (*from).min(batch.first);
                }
                checks.check_in_sync(key, 0)?;
            }
        }
        Ok(())
    }

    /// A producer was told that its batch is written.
    pub fn acknowledged(
        &mut self,
        topic: &str,
        index: i32,
        acks: i16,
        numbers: std::ops::Range<u64>,
        at: u64,
    ) {
        self.counts.add(if acks == -1 { "acknowledged to all" } else { "acknowledged to 1" }, 1);
        let Some(key) = self.checks.keys.get(&(topic.to_string(), index)).copied() else { return };
        if topic == crate::admin::FICKLE {
            return; // nobody knows in which of the topics of this name it is
        }
        let last = at + (numbers.end - numbers.start) - 1;
        let checks = &mut self.checks;
        let partition = checks.partitions.get_mut(&key).expect("it has a key");
        partition.acknowledged[usize::from(acks != -1)].extend((at..).zip(numbers.clone()));
        if acks != -1 || partition.excused_from.is_some() {
            return;
        }
        if partition.committed_end() <= last {
            let end = partition.committed_end();
            return self.fail(format!("{topic}-{index}: {at} is acknowledged, {end} committed"));
        }
        let place = partition.committed.partition_point(|batch| batch.last < at);
        let batch = partition.committed[place];
        let holders = (1..=crate::world::BROKERS).filter(|host| {
            checks.has(*host, key, &batch) || checks.damaged.contains_key(&(*host, key))
        });
        let holders = holders.count();
        if topic == crate::admin::SAFE && holders < 2 {
            self.fail(format!("{topic}-{index}: {at} is acknowledged, and only {holders} have it"));
        }
    }
}
