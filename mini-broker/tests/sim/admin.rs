//! An administrator: makes topics through any broker, and now and then changes something.

use wire::configs::{
    IncrementalAlterConfigsRequest, IncrementalAlterConfigsResource, IncrementalAlterableConfig,
    resource,
};
use wire::elect_leaders::{ElectLeadersRequest, election_type};
use wire::topics::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest, DeleteTopicsRequest,
};
use wire::{ErrorCode, Request, Response};

use crate::clients::{Does, leader_in};
use crate::deletions::Deletion;
use crate::planted::Planted;
use crate::world::World;

/// acks=all needs two replicas here.
pub const SAFE: &str = "safe";
/// Here one is enough, at times.
pub const LOOSE: &str = "loose";
/// It is deleted, and made again.
pub const FICKLE: &str = "fickle";

pub const TOPICS: [&str; 3] = [SAFE, LOOSE, FICKLE];

#[derive(Default)]
pub struct Admin {
    asked: Option<(u32, u32)>,
    made: [bool; 3],
    making: Option<usize>,
    /// Where it is to delete records, once it knows the leader.
    deletes: Option<u64>,
    deletion: Option<Deletion>,
    pub ends: bool,
}

impl World {
    fn admin(&mut self, client: usize) -> &mut Admin {
        match &mut self.clients[client].does {
            Does::Administer(admin) => admin,
            _ => unreachable!("it is an administrator"),
        }
    }

    pub fn admin_wakes(&mut self, client: usize) -> Option<u64> {
        let it = self.admin(client);
        if it.asked.is_some() {
            return Some(50_000);
        }
        if let Some(topic) = it.made.iter().position(|made| !made) {
            it.making = Some(topic);
            let request = self.creation(TOPICS[topic]);
            self.administer(client, request);
            return Some(100_000);
        }
        if it.ends {
            return Some(500_000);
        }
        let request: Option<Request> = match self.dice.below(12) {
            0 => {
                self.admin(client).made[2] = false;
                let topic_names = vec![FICKLE.into()];
                Some(DeleteTopicsRequest { topic_names, timeout_ms: 5_000 }.into())
            }
            1 | 2 => Some(self.election()),
            3 => {
                let value = self.dice.between(1, 2).to_string();
                self.counts.add("settings changed", 1);
                Some(setting(LOOSE, "min.insync.replicas", value))
            }
            4 if self.plan.unclean => {
                let value = self.dice.chance(500).to_string();
                Some(setting(LOOSE, "unclean.leader.election.enable", value))
            }
            5..=8 if self.plan.deletes_records => {
                let end = self.checks.committed_end(SAFE, 0);
                let offset = self.dice.below(end + 1);
                self.admin(client).deletes = Some(offset);
                let asked = self.ask_for_leaders(client, SAFE);
                self.admin(client).asked = asked;
                None
            }
            _ => None,
        };
        if let Some(request) = request {
            self.administer(client, request);
        }
        Some(self.dice.between(200_000, 1_500_000))
    }

    fn administer(&mut self, client: usize, request: Request) {
        let broker = self.any_broker();
        let what = crate::net::name_of(&request);
        self.note(|| format!("admin asks broker {broker}: {what}"));
        let asked = self.ask(client, broker, request);
        self.admin(client).asked = asked;
    }

    fn creation(&mut self, topic: &str) -> Request {
        let config = |name: &str, value: String| CreatableTopicConfig {
            name: name.into(),
            value: Some(value),
        };
        let ignored = self.plan.planted == Planted::MinimumIgnored;
        let min = if topic == SAFE && !ignored { "2" } else { "1" };
        let topic = CreatableTopic {
            name: topic.into(),
            num_partitions: self.plan.partitions,
            replication_factor: 3,
            configs: vec![
                config("min.insync.replicas", min.into()),
                config("segment.bytes", self.dice.between(1024, 6000).to_string()),
            ],
            ..Default::default()
        };
        CreateTopicsRequest { topics: vec![topic], timeout_ms: 5_000, validate_only: false }.into()
    }

    fn election(&mut self) -> Request {
        let unclean = self.plan.unclean && self.dice.chance(500);
        let election_type = match unclean {
            true => election_type::UNCLEAN,
            false => election_type::PREFERRED,
        };
        let topic_partitions = None;
        ElectLeadersRequest { election_type, topic_partitions, timeout_ms: 5_000 }.into()
    }

    pub fn admin_answered(&mut self, client: usize, key: (u32, u32), body: Response) {
        let it = self.admin(client);
        if it.asked != Some(key) {
            return;
        }
        it.asked = None;
        match body {
            Response::CreateTopics(told) => {
                let code = told.topics[0].error_code;
                if (code.is_ok() || code == ErrorCode::TOPIC_ALREADY_EXISTS)
                    && let Some(topic) = it.making.take()
                {
                    it.made[topic] = true;
                }
            }
            Response::DeleteTopics(told) if told.responses[0].error_code.is_ok() => {
                self.counts.add("topics deleted", 1);
            }
            Response::Metadata(told) => {
                let (Some(before), Some(leader)) = (it.deletes.take(), leader_in(&told, SAFE, 0))
                else {
                    return;
                };
                let (deletion, request) = self.begin_deletion(SAFE, before, leader);
                self.admin(client).deletion = Some(deletion);
                let asked = self.ask(client, leader, request.into());
                self.admin(client).asked = asked;
            }
            Response::DeleteRecords(told) => {
                if let Some(deletion) = it.deletion.take() {
                    self.deletion_answered(&deletion, &told);
                }
            }
            _ => {}
        }
    }

    pub fn admin_lost(&mut self, client: usize, connection: u32) {
        let it = self.admin(client);
        if it.asked.is_some_and(|(on, _)| on == connection) {
            it.asked = None;
        }
    }
}

fn setting(topic: &str, name: &str, value: String) -> Request {
    let config =
        IncrementalAlterableConfig { name: name.into(), config_operation: 0, value: Some(value) };
    let resource = IncrementalAlterConfigsResource {
        resource_type: resource::TOPIC,
        resource_name: topic.into(),
        configs: vec![config],
    };
    IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: false }.into()
}
