//! An offset log: one partition on disk. (In the making: the signatures stand, the bodies follow.)

use std::io;

pub trait Dir: Send {
    fn list(&self) -> io::Result<Vec<(String, u64)>>;
    fn read_at(&self, file: &str, position: u64, into: &mut [u8]) -> io::Result<usize>;
    fn append(&mut self, file: &str, bytes: &[u8]) -> io::Result<()>;
    fn truncate(&mut self, file: &str, len: u64) -> io::Result<()>;
    fn remove(&mut self, file: &str) -> io::Result<()>;
}

/// Where batches are: bytes `position..position + len` of segment `segment`'s `.log` file; `first` is the first batch's base offset.
/// An empty slice (`len` 0) names no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    pub segment: u64,
    pub position: u64,
    pub len: u32,
    pub first: u64,
}

/// What an append did; `sealed` is the base offset of the segment that it closed, if it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    pub first: u64,
    pub last: u64,
    pub sealed: Option<u64>,
}

/// `None` is Kafka's -1: no limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub segment_bytes: u64,
    pub segment_ms: u64,
    pub index_interval_bytes: u64,
    pub retention_ms: Option<u64>,
    pub retention_bytes: Option<u64>,
    /// `log.retention.check.interval.ms`: how long `deadline` waits after a tick that could not do all it wanted.
    pub retention_check_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        let week_ms = 7 * 24 * 60 * 60 * 1000;
        Config {
            segment_bytes: 1 << 30,
            segment_ms: week_ms,
            index_interval_bytes: 4096,
            retention_ms: Some(week_ms),
            retention_bytes: None,
            retention_check_ms: 5 * 60 * 1000,
        }
    }
}

/// What `open` found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Batches whose CRC was checked.
    pub batches: u64,
    /// Bytes cut from `.log` files, removed segments included.
    pub cut_bytes: u64,
    /// Segments whose index files were written anew.
    pub rebuilt: Vec<u64>,
    /// Files that are none of ours; they were left alone.
    pub foreign: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "offset {offset} is outside the log, which starts at {log_start} and ends at {log_end}"
    )]
    OffsetOutOfRange { offset: u64, log_start: u64, log_end: u64 },
    #[error("not a record batch: {what} must be {expected} and is {got}")]
    NotABatch { what: &'static str, expected: String, got: i64 },
    #[error("batches out of order: expected an offset of at least {expected}, got {got}")]
    OutOfOrder { expected: u64, got: u64 },
    #[error("{file} is damaged at byte {position}: {problem}")]
    Damaged { file: String, position: u64, problem: String },
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The name of a segment's `.log` file: its base offset in 20 digits.
pub fn log_file(segment: u64) -> String {
    format!("{segment:020}.log")
}

pub struct FsDir;
impl FsDir {
    /// The directory is made at the first append.
    pub fn new(_path: impl Into<std::path::PathBuf>) -> Self {
        FsDir
    }
}
/// A directory in memory. Clones share it.
#[derive(Clone, Default)]
pub struct MemDir;
impl MemDir {
    pub fn new() -> Self {
        MemDir
    }
}
macro_rules! later {
    ($dir:ty) => {
        impl Dir for $dir {
            fn list(&self) -> io::Result<Vec<(String, u64)>> {
                unimplemented!()
            }
            fn read_at(&self, _: &str, _: u64, _: &mut [u8]) -> io::Result<usize> {
                unimplemented!()
            }
            fn append(&mut self, _: &str, _: &[u8]) -> io::Result<()> {
                unimplemented!()
            }
            fn truncate(&mut self, _: &str, _: u64) -> io::Result<()> {
                unimplemented!()
            }
            fn remove(&mut self, _: &str) -> io::Result<()> {
                unimplemented!()
            }
        }
    };
}
later!(FsDir);
later!(MemDir);

pub struct OffsetLog;

#[allow(unused_variables)]
impl OffsetLog {
    pub fn open(
        dir: Box<dyn Dir>,
        config: Config,
        trusted_to: u64,
    ) -> Result<(Self, Recovery), Error> {
        unimplemented!()
    }
    pub fn append(
        &mut self,
        now_ms: u64,
        leader_epoch: i32,
        batch: &mut [u8],
    ) -> Result<Appended, Error> {
        unimplemented!()
    }
    pub fn append_fetched(&mut self, now_ms: u64, batches: &[u8]) -> Result<Appended, Error> {
        unimplemented!()
    }
    pub fn read(&self, offset: u64, below: u64, max_bytes: u32) -> Result<Slice, Error> {
        unimplemented!()
    }
    /// The first batch whose largest timestamp is at least `timestamp_ms`.
    pub fn find_time(&self, timestamp_ms: i64) -> Result<Option<Slice>, Error> {
        unimplemented!()
    }
    /// Removes whole segments that are too old or too much, below the high watermark; returns their base offsets.
    pub fn tick(&mut self, now_ms: u64, high_watermark: u64) -> Result<Vec<u64>, Error> {
        unimplemented!()
    }
    pub fn delete_before(&mut self, offset: u64) -> Result<(), Error> {
        unimplemented!()
    }
    pub fn truncate(&mut self, end: u64) -> Result<(), Error> {
        unimplemented!()
    }
    /// When `tick` next has something to do, in wall milliseconds.
    pub fn deadline(&self) -> Option<u64> {
        unimplemented!()
    }
    pub fn log_start(&self) -> u64 {
        unimplemented!()
    }
    pub fn log_end(&self) -> u64 {
        unimplemented!()
    }
    /// Base offsets of the segments, oldest first; the last one is active, the others are sealed.
    pub fn segments(&self) -> impl Iterator<Item = u64> + '_ {
        std::iter::empty()
    }
}
