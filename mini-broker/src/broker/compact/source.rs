//! An old segment, batch by batch.

use std::io;

use super::{Folder, Sealed};
use crate::records::{Batch, HEADER_LEN, Header};

/// What is read at once.
const AHEAD: usize = 1 << 20;

pub struct Source {
    file: String,
    /// The file's length when it was sealed.
    len: u64,
    /// Where the next batch begins.
    position: u64,
    /// Bytes of the file from `from` on.
    bytes: Vec<u8>,
    from: u64,
}

impl Source {
    pub fn new(segment: &Sealed) -> Self {
        let file = format!("{:020}.log", segment.base);
        Self { file, len: segment.size, position: 0, bytes: Vec::new(), from: 0 }
    }

    /// The next batch, and whether it is the last one. Bytes that are no batch are an error: what
    /// stands behind them cannot be found.
    pub fn next(&mut self, folder: &mut dyn Folder) -> io::Result<Option<(Batch<'_>, bool)>> {
        let at = self.position;
        if at >= self.len {
            return Ok(None);
        }
        let header = Header::read(self.get(folder, HEADER_LEN)?);
        let whole = header.map(|header| (header, header.size() as u64));
        let header = match whole {
            Ok((header, size)) if size <= self.len - at => header,
            Ok((_, size)) => {
                let why = format!("a batch of {size} bytes, {} are left", self.len - at);
                return Err(self.damaged(at, &why));
            }
            Err(error) => return Err(self.damaged(at, &error.to_string())),
        };
        let size = header.size();
        if self.get(folder, size)?.len() < size {
            return Err(self.damaged(at, "the file is shorter than it was"));
        }
        self.position += size as u64;
        let begin = (at - self.from) as usize;
        let batch = Batch { header, bytes: &self.bytes[begin..begin + size] };
        Ok(Some((batch, self.position == self.len)))
    }

    /// The next `len` bytes; fewer only where the file ends.
    fn get(&mut self, folder: &mut dyn Folder, len: usize) -> io::Result<&[u8]> {
        let there = (self.from + self.bytes.len() as u64).saturating_sub(self.position);
        let left = self.len - self.position;
        if there < left.min(len as u64) {
            self.bytes.resize(left.min(AHEAD.max(len) as u64) as usize, 0);
            self.from = self.position;
            let read = folder.read_at(&self.file, self.position, &mut self.bytes)?;
            self.bytes.truncate(read);
        }
        let begin = (self.position - self.from) as usize;
        let end = (begin + len).min(self.bytes.len());
        Ok(&self.bytes[begin..end])
    }

    fn damaged(&self, position: u64, why: &str) -> io::Error {
        let told = format!("{} is damaged at byte {position}: {why}", self.file);
        io::Error::new(io::ErrorKind::InvalidData, told)
    }
}
