//! The metadata log: the coordinator's only memory. It always uses our own offset log, because the
//! cluster's memory must not depend on an unfinished lab. Now and then all of it is written down in a
//! snapshot, and what that holds may go.

use std::fmt;

use offset_log_solution::{self as offset_log, OffsetLog, Slice};
use wire::ErrorCode;

use super::snapshot::Snapshot;
use super::{Cluster, Record, snapshot};
use crate::node::{Files, Job, Located, Refused};
use crate::records::{Batch, Builder, Codec};

/// The metadata log's topic and directory, under Kafka's names for them.
pub const METADATA_TOPIC: &str = "__cluster_metadata";
pub const METADATA_DIR: &str = "__cluster_metadata-0";

/// One coordinator writes it, always in the same epoch.
pub const EPOCH: i32 = 0;

pub struct MetadataLog {
    log: OffsetLog,
    /// Below this offset the log is on the disk. Nobody is told of anything behind it.
    high_watermark: u64,
    syncing: bool,
    /// The newest snapshot. Invariant: the log has every record behind it.
    snapshot: Option<Snapshot>,
    /// The one that is to be written once all that it holds is on the disk.
    next: Option<Snapshot>,
    /// A job writes `next`.
    writing: bool,
    /// Bytes of records behind the newest snapshot, or the next.
    since: u64,
    /// Why nothing can be decided any more: the log could not be synced.
    failed: Option<String>,
}

impl MetadataLog {
    /// Opens the newest snapshot and the log, and reads both. The error is a sentence.
    pub fn open(files: &mut dyn Files, segment_bytes: u64) -> Result<(Self, Cluster), String> {
        // Never by time or size: forgetting a record would forget a topic.
        let config = offset_log::Config {
            segment_bytes,
            retention_ms: None,
            retention_bytes: None,
            ..offset_log::Config::default()
        };
        let told = |error: &dyn fmt::Display| format!("the metadata log {METADATA_DIR}: {error}");
        let newest = Snapshot::newest(files, METADATA_DIR).map_err(|why| told(&why))?;
        let (snapshot, cluster) = newest.unzip();
        let covered = snapshot.as_ref().map_or(0, |snapshot| snapshot.end);
        let dir = files.metadata_dir(METADATA_DIR).map_err(|error| told(&error))?;
        let (mut log, _) = OffsetLog::open(dir, config, 0).map_err(|error| told(&error))?;
        if log.log_start() > covered {
            return Err(told(&format!(
                "it begins at offset {}, and no snapshot says what was before; expected a file such \
                 as {:020}-0000000000.checkpoint",
                log.log_start(),
                log.log_start()
            )));
        }
        if log.log_end() < covered {
            // A log that has lost its end goes on behind the snapshot, which holds what was lost.
            log.begin_at(covered).map_err(|error| told(&error))?;
        }
        // What an earlier run has written and not synced is in the page cache at least.
        files.sync(METADATA_DIR).map_err(|error| told(&error))?;
        let mut log = Self {
            high_watermark: log.log_end(),
            log,
            syncing: false,
            snapshot,
            next: None,
            writing: false,
            since: 0,
            failed: None,
        };
        let (cluster, since) =
            log.replay_from(cluster.unwrap_or_default(), files).map_err(|why| told(&why))?;
        log.since = since;
        log.delete_what_it_holds().map_err(|error| told(&error))?;
        Ok((log, cluster))
    }

    /// Appends records as one batch and gives the first one's offset.
    pub fn append(&mut self, now_ms: u64, records: &[Record]) -> Result<u64, Refused> {
        let storage = |why: String| {
            Refused::new(
                ErrorCode::KAFKA_STORAGE_ERROR,
                format!("the coordinator cannot write its metadata log: {why}"),
            )
        };
        if let Some(why) = &self.failed {
            return Err(storage(why.clone()));
        }
        let mut builder = Builder::new(Codec::None);
        for record in records {
            let none = std::iter::empty::<(&[u8], Option<&[u8]>)>();
            builder.push(now_ms as i64, None, Some(&record.encode()), none);
        }
        let mut batch = builder.finish().expect("at least one record");
        let appended = self.log.append(now_ms, EPOCH, &mut batch);
        let appended = appended.map_err(|error| storage(error.to_string()))?;
        self.since += batch.len() as u64;
        Ok(appended.first)
    }

    /// Where the batches from `offset` on stand that are on the disk; `None` where there are none yet.
    pub fn read(&self, offset: u64, max_bytes: u32) -> Result<Option<Located>, Refused> {
        if offset == self.high_watermark {
            return Ok(None);
        }
        let slice = self.log.read(offset, self.high_watermark, max_bytes).map_err(|error| {
            let code = match &error {
                offset_log::Error::OffsetOutOfRange { .. } => ErrorCode::OFFSET_OUT_OF_RANGE,
                _ => ErrorCode::KAFKA_STORAGE_ERROR,
            };
            Refused::new(code, error.to_string())
        })?;
        Ok((slice.len > 0).then(|| located(&slice)))
    }

    pub fn start(&self) -> u64 {
        self.log.log_start()
    }

    /// The offset that the next record gets.
    pub fn end(&self) -> u64 {
        self.log.log_end()
    }

    pub fn high_watermark(&self) -> u64 {
        self.high_watermark
    }

    /// The offset below which everything counts, or will once it is synced.
    pub fn promised(&self) -> u64 {
        if self.failed.is_some() { self.high_watermark } else { self.end() }
    }

    /// Whether everything counts that was decided and can still count.
    pub fn is_synced(&self) -> bool {
        self.high_watermark == self.promised()
    }

    /// The sync that is due, if one is and none is running.
    pub fn begin_sync(&mut self) -> Option<Job> {
        if self.syncing || self.is_synced() {
            return None;
        }
        self.syncing = true;
        Some(Job::Sync { dir: METADATA_DIR.into(), to: self.end() })
    }

