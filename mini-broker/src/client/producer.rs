//! Collects messages into batches and keeps several produce requests on their way.
//!
//! The producer has no task of its own: its owner calls `push` for each message and `progress`
//! whenever it has nothing better to do. With one request at a time a partition (the default), a
//! batch that must be sent again stays before those that follow it.
//!
//! What was not acknowledged is sent again until its time is over, to whoever leads by then. Such a
//! batch may be stored already, with only the answer lost. An idempotent producer's is known again; any
//! other's is then there twice. acks=0 has no answers that could be missed: only what never left is sent again.

mod leaders;
mod request;
mod sequences;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bytes::BytesMut;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use wire::produce::ProduceResponse;

use super::{Client, Error, connection::REQUEST_TIMEOUT};
use crate::records::{Builder, Codec};
use leaders::{Leaders, Looked};
use request::{outcome, request};
use sequences::Sequences;

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
    /// Asks for a producer id and numbers its batches, so that none is stored twice. Takes acks=all, and
    /// one batch a partition at a time.
    pub idempotent: bool,
    /// How long to wait for an answer: Kafka's `request.timeout.ms`.
    pub request_timeout: Duration,
    /// What has not been delivered by then has failed: Kafka's `delivery.timeout.ms`.
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
            idempotent: false,
            request_timeout: REQUEST_TIMEOUT,
            delivery_timeout: Duration::from_secs(120),
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
    topic: String,
    settings: Settings,
    /// If it is idempotent.
    sequences: Option<Sequences>,
    leaders: Leaders,
    open: BTreeMap<i32, Open>,
    ready: BTreeMap<i32, VecDeque<Batch>>,
    /// Partitions with a batch on its way, where only one may be.
    busy: BTreeSet<i32>,
    in_flight: BTreeMap<i32, usize>,
    requests: JoinSet<Sent>,
    buffered: usize,
}

struct Open {
    builder: Builder,
    pushed: Vec<Instant>,
}

struct Batch {
    partition: i32,
    bytes: BytesMut,
    pushed: Vec<Instant>,
    /// An idempotent producer numbers a batch when it is sent for the first time.
    numbered: bool,
}

struct Sent {
    leader: i32,
    batches: Vec<Batch>,
    /// `None`: acks=0, no answer.
    result: Result<Option<ProduceResponse>, Error>,
}

impl Producer {
    pub async fn new(mut client: Client, topic: &str, settings: Settings) -> Result<Self, Error> {
        let sequences = match settings.idempotent && settings.acks == -1 {
            true => Some(client.producer_id().await?),
            false => None,
        };
        let leaders = Leaders::new(client, topic).await?;
        Ok(Producer {
            topic: topic.to_owned(),
            settings,
            sequences,
            leaders,
            open: BTreeMap::new(),
            ready: BTreeMap::new(),
            busy: BTreeSet::new(),
            in_flight: BTreeMap::new(),
            requests: JoinSet::new(),
            buffered: 0,
        })
    }

    pub fn partitions(&self) -> u32 {
        self.leaders.partitions()
    }

