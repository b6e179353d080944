//! A segment: some batches in a `.log` file, named by the first offset it may hold, and two index
//! files that say where in it to look. The last segment of a log is the active one; the others are
//! sealed.

use std::cell::Cell;

use crate::index_file::{IndexFile, join_time};
use crate::{Batch, Config, Dir, Error};

/// One segment, as far as memory holds it.
#[derive(Debug)]
pub struct Segment {
    /// The base offset: no batch in here begins before it. It names the files.
    pub base: u64,
    /// Bytes in the `.log` file.
    pub size: u64,
    /// The newest record's time so far, and the last offset of the batch that has it; -1 without
    /// times.
    pub(crate) newest: (i64, u64),
    /// The first batch's time, from which `segment.ms` counts.
    pub(crate) begun_ms: Option<i64>,
    /// Bytes of batches since the last index entry.
    pub(crate) unindexed: u64,
    pub(crate) offsets: IndexFile,
    pub(crate) times: IndexFile,
    /// An index entry turned out wrong: the next `tick` writes the indexes anew.
    pub(crate) lied: Cell<bool>,
    pub(crate) log: String,
}

/// Kafka's names: the base offset in 20 digits.
pub fn log_file(segment: u64) -> String {
    format!("{segment:020}.log")
}

pub(crate) const NO_TIME: i64 = -1;

/// Index entries have four bytes for an offset, and Kafka's are signed.
pub(crate) const MOST_RELATIVE: u64 = i32::MAX as u64;

impl Segment {
    /// An empty segment. Its files are made by whoever adds it to the log.
    pub(crate) fn new(base: u64) -> Self {
        Segment {
            base,
            size: 0,
            newest: (NO_TIME, base),
            begun_ms: None,
            unindexed: 0,
            offsets: IndexFile::new(format!("{base:020}.index"), IndexFile::OFFSET_ENTRY),
            times: IndexFile::new(format!("{base:020}.timeindex"), IndexFile::TIME_ENTRY),
            lied: Cell::new(false),
            log: log_file(base),
        }
    }

    /// The names of its three files.
    pub(crate) fn files(&self) -> [&str; 3] {
        [&self.log, &self.offsets.file, &self.times.file]
    }

    /// Whether even the newest record is older than `ms`. Records without times never are.
    pub(crate) fn is_older_than(&self, ms: u64, now_ms: u64) -> bool {
        u64::try_from(self.newest.0).is_ok_and(|newest| now_ms.saturating_sub(newest) > ms)
    }

    /// Takes a batch that stands, or is about to stand, at the end: counts it, and adds the index
    /// entries that are due. In memory only; `flush` writes them.
    ///
    /// An entry is due once more than `index.interval.bytes` have passed since the last one. So the
    /// first batch of a segment never gets one: the search begins there anyway. (Kafka:
    /// `LogSegment.append`.) When batches are taken anew, an entry that the files have and that is
    /// true is kept, due or not.
    pub(crate) fn take(&mut self, batch: &Batch, config: &Config) {
        if self.newest.0 < batch.max_timestamp {
            self.newest = (batch.max_timestamp, batch.last_offset());
            let entry = self.time_entry();
            if self.times.in_doubt() && self.times.met(&entry) {
                self.times.push(&entry);
            }
        }
        let due = self.unindexed > config.index_interval_bytes;
        if due || self.offsets.in_doubt() {
            let entry = crate::index::entry(self.base, batch, self.size);
            if self.offsets.met(&entry) || due {
                self.offsets.push(&entry);
                self.take_time();
                self.unindexed = 0;
            }
        }
        self.size += u64::from(batch.size);
        self.unindexed += u64::from(batch.size);
    }

    /// Adds the newest time so far to the time index, if it is newer than the last entry there.
    pub(crate) fn take_time(&mut self) {
        if self.newest.0 > self.times.last_time() {
            self.times.push(&self.time_entry());
        }
    }

    fn time_entry(&self) -> [u8; IndexFile::TIME_ENTRY] {
        join_time(self.newest.0, (self.newest.1 - self.base) as u32)
    }

    /// Writes the entries that only memory has.
    pub(crate) fn flush(&mut self, dir: &mut dyn Dir) -> Result<(), Error> {
        self.offsets.flush(dir)?;
        self.times.flush(dir)
    }
}

/// What an append changes in a segment, to put it back when the disk refuses.
pub(crate) struct Mark {
    size: u64,
    newest: (i64, u64),
    begun_ms: Option<i64>,
    unindexed: u64,
    entries: (usize, usize),
}

impl Segment {
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            size: self.size,
            newest: self.newest,
            begun_ms: self.begun_ms,
            unindexed: self.unindexed,
            entries: (self.offsets.len(), self.times.len()),
        }
    }

    pub(crate) fn back_to(&mut self, mark: Mark) {
        self.size = mark.size;
        self.newest = mark.newest;
        self.begun_ms = mark.begun_ms;
        self.unindexed = mark.unindexed;
        self.offsets.keep(mark.entries.0);
        self.times.keep(mark.entries.1);
    }
}
