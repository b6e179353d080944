//! The metadata log: the coordinator's only memory. It always uses our own offset log, because the
//! cluster's memory must not depend on an unfinished lab.

use std::fmt;

use offset_log_solution::{self as offset_log, OffsetLog, Slice};
use wire::ErrorCode;

use super::{Cluster, Record};
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
    /// Why nothing can be decided any more: the log could not be synced.
    failed: Option<String>,
}

impl MetadataLog {
    /// Opens the log and reads it from the start. The error is a sentence.
    pub fn open(files: &mut dyn Files) -> Result<(Self, Cluster), String> {
        // Never by time or size: forgetting a record would forget a topic.
        let config = offset_log::Config {
            retention_ms: None,
            retention_bytes: None,
            ..offset_log::Config::default()
        };
        let told = |error: &dyn fmt::Display| format!("the metadata log {METADATA_DIR}: {error}");
        let dir = files.metadata_dir(METADATA_DIR).map_err(|error| told(&error))?;
        let (log, _) = OffsetLog::open(dir, config, 0).map_err(|error| told(&error))?;
        // What an earlier run has written and not synced is in the page cache at least.
        files.sync(METADATA_DIR).map_err(|error| told(&error))?;
        let high_watermark = log.log_end();
        let cluster = replay(&log, high_watermark, files).map_err(|why| told(&why))?;
        Ok((Self { log, high_watermark, syncing: false, failed: None }, cluster))
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
        appended.map(|appended| appended.first).map_err(|error| storage(error.to_string()))
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
        replay(&self.log, self.high_watermark, files)
    }

    /// What was decided is unknown to the disk; a sync that failed is never tried again, because the
    /// system may have dropped the very pages.
    pub fn sync_failed(&mut self, why: &str) {
        self.syncing = false;
        self.failed = Some(why.into());
    }
}

fn located(slice: &Slice) -> Located {
    let Slice { segment, position, len, .. } = *slice;
    Located { dir: METADATA_DIR.into(), segment, position, len }
}

fn replay(log: &OffsetLog, below: u64, files: &dyn Files) -> Result<Cluster, String> {
    const CHUNK: u32 = 1 << 20;
    let mut cluster = Cluster::default();
    let mut offset = log.log_start();
    while offset < below {
        let slice = log.read(offset, below, CHUNK).map_err(|error| error.to_string())?;
        let mut bytes = vec![0; slice.len as usize];
        let read =
            files.read_at(&located(&slice), &mut bytes).map_err(|error| error.to_string())?;
        let next = cluster.take(&bytes[..read])?;
        offset = match next {
            Some(next) if next > offset => next,
            _ => return Err(format!("no whole batch at offset {offset}")),
        };
    }
    Ok(cluster)
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
