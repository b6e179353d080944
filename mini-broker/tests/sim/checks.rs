//! What must hold after every step.
//!
//! - Who is in sync, says the coordinator, has every record below the high watermark. A replica that lost
//!   power may lack some until it is in sync anew; if it is made leader because nobody else is in sync,
//!   the run says so, and what is gone is not counted as a loss.
//! - No epoch has two leaders, and where two logs have the same epoch they have the same batch.
//! - The high watermark of a leader never goes back, and never leaves its log.
//! - A follower's log is the leader's below the watermark that it knows.
//! - What was acknowledged to acks=all is below the watermark, on as many replicas as was asked for.

use std::collections::BTreeMap;

use mini_broker::coordinator::Assignment;
use mini_broker::records::batches;

use crate::host::{COORDINATOR, Program};
use crate::logs::{Batch, Key, Logs};
use crate::world::{World, name};

#[derive(Default)]
pub struct Checks {
    pub logs: Logs,
    pub partitions: BTreeMap<Key, Partition>,
    /// The partitions' keys by topic, the newest topic of that name.
    pub keys: BTreeMap<(String, i32), Key>,
    /// The highest watermark of each leader: host, partition, epoch.
    watermarks: BTreeMap<(usize, Key, i32), u64>,
    /// Up to where a follower's log was compared.
    compared: BTreeMap<(usize, Key), u64>,
    /// Replicas that lost records with their machine's power, and how the broker was registered then. Until
    /// it registers anew the coordinator cannot know of it.
    pub damaged: BTreeMap<(usize, Key), i64>,
    /// The registrations that the coordinator knows.
    pub registered: BTreeMap<usize, i64>,
    /// The coordinator has started again, and may have forgotten what it never said.
    pub anew: bool,
    /// What the coordinator has decided since the transcript was written.
    pub changes: Vec<String>,
    /// Below these offsets somebody has asked for records to be deleted.
    deleted: BTreeMap<(String, i32), u64>,
    pub group: crate::member::Known,
}

#[derive(Default)]
pub struct Partition {
    pub topic: String,
    pub is: Option<Assignment>,
    /// What is below the watermark of a leader.
    pub committed: Vec<Batch>,
    /// First offset and number of what was acknowledged to acks=all, and to acks=1.
    pub acknowledged: [Vec<(u64, u64)>; 2],
    leaders: BTreeMap<i32, usize>,
    seen: BTreeMap<(i32, u64), Batch>,
    /// From here on records may be lost, because power was lost everywhere or an election was unclean.
    pub excused_from: Option<u64>,
    /// The last epoch whose leader was elected though it was not in sync, or power may have left it without
    /// records: a leader before it that does not know yet may still take them for committed.
    pub power_epoch: i32,
}

impl Partition {
    pub fn committed_end(&self) -> u64 {
        self.committed.last().map_or(0, |last| last.last + 1)
    }
}

impl Checks {
    pub fn process_gone(&mut self, host: usize) {
        self.watermarks.retain(|(of, ..), _| *of != host);
        self.compared.retain(|(of, _), _| *of != host);
        self.anew |= host == COORDINATOR;
    }

    pub fn deleted(&mut self, topic: &str, index: i32, before: u64) {
        let deleted = self.deleted.entry((topic.into(), index)).or_default();
        *deleted = (*deleted).max(before);
    }

    pub fn deleted_before(&self, topic: &str, index: i32) -> u64 {
        self.deleted.get(&(topic.to_string(), index)).copied().unwrap_or(0)
    }

    pub fn partition(&self, topic: &str, index: i32) -> Option<&Partition> {
        self.partitions.get(self.keys.get(&(topic.to_string(), index))?)
    }

    pub fn committed_end(&self, topic: &str, index: i32) -> u64 {
        self.partition(topic, index).map_or(0, Partition::committed_end)
    }

    /// What a reader got. It must be what was committed.
    pub fn read(
        &self,
        topic: &str,
        index: i32,
        from: u64,
        watermark: u64,
        bytes: &[u8],
    ) -> Result<Vec<(u64, u64)>, String> {
        let mut records = Vec::new();
        let known = self.partition(topic, index);
        for batch in batches(bytes) {
            let batch = batch.map_err(|error| format!("a reader got no batch: {error}"))?;
            let (first, crc) = (batch.header.base_offset as u64, batch.header.crc);
            let committed = known.is_some_and(|known| {
                let at = known.committed.partition_point(|batch| batch.first < first);
                let it = known.committed.get(at);
                it.is_some_and(|it| (it.first, it.crc) == (first, crc))
            });
            let excused = known.is_none_or(|known| known.excused_from.is_some());
            if !committed && !excused {
                return Err(format!(
                    "a reader of {topic}-{index} got what is not committed: {first}"
                ));
            }
            for record in batch.records().map_err(|error| error.to_string())?.iter() {
                let record = record.map_err(|error| error.to_string())?;
                let number = std::str::from_utf8(record.value.unwrap_or_default());
                let number = number.ok().and_then(|text| text.parse().ok()).unwrap_or(0);
                if record.offset as u64 >= watermark {
                    return Err(format!(
                        "a reader of {topic}-{index} got {} too early",
                        record.offset
                    ));
                }
                if record.offset as u64 >= from {
                    records.push((record.offset as u64, number));
                }
            }
        }
        Ok(records)
    }

