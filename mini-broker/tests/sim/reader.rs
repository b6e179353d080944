//! A reader follows one partition from its start, and at the end reads all of it again.

use bytes::BytesMut;
use wire::fetch::{FetchPartition, FetchRequest, FetchTopic};
use wire::{ErrorCode, Records, Response};

use crate::clients::{Does, leader_in};
use crate::world::World;

pub struct Reader {
    pub topic: &'static str,
    pub index: i32,
    offset: u64,
    leader: Option<usize>,
    asked: Option<(u32, u32)>,
    /// It reads everything, and then stops.
    pub last_time: Option<LastTime>,
}

#[derive(Default)]
pub struct LastTime {
    /// Offset and number of each record.
    pub all: Vec<(u64, u64)>,
    pub done: bool,
}

impl Reader {
    pub fn new(topic: &'static str, index: i32) -> Self {
        Self { topic, index, offset: 0, leader: None, asked: None, last_time: None }
    }

    pub fn read_all(&mut self) {
        (self.offset, self.last_time, self.asked) = (0, Some(LastTime::default()), None);
    }
}

impl World {
    fn reader(&mut self, client: usize) -> &mut Reader {
        match &mut self.clients[client].does {
            Does::Read(reader) => reader,
            _ => unreachable!("it is a reader"),
        }
    }

    pub fn reader_wakes(&mut self, client: usize) -> Option<u64> {
        let pause = self.dice.between(50_000, 400_000);
        let it = self.reader(client);
        if it.last_time.as_ref().is_some_and(|last| last.done) {
            return None;
        }
        let pause = if it.last_time.is_some() { 20_000 } else { pause };
        if it.asked.is_some() {
            return Some(pause);
        }
        let Some(leader) = it.leader else {
            let topic = it.topic;
            let asked = self.ask_for_leaders(client, topic);
            self.reader(client).asked = asked;
            return Some(pause);
        };
        let partition = FetchPartition {
            partition: it.index,
            fetch_offset: it.offset as i64,
            partition_max_bytes: 2000,
            ..Default::default()
        };
        let request = FetchRequest {
            max_wait_ms: if it.last_time.is_some() { 0 } else { 500 },
            min_bytes: 1,
            max_bytes: 4000,
            topics: vec![FetchTopic {
                topic: it.topic.into(),
                partitions: vec![partition],
                ..Default::default()
            }],
            ..Default::default()
        };
        let asked = self.ask(client, leader, request.into());
        let it = self.reader(client);
        it.asked = asked;
        if asked.is_none() {
            it.leader = None;
        }
        Some(pause)
    }

    pub fn reader_answered(&mut self, client: usize, key: (u32, u32), body: Response) {
        let it = self.reader(client);
        if it.asked != Some(key) {
            return;
        }
        it.asked = None;
        let fetched = match body {
            Response::Metadata(metadata) => {
                it.leader = leader_in(&metadata, it.topic, it.index);
                return;
            }
            Response::Fetch(mut fetched) => fetched.responses.remove(0).partitions.remove(0),
            _ => return,
        };
        match fetched.error_code {
            ErrorCode::NONE => {}
            ErrorCode::OFFSET_OUT_OF_RANGE => {
                let start = fetched.log_start_offset.max(0) as u64;
                it.offset = start;
                return;
            }
            _ => return it.leader = None,
        }
        let (topic, index, from) = (it.topic, it.index, it.offset);
        let watermark = fetched.high_watermark as u64;
        let bytes = match fetched.records {
            Records::Here(bytes) => bytes,
            _ => BytesMut::new(),
        };
        let records = self.checks.read(topic, index, from, watermark, &bytes);
        let records = match records {
            Ok(records) => records,
            Err(why) => return self.fail(why),
        };
        // A leader that is new may not know yet how far it may let readers go.
        let end = self.checks.committed_end(topic, index);
        let it = self.reader(client);
        if let Some(last) = &mut it.last_time {
            last.all.extend(&records);
            last.done = records.is_empty() && it.offset >= end;
        }
        if let Some((offset, _)) = records.last() {
            it.offset = offset + 1;
        }
    }

    pub fn reader_lost(&mut self, client: usize, connection: u32) {
        let it = self.reader(client);
        it.leader = None;
        if it.asked.is_some_and(|(on, _)| on == connection) {
            it.asked = None;
        }
    }
}
