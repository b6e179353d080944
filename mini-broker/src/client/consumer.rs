//! Reads partitions that its owner has picked, each from an offset on.
//!
//! To every leader there is at most one fetch on its way; the next one leaves before the last
//! answer is looked at, so that broker and reader work at the same time.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::BytesMut;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use wire::ErrorCode;
use wire::fetch::{FetchPartition, FetchRequest, FetchResponse, FetchTopic, PartitionData};

use super::connection::REQUEST_TIMEOUT;
use super::{BACKOFF, Client, Connection, Error, Led};
use crate::records;

#[derive(Debug, Clone)]
pub struct Settings {
    /// How long the broker may hold a fetch until there is something.
    pub max_wait: Duration,
    pub min_bytes: i32,
    /// Of one answer; at least one batch comes, however large.
    pub max_bytes: i32,
    pub partition_max_bytes: i32,
    /// A broker that is away for longer ends the reading.
    pub patience: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            max_wait: Duration::from_millis(500),
            min_bytes: 1,
            max_bytes: 50 << 20,
            partition_max_bytes: 1 << 20,
            patience: REQUEST_TIMEOUT,
        }
    }
}

/// Batches of one partition. The first may begin before `from`: skip its older records.
#[derive(Debug)]
pub struct Fetched {
    pub partition: i32,
    pub from: i64,
    pub high_watermark: i64,
    pub batches: BytesMut,
}

pub struct Consumer {
    client: Client,
    topic: String,
    settings: Settings,
    assigned: BTreeMap<i32, Position>,
    fetches: JoinSet<Answer>,
    busy: Vec<i32>,
    fetches_sent: usize,
    /// Read, but not handed out yet.
    pending: Vec<Fetched>,
    /// Since when nothing but trouble has come.
    trouble_since: Option<Instant>,
    /// After trouble: when the leaders are looked for again, before anything else.
    look_at: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Position {
    led: Led,
    next: i64,
}

struct Answer {
    leader: i32,
    response: Result<FetchResponse, Error>,
    /// What it came by.
    connection: Option<Connection>,
}

impl Consumer {
    /// `from`: each partition with the offset to begin at.
    pub fn new(client: Client, topic: &str, from: &[(Led, i64)], settings: Settings) -> Self {
        let assigned = from.iter().map(|&(led, next)| (led.partition, Position { led, next }));
        Consumer {
            client,
            topic: topic.to_owned(),
            settings,
            assigned: assigned.collect(),
            fetches: JoinSet::new(),
            busy: Vec::new(),
            fetches_sent: 0,
            pending: Vec::new(),
            trouble_since: None,
            look_at: None,
        }
    }

    /// The offset that the next fetch of `partition` asks for.
    pub fn position(&self, partition: i32) -> Option<i64> {
        self.assigned.get(&partition).map(|position| position.next)
    }