    /// Whether a replica has a committed batch, or does not need it any more.
    pub fn has(&self, host: usize, key: Key, batch: &Batch) -> bool {
        let partition = &self.partitions[&key];
        if batch.last < self.deleted_before(&partition.topic, key.1) {
            return true;
        }
        let log = self.logs.of(host, key);
        log.is_some_and(|log| log.at(batch.first) == Some(batch))
    }

    /// The first batch from a place on that a replica lacks.
    pub fn lacks(&self, host: usize, key: Key, from: usize) -> Option<Batch> {
        let committed = self.partitions[&key].committed.get(from..).unwrap_or_default();
        committed.iter().find(|batch| !self.has(host, key, batch)).copied()
    }

    /// A leader that power has left without records, because nobody else was in sync, may find only when it
    /// starts how much is gone.
    fn leader_lost_power(&mut self, key: Key) {
        let leader = self.partitions[&key].is.as_ref().map_or(-1, |is| is.leader);
        let host = leader.max(0) as usize;
        if leader >= 0
            && self.damaged.contains_key(&(host, key))
            && let Some(batch) = self.lacks(host, key, 0)
        {
            let partition = self.partitions.get_mut(&key).expect("seen above");
            partition.committed.retain(|it| it.first < batch.first);
            let from = partition.excused_from.get_or_insert(batch.first);
            *from = (*from).min(batch.first);
        }
    }

    /// Whoever is in sync must have everything from a place on.
    pub fn check_in_sync(&self, key: Key, from: usize) -> Result<(), String> {
        let partition = &self.partitions[&key];
        let Some(is) = &partition.is else { return Ok(()) };
        for id in &is.isr {
            let host = *id as usize;
            if self.damaged.contains_key(&(host, key)) {
                continue;
            }
            if let Some(batch) = self.lacks(host, key, from) {
                let found = self.logs.of(host, key).map(|log| (log.end(), log.at(batch.first)));
                return Err(format!(
                    "broker {host} is in sync with {}-{} ({is:?}) and lacks what is committed: \
                     {batch:?}; there is {found:?}",
                    partition.topic, key.1
                ));
            }
        }
        Ok(())
    }
}

impl World {
    /// Looks at what a host's last turn has changed.
    pub fn look(&mut self, host: usize) {
        let touched = std::mem::take(&mut self.hosts[host].disk.lock().touched);
        for (dir, grew) in touched {
            self.look_at_log(host, &dir, grew, false);
        }
        let checked = match self.hosts[host].program {
            Some(Program::Broker(_)) => self.check_broker(host),
            Some(Program::Coordinator(_)) => self.check_coordinator(),
            None => Ok(()),
        };
        for change in std::mem::take(&mut self.checks.changes) {
            self.note(|| format!("decided: {change}"));
        }
        if let Err(why) = checked {
            self.fail(why);
        }
    }

    /// A host has lost power: what is missing now is not forgotten by anybody's fault.
    pub fn power_lost(&mut self, host: usize) {
        let touched = std::mem::take(&mut self.hosts[host].disk.lock().touched);
        for (dir, grew) in touched {
            self.look_at_log(host, &dir, grew, true);
        }
    }

    fn look_at_log(&mut self, host: usize, dir: &str, grew: bool, power_lost: bool) {
        let disk = self.hosts[host].disk.clone();
        for looked in self.checks.logs.look(host, &disk, dir, grew) {
            let key = looked.key;
            let checks = &mut self.checks;
            let partition = checks.partitions.entry(key).or_default();
            let log = checks.logs.of(host, key);
            let new = log.map_or(&[][..], |log| &log.batches[looked.new_from..]);
            let mut conflict = None;
            for batch in new {
                let known = partition.seen.entry((batch.epoch, batch.first)).or_insert(*batch);
                if known != batch {
                    conflict = Some((*known, *batch));
                }
            }
            if let Some((known, batch)) = conflict {
                let dir = dir.to_string();
                return self.fail(format!(
                    "{} has in {dir} another batch than there was in the same epoch: {batch:?}, \
                     not {known:?}",
                    name(host)
                ));
            }
            if looked.shrank {
                checks.compared.remove(&(host, key));
                if power_lost {
                    let registered = checks.registered.get(&host).copied().unwrap_or(-1);
                    checks.damaged.insert((host, key), registered);
                }
                self.checks.leader_lost_power(key);
                if let Err(why) = self.checks.check_in_sync(key, 0) {
                    return self.fail(why);
                }
            }
        }
    }

