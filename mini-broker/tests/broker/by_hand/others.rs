//! The other brokers of the cluster, as far as the one that is driven by hand has to do with them. The test
//! plays them: what they fetch as followers, and what they answer as leaders.

use mini_broker::broker::{Call, Input, Node, PeerGone};
use mini_broker::coordinator::METADATA_TOPIC;
use wire::Request;
use wire::broker_lifecycle::{BrokerHeartbeatRequest, BrokerRegistrationRequest};
use wire::fetch::{
    FetchPartition, FetchRequest, FetchResponse, FetchTopic, FetchableTopicResponse, PartitionData,
};
use wire::topics::{CreatableReplicaAssignment, CreatableTopic, CreateTopicsRequest};

use super::ByHand;
use crate::batches;
use crate::coordinator::registration;

/// A request that the broker has sent to another, which has not answered it.
pub struct Asked {
    pub call: Call,
    pub to: i32,
    pub request: Request,
}

/// A follower of partition 0 of a topic, and what it says of itself.
pub struct Follower {
    pub id: i32,
    pub leader_epoch: i32,
    /// Of its last record; −1: it has none.
    pub last_epoch: i32,
    pub log_start: i64,
    pub log_end: i64,
}

impl ByHand {
    /// Another broker registers and takes part; if it has before, it has died and comes again.
    pub fn comes(&mut self, id: i32) {
        self.dies(id);
        self.last_request += 1;
        let registration = BrokerRegistrationRequest {
            cluster_id: self.coordinator.cluster_id().into(),
            ..registration(id, self.last_request.into())
        };
        let registered = self.decide_on(connection(id), registration);
        assert!(registered.error_code.is_ok(), "{}", registered.error_code);
        let heartbeat = BrokerHeartbeatRequest {
            broker_id: id,
            broker_epoch: registered.broker_epoch,
            current_metadata_offset: i64::MAX,
            ..Default::default()
        };
        assert!(!self.decide_on(connection(id), heartbeat).is_fenced);
        self.reads_everything(id);
        self.turn(vec![]);
    }

    /// It has read the metadata log farther than that goes in any test, so nobody waits for it.
    fn reads_everything(&mut self, id: i32) {
        let partition = FetchPartition { fetch_offset: i64::MAX, ..Default::default() };
        let topic = FetchTopic {
            topic: METADATA_TOPIC.into(),
            partitions: vec![partition],
            ..Default::default()
        };
        let request = FetchRequest {
            replica_id: id,
            replica_epoch: self.coordinator.cluster().brokers[&id].epoch,
            topics: vec![topic],
            ..Default::default()
        };
        self.decide_on(connection(id), request);
    }

    /// The coordinator takes it for dead.
    pub fn dies(&mut self, id: i32) {
        let mut out = Vec::new();
        let gone = Input::Gone { connection: connection(id) };
        self.coordinator.handle(self.now, gone, &mut out);
        self.deliver_coordinators(out);
        let asked = self.others.extract_if(.., |asked| asked.to == id).collect::<Vec<_>>();
        for Asked { call, .. } in asked {
            self.input(Input::Reply { call, reply: Err(PeerGone("it is dead".into())) });
        }
        self.run_jobs();
        self.turn(vec![]);
    }

    /// Makes a topic of one partition on these brokers.
    pub fn topic_on(&mut self, name: &str, broker_ids: &[i32]) {
        let told = self.ask(7, one_partition_on(name, broker_ids));
        assert!(told.topics[0].error_code.is_ok(), "{:?}", told.topics[0].error_message);
    }

    /// A follower fetches from the broker, and would wait for 500 ms; gives the number of its request.
    pub fn follows(&mut self, topic: &str, follower: &Follower) -> u32 {
        let Follower { id, leader_epoch, last_epoch, log_start, log_end } = *follower;
        let partition = FetchPartition {
            partition: 0,
            current_leader_epoch: leader_epoch,
            fetch_offset: log_end,
            last_fetched_epoch: last_epoch,
            log_start_offset: log_start,
            partition_max_bytes: 1 << 20,
        };
        let topic =
            FetchTopic { topic: topic.into(), partitions: vec![partition], ..Default::default() };
        let request = FetchRequest {
            replica_id: id,
            replica_epoch: self.coordinator.cluster().brokers[&id].epoch,
            max_wait_ms: 500,
            min_bytes: 1,
            max_bytes: 1 << 20,
            topics: vec![topic],
            ..Default::default()
        };
        self.send_on(connection(id), 12, request)
    }

    /// The fetch that the broker has sent to a leader, and what it asks for of partition 0 of a topic.
    pub fn fetches_from(&mut self, leader: i32) -> (Call, FetchPartition) {
        assert_eq!(self.others.len(), 1, "one fetch is under way");
        let Asked { call, to, request } = self.others.remove(0);
        assert_eq!(to, leader);
        let Request::Fetch(fetch) = request else { panic!("{request:?}") };
        (call, fetch.topics[0].partitions[0].clone())
    }

    /// The leader answers a fetch for partition 0 of a topic.
    pub fn leader_says(&mut self, call: Call, topic: &str, data: PartitionData) {
        let topic = FetchableTopicResponse { topic: topic.into(), partitions: vec![data] };
        let response = FetchResponse { responses: vec![topic], ..Default::default() };
        self.input(Input::Reply { call, reply: Ok(response.into()) });
    }

    /// Appends a batch of these values as a producer that waits for the leader only.
    pub fn append_here(&mut self, topic: &str, at_ms: i64, values: &[&str]) {
        let request = batches::produce(topic, 0, 1, batches::batch(at_ms, values));
        let told = self.ask(9, request);
        let partition = &told.responses[0].partition_responses[0];
        assert!(partition.error_code.is_ok(), "{}", partition.error_code);
    }
}

/// A topic of one partition on these brokers.
pub fn one_partition_on(name: &str, broker_ids: &[i32]) -> CreateTopicsRequest {
    let assignment =
        CreatableReplicaAssignment { partition_index: 0, broker_ids: broker_ids.to_vec() };
    let topic = CreatableTopic {
        name: name.into(),
        num_partitions: -1,
        replication_factor: -1,
        assignments: vec![assignment],
        ..Default::default()
    };
    CreateTopicsRequest { topics: vec![topic], ..Default::default() }
}

/// Each of the others has a connection of its own.
fn connection(id: i32) -> u32 {
    100 + id as u32
}
