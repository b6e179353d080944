//! DeleteRecords: what the administrator is told must be so. Who says that records are deleted has waited until
//! the log starts there on every replica that was alive.

use std::collections::BTreeMap;

use mini_broker::coordinator::Registration;
use wire::ErrorCode;
use wire::delete_records::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsResponse, DeleteRecordsTopic,
};

use crate::host::{COORDINATOR, Program};
use crate::logs::Log;
use crate::world::{BROKERS, World, name};

/// The partition of which records are deleted.
const INDEX: i32 = 0;

/// Under this name it is counted how often a broker came or went.
pub const COMINGS: &str = "brokers that came or went";

/// What was asked for, and how things were then.
pub struct Deletion {
    topic: &'static str,
    before: u64,
    leader: usize,
    /// Each host's process.
    lives: Vec<u32>,
    /// The brokers, if all that count know the same of them.
    brokers: Option<BTreeMap<i32, Registration>>,
    /// How often one of them had come or gone.
    comings: u64,
}

impl World {
    /// Records are about to be deleted; gives the request for it.
    pub fn begin_deletion(
        &mut self,
        topic: &'static str,
        before: u64,
        leader: usize,
    ) -> (Deletion, DeleteRecordsRequest) {
        self.checks.deleted(topic, INDEX, before);
        self.counts.add("deletions", 1);
        let lives = self.hosts.iter().map(|host| host.life).collect();
        let (brokers, comings) = (self.brokers(leader), self.comings());
        let deletion = Deletion { topic, before, leader, lives, brokers, comings };
        let partition = DeleteRecordsPartition { partition_index: INDEX, offset: before as i64 };
        let topic = DeleteRecordsTopic { name: topic.into(), partitions: vec![partition] };
        (deletion, DeleteRecordsRequest { topics: vec![topic], timeout_ms: 2_000 })
    }

    fn comings(&self) -> u64 {
        self.counts.0.get(COMINGS).copied().unwrap_or(0)
    }

    /// The brokers as the coordinator knows them, if a leader does not know other ones.
    fn brokers(&self, leader: usize) -> Option<BTreeMap<i32, Registration>> {
        let Some(Program::Coordinator(coordinator)) = &self.hosts[COORDINATOR].program else {
            return None;
        };
        let known = &coordinator.cluster().brokers;
        (self.hosts[leader].broker()?.cluster().brokers == *known).then(|| known.clone())
    }

    pub fn deletion_answered(&mut self, deletion: &Deletion, told: &DeleteRecordsResponse) {
        let told = &told.topics[0].partitions[0];
        match told.error_code {
            ErrorCode::NONE => self.counts.add("deletions done", 1),
            ErrorCode::REQUEST_TIMED_OUT => return self.counts.add("deletions timed out", 1),
            _ => return,
        }
        let Deletion { topic, before, leader, .. } = deletion;
        if told.low_watermark < *before as i64 {
            let low = told.low_watermark;
            return self.fail(format!("{topic}-{INDEX}: deleted before {before}, it says {low}"));
        }
        // Whoever came or went in between may have been counted, or not.
        let Some(brokers) = &deletion.brokers else { return };
        if self.comings() != deletion.comings || self.brokers(*leader).as_ref() != Some(brokers) {
            return;
        }
        for host in (1..=BROKERS).filter(|host| !brokers[&(*host as i32)].fenced) {
            if self.hosts[host].life != deletion.lives[host] {
                continue;
            }
            let Some(start) = self.log_start(host, topic, INDEX) else { continue };
            if start < told.low_watermark as u64 {
                let low = told.low_watermark;
                return self.fail(format!(
                    "{topic}-{INDEX}: the answer says that all logs start at {low}, that of {} \
                     does at {start}",
                    name(host)
                ));
            }
        }
        self.counts.add("deletions looked at everywhere", 1);
    }

    /// Where a broker's log starts.
    pub fn log_start(&self, host: usize, topic: &str, index: i32) -> Option<u64> {
        let mut all = self.hosts[host].broker()?.partitions();
        let view = all.find(|it| it.topic == topic && it.index == index)?;
        let log = self.checks.logs.of(host, (view.topic_id, index));
        Some(view.deleted_before.max(log.map_or(0, Log::start)))
    }
}
