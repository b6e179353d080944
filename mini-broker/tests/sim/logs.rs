//! What lies on the disks, as far as the checks need it: of every partition's log the batches, in order.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mini_broker::records::batches;
use uuid::Uuid;

use crate::disk::Disk;

/// A partition, by its topic's id.
pub type Key = (Uuid, i32);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    pub first: u64,
    pub last: u64,
    pub epoch: i32,
    /// Of its records, and of all else that does not change.
    pub crc: u32,
}

#[derive(Default)]
pub struct Log {
    pub batches: Vec<Batch>,
    /// The base offset of the newest segment, and how far each file is taken.
    newest: u64,
    files: BTreeMap<String, usize>,
}

/// What came of a look at a log.
pub struct Looked {
    pub key: Key,
    /// Batches from this place on are new.
    pub new_from: usize,
    /// What was there is not there any more.
    pub shrank: bool,
}

impl Log {
    pub fn end(&self) -> u64 {
        self.batches.last().map_or(self.newest, |last| last.last + 1)
    }

    pub fn start(&self) -> u64 {
        self.batches.first().map_or(self.newest, |first| first.first)
    }

    pub fn at(&self, offset: u64) -> Option<&Batch> {
        let place = self.batches.partition_point(|batch| batch.last < offset);
        self.batches.get(place).filter(|batch| batch.first <= offset)
    }
}

/// All logs, by host and partition.
#[derive(Default)]
pub struct Logs {
    all: BTreeMap<(usize, Key), Log>,
    pub keys: BTreeMap<(usize, String), Key>,
}

impl Logs {
    pub fn of(&self, host: usize, key: Key) -> Option<&Log> {
        self.all.get(&(host, key))
    }

    /// Looks at a directory in which something has happened.
    pub fn look(&mut self, host: usize, disk: &Disk, dir: &str, grew: bool) -> Vec<Looked> {
        let Some(index) = dir.rsplit_once('-').and_then(|(_, index)| index.parse().ok()) else {
            return Vec::new();
        };
        let state = disk.lock();
        let files = state.dirs.get(dir);
        let id = files.and_then(|files| topic_id(&files.get("partition.metadata")?.bytes));
        let key = id.map(|id| (id, index));
        let place = (host, dir.to_string());
        let mut looked = Vec::new();
        if let Some(before) = self.keys.get(&place).copied()
            && key != Some(before)
        {
            self.keys.remove(&place);
            if let Some(log) = self.all.remove(&(host, before)) {
                let shrank = !log.batches.is_empty();
                looked.push(Looked { key: before, new_from: 0, shrank });
            }
        }
        let (Some(key), Some(files)) = (key, files) else { return looked };
        self.keys.insert(place, key);
        let log = self.all.entry((host, key)).or_default();
        let before = std::mem::take(&mut log.batches);
        let mut kept = before.clone();
        if !grew {
            log.files.clear();
            kept.clear();
        }
        for (name, file) in files {
            let Some(base) = name.strip_suffix(".log") else { continue };
            log.newest = base.parse().unwrap_or(0);
            let taken = log.files.entry(name.clone()).or_default();
            for batch in batches(&file.bytes[(*taken).min(file.bytes.len())..]) {
                let Ok(batch) = batch else { break };
                let header = batch.header;
                let next = kept.last().map_or(log.newest, |last: &Batch| last.last + 1);
                if header.base_offset as u64 != next {
                    break; // what was before it is lost; it will be cut off
                }
                *taken += batch.bytes.len();
                kept.push(Batch {
                    first: header.base_offset as u64,
                    last: header.last_offset() as u64,
                    epoch: header.leader_epoch,
                    crc: header.crc,
                });
            }
        }
        log.batches = kept;
        let same = before.iter().zip(&log.batches).take_while(|(one, other)| one == other).count();
        // Old segments may go at the start.
        let shrank = log.end() < before.last().map_or(0, |last| last.last + 1)
            || before.last().is_some_and(|last| log.at(last.first) != Some(last));
        looked.push(Looked { key, new_from: if grew { before.len() } else { same }, shrank });
        looked
    }
}

fn topic_id(text: &[u8]) -> Option<Uuid> {
    let text = std::str::from_utf8(text).ok()?;
    let id = text.lines().find_map(|line| line.strip_prefix("topic_id: "))?;
    Uuid::from_slice(&URL_SAFE_NO_PAD.decode(id.trim()).ok()?).ok()
}
