//! A segment's bytes, batch by batch: to check what a crash has left.

use crate::segment::{MOST_RELATIVE, Segment};
use crate::window::Window;
use crate::{Batch, Dir, Error};

/// A checksum wants to see every byte anyway.
const AHEAD: usize = 1 << 20;

/// The bytes of a `.log` file, batch by batch, for as long as they have the shape of whole batches.
pub struct Scan {
    pub(crate) file: String,
    /// The file's length.
    pub(crate) len: u64,
    base: u64,
    position: u64,
    window: Window,
}

impl Scan {
    pub(crate) fn new(segment: &Segment, len: u64, position: u64) -> Self {
        let window = Window::new(AHEAD, AHEAD);
        Scan { file: segment.log.clone(), len, base: segment.base, position, window }
    }

    /// The next batch and all its bytes. `None` where the file ends, and where what is left is no
    /// whole batch: too short for its own length field, not Kafka's magic 2, or an offset that does
    /// not belong into this segment.
    pub(crate) fn next(&mut self, dir: &dyn Dir) -> Result<Option<(Batch, &[u8])>, Error> {
        let left = self.len - self.position;
        if left < Batch::HEADER as u64 {
            return Ok(None);
        }
        let header = self.window.get(dir, &self.file, self.len, self.position, Batch::HEADER)?;
        let Ok(batch) = Batch::parse(header) else { return Ok(None) };
        let belongs =
            batch.base_offset >= self.base && batch.last_offset() - self.base <= MOST_RELATIVE;
        if !belongs || left < u64::from(batch.size) {
            return Ok(None);
        }
        let (position, size) = (self.position, batch.size as usize);
        self.position += u64::from(batch.size);
        let bytes = self.window.get(dir, &self.file, self.len, position, size)?;
        Ok(Some((batch, bytes)))
    }
}
