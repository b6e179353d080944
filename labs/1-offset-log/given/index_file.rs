//! The two index files of a segment: entries of a fixed size, so that the n-th stands at n times
//! that size.
//!
//! ```text
//! .index      4 offset, relative to the segment's base   4 position in the .log file
//! .timeindex  8 time in milliseconds                     4 offset, relative to the segment's base
//! ```
//!
//! Offsets here are **last** offsets of batches, as in Kafka. A sealed segment's entries stay on
//! disk and are read one by one; those of the active segment are in memory too, in the same bytes.

use crate::{Dir, Error};

/// An entry of the `.index`: the batch with this last offset begins at this position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub offset: u64,
    pub position: u64,
}

/// What the search sees of a segment's `.index`.
pub struct Index<'a> {
    pub(crate) dir: &'a dyn Dir,
    pub(crate) base: u64,
    pub(crate) file: &'a IndexFile,
}

impl Index<'_> {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.file.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The n-th entry, the first being 0.
    pub fn get(&self, n: usize) -> Result<Entry, Error> {
        let mut bytes = [0; IndexFile::OFFSET_ENTRY];
        self.file.read(self.dir, n, &mut bytes)?;
        let [o0, o1, o2, o3, p0, p1, p2, p3] = bytes;
        Ok(Entry {
            offset: self.base + u64::from(u32::from_be_bytes([o0, o1, o2, o3])),
            position: u64::from(u32::from_be_bytes([p0, p1, p2, p3])),
        })
    }
}

/// Either kind of index file.
#[derive(Debug)]
pub struct IndexFile {
    pub(crate) file: String,
    entry: usize,
    /// The entries' bytes, if they are in memory.
    loaded: Option<Vec<u8>>,
    /// Bytes of entries on disk.
    written: usize,
    /// While batches are taken anew: the entries that the file has for them, not yet met.
    stood: Vec<u8>,
}

impl IndexFile {
    pub(crate) const OFFSET_ENTRY: usize = 8;
    pub(crate) const TIME_ENTRY: usize = 12;

    pub(crate) fn new(file: String, entry: usize) -> Self {
        IndexFile { file, entry, loaded: Some(Vec::new()), written: 0, stood: Vec::new() }
    }

    /// Believes the file: it holds `bytes` bytes of entries.
    pub(crate) fn believe(&mut self, bytes: u64) {
        self.loaded = None;
        self.written = bytes as usize;
    }

    pub(crate) fn len(&self) -> usize {
        self.loaded.as_ref().map_or(self.written, Vec::len) / self.entry
    }

    /// Reads the n-th entry.
    pub(crate) fn read(&self, dir: &dyn Dir, n: usize, into: &mut [u8]) -> Result<(), Error> {
        let position = n * self.entry;
        if let Some(loaded) = &self.loaded {
            into.copy_from_slice(&loaded[position..position + self.entry]);
        } else if dir.read_at(&self.file, position as u64, into)? < into.len() {
            into.fill(0); // an entry that cannot be true, and is found out when used
        }
        Ok(())
    }

    /// The n-th entry of a time index: the time, and the offset relative to the segment's base.
    pub(crate) fn time(&self, dir: &dyn Dir, n: usize) -> Result<(i64, u32), Error> {
        let mut bytes = [0; Self::TIME_ENTRY];
        self.read(dir, n, &mut bytes)?;
        Ok(split_time(&bytes))
    }

    /// The last time in a loaded time index.
    pub(crate) fn last_time(&self) -> i64 {
        let loaded = self.loaded.as_deref().unwrap_or_default();
        loaded.last_chunk().map_or(i64::MIN, |entry| split_time(entry).0)
    }

    pub(crate) fn push(&mut self, entry: &[u8]) {
        self.loaded.get_or_insert_default().extend_from_slice(entry);
    }

    /// Forgets all entries but the first `n`, in memory only.
    pub(crate) fn keep(&mut self, n: usize) {
        self.loaded.get_or_insert_default().truncate(n * self.entry);
    }