    /// Adds a message to its partition's batch. Nothing is sent here: see `progress`.
    pub fn push(&mut self, partition: i32, message: Message<'_>) {
        let now = Instant::now();
        let payload = message.key.map_or(0, <[u8]>::len) + message.value.map_or(0, <[u8]>::len);
        let size = self.open.get(&partition).map_or(0, |open| open.builder.size());
        if size + payload > self.settings.batch_size {
            self.close(partition);
        }
        let codec = self.settings.codec;
        let open = self
            .open
            .entry(partition)
            .or_insert_with(|| Open { builder: Builder::new(codec), pushed: Vec::new() });
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
            self.send(Instant::now());
            let wake = self.linger_end().into_iter().chain(self.leaders.due()).min();
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
                looked = self.leaders.looked() => self.looked(looked)?,
                () = waiting => {}
            }
        }
    }

    /// What has come to an end already; sends what can be sent, and does not wait.
    pub fn try_progress(&mut self) -> Result<Vec<Delivery>, Error> {
        let mut ended = Vec::new();
        while let Some(sent) = self.requests.try_join_next() {
            ended.extend(self.ended(sent.expect("a request's task does not panic")));
        }
        if let Some(looked) = self.leaders.try_looked() {
            self.looked(looked)?;
        }
        self.send(Instant::now());
        Ok(ended)
    }

    fn send(&mut self, now: Instant) {
        self.leaders.start(now);
        self.close_lingering(now);
        self.send_ready();
    }

    fn close(&mut self, partition: i32) {
        let Some(open) = self.open.get_mut(&partition) else { return };
        let pushed = std::mem::take(&mut open.pushed);
        let size = open.builder.size() - crate::records::HEADER_LEN;
        let Some(bytes) = open.builder.finish() else { return };
        self.buffered = self.buffered - size + bytes.len();
        self.ready.entry(partition).or_default().push_back(Batch {
            partition,
            bytes,
            pushed,
            numbered: false,
        });
    }

    /// When the next open batch has waited for long enough.
    fn linger_end(&self) -> Option<Instant> {
        self.lingering().map(|(_, end)| end).min()
    }

    fn close_lingering(&mut self, now: Instant) {
        let due: Vec<i32> = self
            .lingering()
            .filter(|(_, end)| *end <= now)
            .map(|(partition, _)| partition)
            .collect();
        due.into_iter().for_each(|partition| self.close(partition));
    }

    /// Open batches that could be sent. While a partition's leader is busy or away its batch stays open
    /// and takes more, so that what has gathered leaves in few requests.
    fn lingering(&self) -> impl Iterator<Item = (i32, Instant)> {
        let away = self.leaders.are_away();
        let waits = move |partition: i32| away || self.busy.contains(&partition);
        let open = self.open.iter().filter(move |(partition, _)| !waits(**partition));
        open.filter_map(|(partition, open)| {
            Some((*partition, *open.pushed.first()? + self.settings.linger))
        })
    }

    /// Whether a partition has at most one batch on its way.
    fn one_at_a_time(&self) -> bool {
        self.settings.max_in_flight == 1 || self.sequences.is_some()
    }

    /// One batch a partition in a request, as many requests as may be on their way.
    fn send_ready(&mut self) {
        if self.leaders.are_away() {
            return;
        }
        for leader in self.leaders.all() {
            while self.in_flight.get(&leader).copied().unwrap_or(0) < self.settings.max_in_flight {
                if !self.ready.keys().any(|partition| self.may_send(leader, *partition)) {
                    break;
                }
                let Some(connection) = self.leaders.connection(leader) else { return };
                let batches = self.take_for(leader);
                *self.in_flight.entry(leader).or_default() += 1;
                let acks = self.settings.acks;
                let within = self.settings.request_timeout;
                let request = request(&self.topic, acks, within, &batches);
                self.requests.spawn(async move {
                    let result = match acks {
                        0 => connection.send(request).await.map(|()| None),
                        _ => connection.call_within(request, within).await.map(Some),
                    };
                    Sent { leader, batches, result }
                });
            }
        }
    }

    fn may_send(&self, leader: i32, partition: i32) -> bool {
        self.leaders.leads(leader, partition)
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
            let Some(mut batch) = queue.pop_front() else { continue };
            if let Some(sequences) = self.sequences.as_mut().filter(|_| !batch.numbered) {
                sequences.number(partition, &mut batch.bytes, batch.pushed.len());
                batch.numbered = true;
            }
            batches.push(batch);
            if self.one_at_a_time() {
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
        for mut batch in batches.into_iter().rev() {
            self.busy.remove(&batch.partition);
            let result = outcome(&self.topic, batch.partition, &result);
            let late = batch
                .pushed
                .first()
                .is_none_or(|first| first.elapsed() >= self.settings.delivery_timeout);
            let gap = match &mut self.sequences {
                Some(sequences) if result.as_ref().is_err_and(sequences::is_gap) => {
                    sequences.begin_anew(batch.partition);
                    batch.numbered = false;
                    true
                }
                _ => false,
            };
            match result {
                Err(error) if (error.is_retriable() || gap) && !late => {
                    self.leaders.look_soon();
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

    /// An error that may pass is one once the oldest batch has waited for too long.
    fn looked(&mut self, looked: Looked) -> Result<(), Error> {
        let Err(error) = self.leaders.take(looked) else { return Ok(()) };
        let ready = self.ready.values().flatten().filter_map(|batch| batch.pushed.first());
        let oldest = ready.chain(self.open.values().filter_map(|open| open.pushed.first())).min();
        let late = oldest.is_some_and(|first| first.elapsed() >= self.settings.delivery_timeout);
        match error.is_retriable() && !late {
            true => Ok(()),
            false => Err(error),
        }
    }
}