    pub fn synced(&mut self, to: u64) {
        self.syncing = false;
        self.high_watermark = self.high_watermark.max(to);
    }

    /// What counts: the log as it is on the disk. The error is a sentence.
    pub fn replay(&self, files: &dyn Files) -> Result<Cluster, String> {
        let start = self.snapshot.as_ref().map(|snapshot| snapshot::read(&snapshot.bytes));
        let start = start.transpose()?.unwrap_or_default();
        self.replay_from(start, files).map(|(cluster, _)| cluster)
    }

    /// What the log makes of what the snapshot says, and how many bytes of it there are.
    fn replay_from(&self, start: Cluster, files: &dyn Files) -> Result<(Cluster, u64), String> {
        const CHUNK: u32 = 1 << 20;
        let (mut cluster, mut size) = (start, 0);
        let mut offset = self.snapshot.as_ref().map_or(0, |snapshot| snapshot.end);
        while offset < self.high_watermark {
            let slice = self.log.read(offset, self.high_watermark, CHUNK);
            let slice = slice.map_err(|error| error.to_string())?;
            let mut bytes = vec![0; slice.len as usize];
            let read = files.read_at(&located(&slice), &mut bytes);
            let read = read.map_err(|error| error.to_string())?;
            size += read as u64;
            let next = cluster.take(&bytes[..read])?;
            offset = match next {
                Some(next) if next > offset => next,
                _ => return Err(format!("no whole batch at offset {offset}")),
            };
        }
        Ok((cluster, size))
    }

    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.as_ref()
    }

    /// Whether so much was decided since the last snapshot that it is time for another.
    pub fn wants_snapshot(&self, every_bytes: u64) -> bool {
        self.since >= every_bytes && self.next.is_none() && self.failed.is_none()
    }

    /// Takes a snapshot of what all the log's records make.
    pub fn take_snapshot(&mut self, now_ms: u64, cluster: &Cluster) {
        self.next = Some(Snapshot::of(cluster, self.end(), now_ms));
        self.since = 0;
    }

    /// The writing of the next snapshot, if there is one and all it holds is on the disk.
    pub fn begin_snapshot(&mut self) -> Option<Job> {
        let next = self.next.as_ref().filter(|next| next.end <= self.high_watermark)?;
        let ready = !std::mem::replace(&mut self.writing, true);
        let (dir, name, bytes) = (METADATA_DIR.into(), next.file(), next.bytes.clone());
        ready.then_some(Job::Snapshot { dir, name, bytes })
    }

    /// The snapshot is on the disk: segments whose every record it holds go. Or it could not be
    /// written: the next one is taken after as much again.
    pub fn snapshot_written(&mut self, written: bool) -> Result<(), offset_log::Error> {
        self.writing = false;
        let Some(next) = self.next.take().filter(|_| written) else { return Ok(()) };
        self.snapshot = Some(next);
        self.delete_what_it_holds()
    }

    /// Deletes segments whose every record the snapshot holds. The one in which it ends stays: brokers that
    /// are not far behind go on reading there.
    fn delete_what_it_holds(&mut self) -> Result<(), offset_log::Error> {
        match &self.snapshot {
            Some(snapshot) if snapshot.end > self.log.log_start() => {
                let slice = self.log.read(snapshot.end - 1, snapshot.end, 1)?;
                self.log.delete_before(slice.segment)
            }
            _ => Ok(()),
        }
    }

    /// What was decided is unknown to the disk; a sync that failed is never tried again, because the
    /// system may have dropped the very pages.
    pub fn sync_failed(&mut self, why: &str) {
        self.syncing = false;
        self.failed = Some(why.into());
        if !self.writing {
            self.next = None;
        }
    }
}

fn located(slice: &Slice) -> Located {
    let Slice { segment, position, len, .. } = *slice;
    Located { dir: METADATA_DIR.into(), segment, position, len }
}

/// Records with their offsets.
pub type Records = Vec<(u64, Record)>;

/// The records of whole batches, and the offset behind the last of them; `None` if there is no whole
/// batch. The error is a sentence.
pub fn records(mut batches: &[u8]) -> Result<(Records, Option<u64>), String> {
    let mut records = Vec::new();
    let mut next = None;
    while let Ok(batch) = Batch::read(batches) {
        let all = batch.records().map_err(|error| error.to_string())?;
        for record in all.iter() {
            let record = record.map_err(|error| error.to_string())?;
            let fact = Record::decode(record.value.unwrap_or_default())
                .map_err(|error| format!("offset {}: {error}", record.offset))?;
            records.push((record.offset as u64, fact));
        }
        next = Some(batch.header.last_offset() as u64 + 1);
        batches = &batches[batch.bytes.len()..];
    }
    Ok((records, next))
}

/// The kind of a control batch: what it says, it says of the log. `None`: an ordinary batch.
pub fn control_type(batch: &Batch) -> Result<Option<i16>, String> {
    if !batch.header.is_control() {
        return Ok(None);
    }
    let records = batch.records().map_err(|error| error.to_string())?;
    let first = records.iter().next().transpose().map_err(|error| error.to_string())?;
    match first.and_then(|record| record.key) {
        Some([_, _, high, low, ..]) => Ok(Some(i16::from_be_bytes([*high, *low]))),
        _ => Err("a control record without a type".into()),
    }
}

impl Cluster {
    /// Takes whole batches of the metadata log into account, and gives the offset behind them.
    fn take(&mut self, batches: &[u8]) -> Result<Option<u64>, String> {
        let (records, next) = records(batches)?;
        for (offset, record) in records {
            self.apply(offset, &record);
        }
        Ok(next)
    }
}