    /// Forgets all entries but the first `n`, but for `met`: batches will be taken anew.
    pub(crate) fn doubt(&mut self, n: usize) {
        let loaded = self.loaded.get_or_insert_default();
        self.stood = loaded.split_off(n * self.entry);
        self.stood.reverse(); // the next one is at the end
    }

    /// Whether the file has this very entry next. If so it is true, and stays.
    pub(crate) fn met(&mut self, entry: &[u8]) -> bool {
        let met = self.stood.iter().rev().take(self.entry).eq(entry);
        if met {
            self.stood.truncate(self.stood.len() - self.entry);
        }
        met
    }

    /// Whether there are entries to be met.
    pub(crate) fn in_doubt(&self) -> bool {
        !self.stood.is_empty()
    }

    /// Brings the entries into memory: all that are there, without the zeros that a killed Kafka
    /// leaves behind them.
    pub(crate) fn load(&mut self, dir: &dyn Dir, file_len: u64) -> Result<(), Error> {
        if self.loaded.is_none() {
            let mut bytes = read_all(dir, &self.file, file_len)?;
            let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            bytes.truncate(
                used.next_multiple_of(self.entry).min(bytes.len() / self.entry * self.entry),
            );
            self.loaded = Some(bytes);
        }
        Ok(())
    }

    /// Leaves the entries to the disk. They must be written.
    pub(crate) fn unload(&mut self) {
        self.loaded = None;
    }

    /// Writes what only memory has.
    pub(crate) fn flush(&mut self, dir: &mut dyn Dir) -> Result<(), Error> {
        if let Some(loaded) = &self.loaded
            && loaded.len() > self.written
        {
            dir.append(&self.file, &loaded[self.written..])?;
            self.written = loaded.len();
        }
        Ok(())
    }

    /// How many bytes the file should have at most: what is more is left from a write that failed.
    pub(crate) fn known(&self) -> u64 {
        self.loaded.as_ref().map_or(self.written, |loaded| loaded.len().min(self.written)) as u64
    }

    /// After entries were forgotten: the file must not have them either.
    pub(crate) fn forget_written(&mut self) {
        if let Some(loaded) = &self.loaded {
            self.written = self.written.min(loaded.len());
        }
    }

    /// Makes the file say what memory says, and tells whether it had said something else. Zeros at
    /// the end do not count.
    pub(crate) fn settle(&mut self, dir: &mut dyn Dir, file_len: u64) -> Result<bool, Error> {
        self.stood = Vec::new();
        let loaded = self.loaded.as_deref().unwrap_or_default();
        let disk = read_all(dir, &self.file, file_len)?;
        let same = loaded.iter().zip(&disk).take_while(|(a, b)| a == b).count();
        let same = same / self.entry * self.entry;
        let lied = same < loaded.len() || disk[same..].iter().any(|byte| *byte != 0);
        if disk.len() > same {
            dir.truncate(&self.file, same as u64)?;
        }
        self.written = same;
        self.flush(dir)?;
        Ok(lied)
    }
}

pub(crate) fn join_time(time: i64, relative_offset: u32) -> [u8; IndexFile::TIME_ENTRY] {
    let mut entry = [0; IndexFile::TIME_ENTRY];
    entry[..8].copy_from_slice(&time.to_be_bytes());
    entry[8..].copy_from_slice(&relative_offset.to_be_bytes());
    entry
}

fn split_time(bytes: &[u8; IndexFile::TIME_ENTRY]) -> (i64, u32) {
    let (time, offset) = bytes.split_at(8);
    (
        i64::from_be_bytes(time.try_into().expect("eight bytes")),
        u32::from_be_bytes(offset.try_into().expect("four bytes")),
    )
}

fn read_all(dir: &dyn Dir, file: &str, len: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![0; len as usize];
    let read = dir.read_at(file, 0, &mut bytes)?;
    bytes.truncate(read);
    Ok(bytes)
}
