//! A piece of a file in memory, so that not every small batch costs a system call.

use crate::{Dir, Error};

/// A piece of a file.
pub(crate) struct Window {
    bytes: Vec<u8>,
    position: u64,
    ahead: usize,
    most: usize,
}

impl Window {
    /// A window that reads `ahead` bytes at once, and up to `most` when that turns out to be too
    /// few.
    pub(crate) fn new(ahead: usize, most: usize) -> Self {
        Window { bytes: Vec::new(), position: 0, ahead, most }
    }

    /// The `len` bytes at `position` of a file; fewer if the file, of `file_len` bytes, ends
    /// before.
    pub(crate) fn get(
        &mut self,
        dir: &dyn Dir,
        file: &str,
        file_len: u64,
        position: u64,
        len: usize,
    ) -> Result<&[u8], Error> {
        let end = self.position + self.bytes.len() as u64;
        let wanted_end = (position + len as u64).min(file_len);
        if position < self.position || wanted_end > end {
            // What is wanted begins in what was read last: batches are small, so read more of them at once.
            if (self.position..end).contains(&position) {
                self.ahead = (self.ahead * 4).min(self.most);
            }
            let left = file_len.saturating_sub(position);
            self.bytes.resize(left.min(len.max(self.ahead) as u64) as usize, 0);
            let read = dir.read_at(file, position, &mut self.bytes)?;
            self.bytes.truncate(read);
            self.position = position;
        }
        let from = ((position - self.position) as usize).min(self.bytes.len());
        Ok(&self.bytes[from..self.bytes.len().min(from + len)])
    }
}
