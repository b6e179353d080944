//! The same log, without files, segments or indexes: a list of batches. It is slow, and right.

/// A batch: its base offset, its last offset, its bytes in the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    pub first: u64,
    pub last: u64,
    pub time_ms: i64,
    pub bytes: Vec<u8>,
}

#[derive(Clone, Debug, Default)]
pub struct Model {
    pub batches: Vec<Stored>,
    pub log_start: u64,
    pub log_end: u64,
}

impl Model {
    pub fn append(&mut self, stored: Stored) {
        self.log_end = stored.last + 1;
        self.batches.push(stored);
    }

    /// The batches that a read may begin with, in order.
    pub fn from(&self, offset: u64, below: u64) -> &[Stored] {
        let begin = self.batches.partition_point(|batch| batch.last < offset);
        let end = self.batches.partition_point(|batch| batch.last < below);
        self.batches.get(begin..end).unwrap_or(&[])
    }

    pub fn find_time(&self, time_ms: i64) -> Option<&Stored> {
        self.batches.iter().find(|batch| batch.time_ms >= time_ms && batch.last >= self.log_start)
    }

    pub fn truncate(&mut self, end: u64) {
        if end < self.log_end {
            self.batches.retain(|batch| batch.last < end);
            let last = self.batches.last().map_or(0, |batch| batch.last + 1);
            self.log_end = last.max(self.log_start);
        }
    }

    pub fn delete_before(&mut self, offset: u64) {
        self.log_start = self.log_start.max(offset);
    }
}
