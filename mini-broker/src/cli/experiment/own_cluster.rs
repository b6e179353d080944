//! A cluster of one's own for the time of an experiment: a coordinator and some brokers, each a process
//! that can be killed, paused and started again.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::own_node::{OwnNode, Room};
use crate::cli::Failure;

pub struct OwnCluster {
    brokers: BTreeMap<i32, OwnNode>,
    coordinator: OwnNode,
    room: Room,
}

impl OwnCluster {
    /// Brokers 1 to `count`.
    pub async fn start(count: i32) -> Result<Self, Failure> {
        let room = Room::new()?;
        let folder = room.folder("coordinator");
        let coordinator = OwnNode::start("coordinator", &[], &folder, 0).await?;
        let mut cluster = Self { brokers: BTreeMap::new(), coordinator, room };
        for id in 1..=count {
            cluster.start_broker(id, 0).await?;
        }
        Ok(cluster)
    }

    /// For clients: where each broker listens.
    pub fn servers(&self) -> String {
        let addresses: Vec<String> = self.brokers.values().map(OwnNode::address).collect();
        addresses.join(",")
    }

    /// The folder that a broker keeps its logs in.
    pub fn data(&self, id: i32) -> PathBuf {
        self.room.folder(&format!("broker-{id}")).join("data")
    }

    pub fn kill(&mut self, id: i32) -> Result<(), Failure> {
        Ok(self.broker(id)?.kill()?)
    }

    pub fn pause(&mut self, id: i32) -> Result<(), Failure> {
        Ok(self.broker(id)?.pause()?)
    }

    pub fn resume(&mut self, id: i32) -> Result<(), Failure> {
        Ok(self.broker(id)?.resume()?)
    }

    /// Starts a broker that was killed, where it listened before and with the logs it had.
    pub async fn restart(&mut self, id: i32) -> Result<(), Failure> {
        let port = self.broker(id)?.port;
        self.brokers.remove(&id);
        self.start_broker(id, port).await
    }

    async fn start_broker(&mut self, id: i32, port: u16) -> Result<(), Failure> {
        let (number, coordinator) = (id.to_string(), self.coordinator.address());
        let more = ["--node-id", &number, "--coordinator", &coordinator];
        let folder = self.room.folder(&format!("broker-{id}"));
        let broker = OwnNode::start("serve", &more, &folder, port).await?;
        self.brokers.insert(id, broker);
        Ok(())
    }

    fn broker(&mut self, id: i32) -> Result<&mut OwnNode, Failure> {
        self.brokers.get_mut(&id).ok_or_else(|| Failure::new(format!("there is no broker {id}")))
    }
}
