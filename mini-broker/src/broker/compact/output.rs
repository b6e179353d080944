//! A new segment, written beside the old ones: the batches, and the index entries that an append of
//! them would have made, so that nobody has to read it to open it.

use std::io;

use super::batch::Left;
use super::swap::{INDEX, LOG, TIME_INDEX, cleaned};
use super::{Folder, Group, Sealed};
use crate::records::Header;

/// Batches are collected up to this many bytes for one write.
const WRITTEN_AT_ONCE: usize = 1 << 20;

/// Index entries have four bytes for an offset, and Kafka's are signed.
const MOST_RELATIVE: u64 = i32::MAX as u64;

pub struct Output {
    base: u64,
    /// What it stands for so far.
    segments: Vec<Sealed>,
    /// Whether anything in it is not as it was.
    changed: bool,
    index: IndexEntries,
    /// Batches that are not written yet.
    batches: Vec<u8>,
}

impl Output {
    pub fn create(folder: &mut dyn Folder, base: u64, interval_bytes: u64) -> io::Result<Self> {
        folder.create(&cleaned(base, LOG))?;
        let index = IndexEntries::new(base, interval_bytes);
        Ok(Self { base, segments: Vec::new(), changed: false, index, batches: Vec::new() })
    }

    /// Bytes so far.
    pub fn size(&self) -> u64 {
        self.index.size
    }

    /// Whether one more old segment goes into this new one, even if all of it is left. (Kafka:
    /// `Cleaner.groupSegmentsBySize`.)
    pub fn takes(&self, next: &Sealed, most_bytes: u64) -> bool {
        let fits = self.size() == 0 || self.size() + next.size <= most_bytes;
        fits && next.end - 1 - self.base <= MOST_RELATIVE
    }

    /// Adds what `clean` leaves of a batch.
    pub fn add(
        &mut self,
        folder: &mut dyn Folder,
        clean: impl FnOnce(&mut Vec<u8>) -> Left,
    ) -> io::Result<Left> {
        let start = self.batches.len();
        let left = clean(&mut self.batches);
        self.changed |= matches!(left, Left::Some | Left::Nothing);
        if let Ok(header) = Header::read(&self.batches[start..]) {
            self.index.take(&header);
        }
        // Packed anew, a batch may be larger than before.
        if self.size() > i32::MAX as u64 {
            return Err(io::Error::other(format!("segment {} would outgrow its index", self.base)));
        }
        if self.batches.len() >= WRITTEN_AT_ONCE {
            self.write(folder)?;
        }
        Ok(left)
    }

    /// All of an old segment has been added.
    pub fn has(&mut self, segment: Sealed) {
        self.segments.push(segment);
    }

    /// The new segment on the disk; nothing, if it only repeats an old one.
    pub fn finish(mut self, folder: &mut dyn Folder) -> io::Result<Option<Group>> {
        let log = cleaned(self.base, LOG);
        if !self.changed && self.segments.len() == 1 {
            folder.remove(&log)?;
            return Ok(None);
        }
        self.write(folder)?;
        folder.sync(&log)?;
        let (offsets, times) = self.index.sealed();
        for (kind, entries) in [(INDEX, offsets), (TIME_INDEX, times)] {
            let file = cleaned(self.base, kind);
            folder.create(&file)?;
            folder.append(&file, &entries)?;
            folder.sync(&file)?;
        }
        Ok(Some(Group { segments: self.segments }))
    }

    fn write(&mut self, folder: &mut dyn Folder) -> io::Result<()> {
        folder.append(&cleaned(self.base, LOG), &self.batches)?;
        self.batches.clear();
        Ok(())
    }
}

/// The two indexes of a segment, by the rule that the log goes by itself (lab 1's `Segment::take`; a
/// test compares them).
struct IndexEntries {
    base: u64,
    interval_bytes: u64,
    size: u64,
    unindexed: u64,
    /// The newest time so far, and the last offset of the batch that has it.
    newest: (i64, u64),
    offsets: Vec<u8>,
    times: Vec<u8>,
    last_time: i64,
}

impl IndexEntries {
    fn new(base: u64, interval_bytes: u64) -> Self {
        Self {
            base,
            interval_bytes,
            size: 0,
            unindexed: 0,
            newest: (-1, base),
            offsets: Vec::new(),
            times: Vec::new(),
            last_time: i64::MIN,
        }
    }

    fn take(&mut self, header: &Header) {
        let last = header.last_offset() as u64;
        if header.max_timestamp > self.newest.0 {
            self.newest = (header.max_timestamp, last);
        }
        if self.unindexed > self.interval_bytes {
            self.offsets.extend_from_slice(&((last - self.base) as u32).to_be_bytes());
            self.offsets.extend_from_slice(&(self.size as u32).to_be_bytes());
            self.take_time();
            self.unindexed = 0;
        }
        self.size += header.size() as u64;
        self.unindexed += header.size() as u64;
    }

    fn take_time(&mut self) {
        let (time, last) = self.newest;
        if time > self.last_time {
            self.times.extend_from_slice(&time.to_be_bytes());
            self.times.extend_from_slice(&((last - self.base) as u32).to_be_bytes());
            self.last_time = time;
        }
    }

    /// Both files of a segment that gets no more batches.
    fn sealed(&mut self) -> (Vec<u8>, Vec<u8>) {
        self.take_time();
        (std::mem::take(&mut self.offsets), std::mem::take(&mut self.times))
    }
}
