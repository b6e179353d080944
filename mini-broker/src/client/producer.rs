//! Collects messages into batches and keeps several produce requests on their way.
//!
//! The producer has no task of its own: its owner calls `push` for each message and `progress`
//! whenever it has nothing better to do. With one request at a time a partition (the default), a
//! batch that must be sent again stays before those that follow it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bytes::BytesMut;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use wire::ErrorCode;
use wire::produce::{PartitionProduceData, ProduceRequest, ProduceResponse, TopicProduceData};

use super::{BACKOFF, Client, Error, Led, connection::REQUEST_TIMEOUT};
use crate::records::{Builder, Codec};

/// A request carries no more than this, as Kafka's `max.request.size`.
const MAX_REQUEST: usize = 1 << 20;

#[derive(Debug, Clone)]
pub struct Settings {
    /// 0, 1, or −1 for all.
    pub acks: i16,
    /// How long a batch may wait for more messages.
    pub linger: Duration,
    /// A batch is closed when the next message would make it larger, before compression.
    pub batch_size: usize,
    pub codec: Codec,
    /// Requests on their way to one broker. With more than one, a retry may change the order.
    pub max_in_flight: usize,
    /// What has not been delivered by then has failed.
    pub delivery_timeout: Duration,
    /// `push` should wait while this much is buffered.
    pub buffer: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            acks: -1,
            linger: Duration::ZERO,
            batch_size: 16 << 10,
            codec: Codec::None,
            max_in_flight: 1,
            delivery_timeout: REQUEST_TIMEOUT,
            buffer: 32 << 20,
        }
    }
}

/// One message; the timestamp is milliseconds since 1970.
#[derive(Debug, Clone, Copy, Default)]
pub struct Message<'a> {
    pub timestamp: i64,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    pub headers: &'a [(Vec<u8>, Option<Vec<u8>>)],
}

/// What became of one batch.
#[derive(Debug)]
pub struct Delivery {
    pub partition: i32,
    /// Offset of the first message; −1 where acks=0 leaves it unknown.
    pub result: Result<i64, Error>,
    /// When each message was pushed.
    pub pushed: Vec<Instant>,
}

pub struct Producer {
    client: Client,
    topic: String,
    settings: Settings,
    leaders: BTreeMap<i32, i32>,
    open: BTreeMap<i32, Open>,
    ready: BTreeMap<i32, VecDeque<Batch>>,
    /// Partitions with a batch on its way, where only one may be.
    busy: BTreeSet<i32>,
    in_flight: BTreeMap<i32, usize>,
    requests: JoinSet<Sent>,
    buffered: usize,
    /// When the metadata should be asked again, after an error that a move of leaders may explain.
    refresh_at: Option<Instant>,
}

struct Open {
    builder: Builder,
    pushed: Vec<Instant>,
}

struct Batch {
    partition: i32,
    bytes: BytesMut,
    pushed: Vec<Instant>,
}

struct Sent {
    leader: i32,
    batches: Vec<Batch>,
    /// `None`: acks=0, no answer.
    result: Result<Option<ProduceResponse>, Error>,
}

impl Producer {
    pub async fn new(mut client: Client, topic: &str, settings: Settings) -> Result<Self, Error> {
        let leaders = by_partition(client.partitions(topic, true).await?);
        Ok(Producer {
            client,
            topic: topic.to_owned(),
            settings,
            leaders,
            open: BTreeMap::new(),
            ready: BTreeMap::new(),
            busy: BTreeSet::new(),
            in_flight: BTreeMap::new(),
            requests: JoinSet::new(),
            buffered: 0,
            refresh_at: None,
        })
    }

    pub fn partitions(&self) -> u32 {
        self.leaders.len() as u32
    }

    /// Adds a message to its partition's batch. Nothing is sent here: see `progress`.
    pub fn push(&mut self, partition: i32, message: Message<'_>) {
        let now = Instant::now();
        let payload = message.key.map_or(0, <[u8]>::len) + message.value.map_or(0, <[u8]>::len);
        let open = self.open.entry(partition).or_insert_with(|| Open {
            builder: Builder::new(self.settings.codec),
            pushed: Vec::new(),
        });
        if open.builder.size() + payload > self.settings.batch_size {
            self.close(partition);
        }
        let Some(open) = self.open.get_mut(&partition) else { return };
        let before = open.builder.size();
        let headers = message.headers.iter().map(|(name, value)| (&name[..], value.as_deref()));
        open.builder.push(message.timestamp, message.key, message.value, headers);
        open.pushed.push(now);
        self.buffered += open.builder.size() - before;
        if open.builder.size() >= self.settings.batch_size {
            self.close(partition);
        }
    }