    fn check_broker(&mut self, host: usize) -> Result<(), String> {
        let Some(broker) = self.hosts[host].broker() else { return Ok(()) };
        let unclean = self.plan.unclean;
        let checks = &mut self.checks;
        for view in broker.partitions() {
            let key = (view.topic_id, view.index);
            let partition = checks.partitions.entry(key).or_default();
            let epoch = view.assignment.epoch;
            let log = checks.logs.of(host, key);
            // A log may end before what was known to be committed, where power was lost.
            let watermark = view.high_watermark.min(log.map_or(0, |log| log.end()));
            let what = || format!("{} {}-{} in epoch {epoch}", name(host), view.topic, view.index);
            if !view.leads {
                let from = checks.compared.entry((host, key)).or_default();
                // Whoever was alone in sync when it had to go has all that counts, and nobody else leads.
                // After an unclean election others lead who have less.
                if !unclean
                    && partition.excused_from.is_none()
                    && view.assignment.leader >= 0
                    && watermark > *from
                    && let Some(log) = log
                {
                    let place = log.batches.partition_point(|batch| batch.first < *from);
                    for batch in &log.batches[place..] {
                        if batch.last >= watermark {
                            break;
                        }
                        let at = partition.committed.partition_point(|it| it.first < batch.first);
                        // It led until a moment ago, and what moved its watermark took the lead from it.
                        let everywhere = partition.is.iter().flat_map(|is| &is.isr).all(|id| {
                            let log = checks.logs.of(*id as usize, key);
                            log.is_some_and(|log| log.at(batch.first) == Some(batch))
                        });
                        if at == partition.committed.len() && everywhere {
                            partition.committed.push(*batch);
                        }
                        let damaged = partition
                            .is
                            .iter()
                            .flat_map(|is| &is.isr)
                            .any(|id| checks.damaged.contains_key(&(*id as usize, key)));
                        let powerless = damaged || partition.power_epoch > batch.epoch;
                        if at == partition.committed.len() && powerless {
                            // Nobody else has it any more: power was lost where it was in sync.
                            partition.excused_from = Some(batch.first);
                            break;
                        }
                        if partition.committed.get(at) != Some(batch) {
                            let wanted = partition.committed.get(at);
                            return Err(format!(
                                "{} has {batch:?} below its high watermark {}, not {wanted:?}",
                                what(),
                                watermark
                            ));
                        }
                        *from = batch.last + 1;
                    }
                }
                continue;
            }
            let leader = *partition.leaders.entry(epoch).or_insert(host);
            if leader != host {
                return Err(format!("{} leads, and so does broker {leader}", what()));
            }
            let new = !checks.watermarks.contains_key(&(host, key, epoch));
            let highest = checks.watermarks.entry((host, key, epoch)).or_default();
            if watermark < *highest {
                return Err(format!(
                    "{}: the high watermark goes from {highest} to {watermark}",
                    what()
                ));
            }
            *highest = watermark;
            let before = partition.committed.len();
            let committed_end = partition.committed_end();
            if watermark > committed_end
                && let Some(log) = log
            {
                let place = log.batches.partition_point(|batch| batch.first < committed_end);
                let more = log.batches[place..].iter().take_while(|batch| batch.last < watermark);
                if epoch >= partition.power_epoch {
                    partition.committed.extend(more);
                } else if more.count() > 0 {
                    let from = partition.excused_from.get_or_insert(committed_end);
                    *from = (*from).min(committed_end);
                }
            }
            let grew = partition.committed.len() > before;
            let damaged = checks.damaged.contains_key(&(host, key));
            if new
                && !damaged
                && partition.is.as_ref().is_some_and(|is| is.epoch == epoch)
                && let Some(batch) = checks.lacks(host, key, 0)
            {
                return Err(format!("{} leads and lacks what is committed: {batch:?}", what()));
            }
            if grew {
                checks.check_in_sync(key, before)?;
            }
        }
        Ok(())
    }
}
