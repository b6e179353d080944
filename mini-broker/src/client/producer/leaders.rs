//! Who leads each partition of a topic, and a connection to each of them.
//!
//! The cluster is asked in a task of its own: a producer that is given a message every millisecond
//! would never get to the end of a look that begins again with each.

use std::collections::{BTreeMap, BTreeSet};

use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::client::{BACKOFF, Client, Connection, Error};

pub(super) struct Leaders {
    topic: String,
    /// `None` while its task looks.
    client: Option<Client>,
    found: Found,
    look: JoinSet<Looked>,
    /// When to look again, after an error that a move of leaders may explain.
    due: Option<Instant>,
}

struct Found {
    /// Partition → the node that leads it.
    leaders: BTreeMap<i32, i32>,
    /// Those of them that could be reached.
    connections: BTreeMap<i32, Connection>,
}

pub(super) struct Looked {
    client: Client,
    found: Result<Found, Error>,
}

impl Leaders {
    pub async fn new(mut client: Client, topic: &str) -> Result<Self, Error> {
        let found = find(&mut client, topic, true).await?;
        let (client, topic) = (Some(client), topic.to_owned());
        Ok(Self { topic, client, found, look: JoinSet::new(), due: None })
    }

    pub fn partitions(&self) -> u32 {
        self.found.leaders.len() as u32
    }

    pub fn all(&self) -> BTreeSet<i32> {
        self.found.leaders.values().copied().collect()
    }

    pub fn leads(&self, leader: i32, partition: i32) -> bool {
        self.found.leaders.get(&partition) == Some(&leader)
    }

    /// A connection to a leader. Where there is none, it is looked for soon.
    pub fn connection(&mut self, leader: i32) -> Option<Connection> {
        let open = self.found.connections.get(&leader).filter(|open| !open.is_closed()).cloned();
        if open.is_none() {
            self.look_soon();
        }
        open
    }

    /// Nothing can be sent until the cluster has been asked.
    pub fn are_away(&self) -> bool {
        self.due.is_some() || self.client.is_none()
    }

    pub fn look_soon(&mut self) {
        self.due.get_or_insert_with(|| Instant::now() + BACKOFF);
    }

    /// When `start` should be called.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Begins to look, if it is time.
    pub fn start(&mut self, now: Instant) {
        if self.due.is_none_or(|due| now < due) {
            return;
        }
        if let Some(mut client) = self.client.take() {
            self.due = None;
            let topic = self.topic.clone();
            self.look.spawn(async move {
                let found = find(&mut client, &topic, false).await;
                Looked { client, found }
            });
        }
    }

    /// Waits for the end of a look; for ever if there is none.
    pub async fn looked(&mut self) -> Looked {
        match self.look.join_next().await {
            Some(looked) => looked.expect("a look does not panic"),
            None => std::future::pending().await,
        }
    }

    pub fn try_looked(&mut self) -> Option<Looked> {
        self.look.try_join_next().map(|looked| looked.expect("a look does not panic"))
    }

    /// Takes what a look has brought. After an error that may pass it is repeated.
    pub fn take(&mut self, looked: Looked) -> Result<(), Error> {
        self.client = Some(looked.client);
        match looked.found {
            Ok(found) => self.found = found,
            Err(error) => {
                self.look_soon();
                return Err(error);
            }
        }
        Ok(())
    }
}

async fn find(client: &mut Client, topic: &str, create: bool) -> Result<Found, Error> {
    let partitions = client.partitions(topic, create).await?;
    let leaders: BTreeMap<i32, i32> =
        partitions.into_iter().map(|led| (led.partition, led.leader)).collect();
    let mut connections = BTreeMap::new();
    for &leader in leaders.values() {
        if connections.contains_key(&leader) {
            continue;
        }
        match client.node(leader).await {
            Ok(connection) => {
                connections.insert(leader, connection);
            }
            // Whoever needs it looks again.
            Err(error) if error.is_retriable() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Found { leaders, connections })
}