    /// Waits for the next answer of any leader; it may be empty. May be dropped while it waits, again and again: nothing
    /// that takes time is begun anew.
    pub async fn poll(&mut self) -> Result<Vec<Fetched>, Error> {
        loop {
            if let Some(at) = self.look_at {
                sleep_until(at).await;
                self.find_leaders().await?;
                self.look_at = None;
            }
            match self.poll_once().await {
                Ok(fetched) => {
                    self.trouble_since = None;
                    return Ok(fetched);
                }
                Err(error) if error.is_retriable() => {
                    let now = Instant::now();
                    if now - *self.trouble_since.get_or_insert(now) >= self.settings.patience {
                        return Err(error);
                    }
                    self.look_at = Some(now + BACKOFF);
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn poll_once(&mut self) -> Result<Vec<Fetched>, Error> {
        if !self.pending.is_empty() {
            return Ok(std::mem::take(&mut self.pending));
        }
        self.send_fetches();
        let Some(answer) = self.fetches.join_next().await else { return Ok(Vec::new()) };
        let Answer { leader, response, connection } =
            answer.expect("a fetch's task does not panic");
        self.busy.retain(|busy| *busy != leader);
        if let Some(connection) = connection {
            self.client.keep(connection);
        }
        let response = response?;
        if response.error_code.is_err() {
            return Err(Error::refused(self.topic.clone(), response.error_code, None));
        }
        let mut trouble = None;
        for data in response.responses.into_iter().flat_map(|topic| topic.partitions) {
            match self.taken(data) {
                Ok(some) => self.pending.extend(some),
                Err(error) => trouble = Some(error),
            }
        }
        // What was read counts; the trouble of another partition comes back with its next fetch.
        match trouble {
            Some(error) if self.pending.is_empty() => Err(error),
            _ => {
                self.send_fetches();
                Ok(std::mem::take(&mut self.pending))
            }
        }
    }

    fn taken(&mut self, data: PartitionData) -> Result<Option<Fetched>, Error> {
        let partition = data.partition_index;
        let Some(position) = self.assigned.get_mut(&partition) else { return Ok(None) };
        let from = position.next;
        if data.error_code == ErrorCode::OFFSET_OUT_OF_RANGE {
            let what = format!("offset {from} of {}-{partition}", self.topic);
            return Err(Error::refused(what, data.error_code, None));
        }
        if data.error_code.is_err() {
            let what = format!("partition {}-{partition}", self.topic);
            return Err(Error::refused(what, data.error_code, None));
        }
        let wire::Records::Here(mut batches) = data.records else { return Ok(None) };
        let mut next = from;
        // Bytes before the first damaged batch, and the damage.
        let (mut good, mut corrupt) = (0, None);
        for batch in records::batches(&batches) {
            let batch = batch.map_err(|error| {
                let what = format!("partition {}-{partition}", self.topic);
                Error::refused(what, ErrorCode::CORRUPT_MESSAGE, Some(error.to_string()))
            })?;
            if !batch.crc_matches() {
                let offset = batch.header.base_offset;
                let place = format!("{}-{partition}", self.topic);
                corrupt = Some(Error::Corrupt { place, offset });
                break;
            }
            good += batch.header.size();
            next = next.max(batch.header.last_offset().saturating_add(1));
        }
        match corrupt {
            // What stands before the damage is handed out; the next fetch begins at the damage.
            Some(_) if good > 0 => batches.truncate(good),
            Some(error) => return Err(error),
            None => {}
        }
        position.next = next;
        let high_watermark = data.high_watermark;
        Ok(Some(Fetched { partition, from, high_watermark, batches }))
    }

    fn send_fetches(&mut self) {
        let mut by_leader: BTreeMap<i32, Vec<FetchPartition>> = BTreeMap::new();
        for position in self.assigned.values() {
            let Position { led, next } = *position;
            if !self.busy.contains(&led.leader) {
                by_leader.entry(led.leader).or_default().push(FetchPartition {
                    partition: led.partition,
                    current_leader_epoch: led.leader_epoch,
                    fetch_offset: next,
                    partition_max_bytes: self.settings.partition_max_bytes,
                    ..Default::default()
                });
            }
        }
        for (leader, mut partitions) in by_leader {
            // An answer is cut at `max_bytes`: whoever stood first now stands last next time.
            let turn = self.fetches_sent % partitions.len();
            partitions.rotate_left(turn);
            self.fetches_sent = self.fetches_sent.wrapping_add(1);
            let settings = &self.settings;
            let request = FetchRequest {
                max_wait_ms: settings.max_wait.as_millis() as i32,
                min_bytes: settings.min_bytes,
                max_bytes: settings.max_bytes,
                topics: vec![FetchTopic {
                    topic: self.topic.clone(),
                    partitions,
                    ..Default::default()
                }],
                ..Default::default()
            };
            let within = REQUEST_TIMEOUT + settings.max_wait;
            self.busy.push(leader);
            let known = self.client.connected(leader);
            // Connecting takes longer than some readers wait, so it is done beside them.
            let client = known.is_none().then(|| self.client.clone());
            self.fetches.spawn(async move {
                let connection = match (known, client) {
                    (None, Some(mut client)) => client.node(leader).await,
                    (known, _) => known.ok_or(Error::NoSuchBroker(leader)),
                };
                match connection {
                    Ok(connection) => {
                        let response = connection.call_within(request, within).await;
                        Answer { leader, response, connection: Some(connection) }
                    }
                    Err(error) => Answer { leader, response: Err(error), connection: None },
                }
            });
        }
    }

    async fn find_leaders(&mut self) -> Result<(), Error> {
        // While the cluster is away there is nothing to find; the next round tries again.
        let Ok(partitions) = self.client.leaders(&self.topic).await else {
            return Ok(());
        };
        for led in partitions.into_iter().filter(|led| led.leader >= 0) {
            if let Some(position) = self.assigned.get_mut(&led.partition) {
                position.led = led;
            }
        }
        Ok(())
    }
}