    /// True: wait for `progress` before the next `push`.
    pub fn is_full(&self) -> bool {
        self.buffered >= self.settings.buffer
    }

    /// A full batch waits for a free place among the requests on their way.
    pub fn has_ready(&self) -> bool {
        self.ready.values().any(|batches| !batches.is_empty())
    }

    pub fn is_idle(&self) -> bool {
        self.buffered == 0
    }

    /// Closes what is open, however small.
    pub fn close_all(&mut self) {
        let open: Vec<i32> = self.open.keys().copied().collect();
        open.into_iter().for_each(|partition| self.close(partition));
    }

    /// Sends what can be sent and waits until some batches have come to an end. May be dropped
    /// while it waits: nothing is lost. Never ends while there is nothing to do.
    pub async fn progress(&mut self) -> Result<Vec<Delivery>, Error> {
        loop {
            let now = Instant::now();
            if self.refresh_at.is_some_and(|at| at <= now) {
                self.refresh().await?;
            }
            self.close_lingering(now);
            self.send_ready().await?;
            let wake = self.linger_end().into_iter().chain(self.refresh_at).min();
            let waiting = async {
                match wake {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(sent) = self.requests.join_next() => {
                    let ended = self.ended(sent.expect("a request's task does not panic"));
                    if !ended.is_empty() {
                        return Ok(ended);
                    }
                }
                () = waiting => {}
            }
        }
    }

    /// What has come to an end already; sends what can be sent, and does not wait.
    pub async fn try_progress(&mut self) -> Result<Vec<Delivery>, Error> {
        let mut ended = Vec::new();
        while let Some(sent) = self.requests.try_join_next() {
            ended.extend(self.ended(sent.expect("a request's task does not panic")));
        }
        self.close_lingering(Instant::now());
        if self.refresh_at.is_none() {
            self.send_ready().await?;
        }
        Ok(ended)
    }

    fn close(&mut self, partition: i32) {
        let Some(open) = self.open.get_mut(&partition) else { return };
        let pushed = std::mem::take(&mut open.pushed);
        let size = open.builder.size() - crate::records::HEADER_LEN;
        let Some(bytes) = open.builder.finish() else { return };
        self.buffered = self.buffered - size + bytes.len();
        self.ready.entry(partition).or_default().push_back(Batch { partition, bytes, pushed });
    }

    fn linger_end(&self) -> Option<Instant> {
        let first = self.open.values().filter_map(|open| open.pushed.first()).min();
        first.map(|first| *first + self.settings.linger)
    }

    fn close_lingering(&mut self, now: Instant) {
        let due = |open: &Open| {
            open.pushed.first().is_some_and(|first| now >= *first + self.settings.linger)
        };
        let due: Vec<i32> = self.open.iter().filter(|(_, o)| due(o)).map(|(p, _)| *p).collect();
        due.into_iter().for_each(|partition| self.close(partition));
    }

    /// One batch a partition in a request, as many requests as may be on their way.
    async fn send_ready(&mut self) -> Result<(), Error> {
        if self.refresh_at.is_some() {
            return Ok(());
        }
        let leaders: BTreeSet<i32> = self.leaders.values().copied().collect();
        for leader in leaders {
            while self.in_flight.get(&leader).copied().unwrap_or(0) < self.settings.max_in_flight {
                if !self.ready.keys().any(|partition| self.may_send(leader, *partition)) {
                    break;
                }
                // The one place that may wait; nothing has been taken yet.
                let connection = match self.client.node(leader).await {
                    Ok(connection) => connection,
                    Err(error) if error.is_retriable() => {
                        self.refresh_at = Some(Instant::now() + BACKOFF);
                        return Ok(());
                    }
                    Err(error) => return Err(error),
                };
                let batches = self.take_for(leader);
                *self.in_flight.entry(leader).or_default() += 1;
                let acks = self.settings.acks;
                let request = request(&self.topic, acks, &batches);
                self.requests.spawn(async move {
                    let result = match acks {
                        0 => connection.send(request).await.map(|()| None),
                        _ => connection.call(request).await.map(Some),
                    };
                    Sent { leader, batches, result }
                });
            }
        }
        Ok(())
    }

    fn may_send(&self, leader: i32, partition: i32) -> bool {
        self.leaders.get(&partition) == Some(&leader)
            && !self.busy.contains(&partition)
            && self.ready.get(&partition).is_some_and(|batches| !batches.is_empty())
    }

    fn take_for(&mut self, leader: i32) -> Vec<Batch> {
        let mut batches: Vec<Batch> = Vec::new();
        let mut size = 0;
        let partitions: Vec<i32> = self.ready.keys().copied().collect();
        for partition in partitions {
            if !self.may_send(leader, partition) {
                continue;
            }
            let Some(queue) = self.ready.get_mut(&partition) else { continue };
            let next = queue.front().map_or(0, |batch| batch.bytes.len());
            if !batches.is_empty() && size + next > MAX_REQUEST {
                break;
            }
            size += next;
            batches.extend(queue.pop_front());
            if self.settings.max_in_flight == 1 {
                self.busy.insert(partition);
            }
        }
        batches
    }

    fn ended(&mut self, sent: Sent) -> Vec<Delivery> {
        let Sent { leader, batches, result } = sent;
        self.in_flight.entry(leader).and_modify(|count| *count -= 1);
        let mut ended = Vec::new();
        // The last one first, so that batches which go back to a queue keep their order.
        for batch in batches.into_iter().rev() {
            self.busy.remove(&batch.partition);
            let result = outcome(&self.topic, batch.partition, &result);
            let late = batch
                .pushed
                .first()
                .is_none_or(|first| first.elapsed() >= self.settings.delivery_timeout);
            match result {
                Err(error) if error.is_retriable() && !late && self.settings.acks != 0 => {
                    self.refresh_at = Some(Instant::now() + BACKOFF);
                    self.ready.entry(batch.partition).or_default().push_front(batch);
                }
                result => {
                    self.buffered -= batch.bytes.len();
                    let Batch { partition, pushed, .. } = batch;
                    ended.push(Delivery { partition, result, pushed });
                }
            }
        }
        ended
    }

    async fn refresh(&mut self) -> Result<(), Error> {
        match self.client.partitions(&self.topic, false).await {
            Ok(partitions) => {
                self.leaders = by_partition(partitions);
                self.refresh_at = None;
                Ok(())
            }
            Err(error) => {
                let oldest = self.ready.values().flatten().filter_map(|b| b.pushed.first()).min();
                let limit = self.settings.delivery_timeout;
                if error.is_retriable() && oldest.is_none_or(|first| first.elapsed() < limit) {
                    self.refresh_at = Some(Instant::now() + BACKOFF);
                    return Ok(());
                }
                Err(error)
            }
        }
    }
}

fn by_partition(partitions: Vec<Led>) -> BTreeMap<i32, i32> {
    partitions.into_iter().map(|led| (led.partition, led.leader)).collect()
}

fn request(topic: &str, acks: i16, batches: &[Batch]) -> ProduceRequest {
    let partition_data = batches.iter().map(|batch| PartitionProduceData {
        index: batch.partition,
        // Kept until the answer: it may have to be sent again.
        records: wire::Records::Here(batch.bytes.clone()),
    });
    ProduceRequest {
        transactional_id: None,
        acks,
        timeout_ms: REQUEST_TIMEOUT.as_millis() as i32,
        topic_data: vec![TopicProduceData {
            name: topic.to_owned(),
            partition_data: partition_data.collect(),
        }],
    }
}

fn outcome(
    topic: &str,
    partition: i32,
    result: &Result<Option<ProduceResponse>, Error>,
) -> Result<i64, Error> {
    let what = || format!("partition {topic}-{partition}");
    let answer = match result {
        Ok(None) => return Ok(-1),
        Ok(Some(answer)) => answer,
        Err(error) => return Err(again(error)),
    };
    let mut answers = answer.responses.iter().flat_map(|topic| &topic.partition_responses);
    let Some(answer) = answers.find(|answer| answer.index == partition) else {
        return Err(Error::refused(what(), ErrorCode::UNKNOWN_SERVER_ERROR, None));
    };
    match answer.error_code.is_ok() {
        true => Ok(answer.base_offset),
        false => Err(Error::refused(what(), answer.error_code, answer.error_message.clone())),
    }
}

/// One failed request fails several batches, each with the same sentence.
fn again(error: &Error) -> Error {
    match error {
        Error::Closed { address, reason } => {
            Error::Closed { address: address.clone(), reason: reason.clone() }
        }
        Error::Timeout { address, api, after } => {
            Error::Timeout { address: address.clone(), api, after: *after }
        }
        other => Error::refused(other.to_string(), ErrorCode::UNKNOWN_SERVER_ERROR, None),
    }
}
