//! Two ways to walk over the batches of a segment: by their headers, to find one; and whole, to check them.

use std::iter;

use crate::index_file::{Entry, Index};
use crate::segment::Segment;
use crate::{Batch, Dir, Error, OffsetLog, Slice, index};

impl OffsetLog {
    /// The batches of the log in order, each with its own place, from somewhere at or before `offset` on. They go on into
    /// the next segments.
    pub(crate) fn batches(
        &self,
        offset: u64,
    ) -> Result<impl Iterator<Item = Result<(Slice, Batch), Error>>, Error> {
        let segments = match offset < self.log_end {
            true => &self.segments[self.find(offset)..],
            false => &[],
        };
        let begin = match segments.first() {
            Some(segment) => self.begin(segment, offset)?,
            None => 0,
        };
        let begins = iter::once(begin).chain(iter::repeat(0));
        Ok(segments.iter().zip(begins).flat_map(|(segment, begin)| {
            self.batches_from(segment, begin).map(|found| {
                let (position, batch) = found?;
                let (segment, len, first) = (segment.base, batch.size, batch.base_offset);
                Ok((Slice { segment, position, len, first }, batch))
            })
        }))
    }

    /// The batches of one segment in order, each with its position, from somewhere at or before `offset` on.
    pub(crate) fn batches_in(
        &self,
        segment: &Segment,
        offset: u64,
    ) -> Result<impl Iterator<Item = Result<(u64, Batch), Error>>, Error> {
        Ok(self.batches_from(segment, self.begin(segment, offset)?))
    }

    /// The position in a segment at which a search for `offset` begins.
    ///
    /// If the segment's index has entries, it says where. What it says is checked: an entry that does not lead to
    /// its batch is not followed, and the index is written anew at the next tick.
    fn begin(&self, segment: &Segment, offset: u64) -> Result<u64, Error> {
        match self.nearest(segment, offset)? {
            None => Ok(0),
            Some(entry) if self.is_true(segment, entry.offset, entry.position)? => {
                Ok(entry.position)
            }
            Some(_) => {
                segment.lied.set(true);
                Ok(0)
            }
        }
    }

    fn nearest(&self, segment: &Segment, offset: u64) -> Result<Option<Entry>, Error> {
        let index = Index { dir: &*self.dir, base: segment.base, file: &segment.offsets };
        if index.is_empty() {
            return Ok(None);
        }
        index::nearest(&index, offset)
    }

    /// Whether the batch that ends with `offset` begins at `position`.
    pub(crate) fn is_true(
        &self,
        segment: &Segment,
        offset: u64,
        position: u64,
    ) -> Result<bool, Error> {
        let mut header = [0; Batch::HEADER];
        let inside = position + Batch::HEADER as u64 <= segment.size;
        Ok(inside
            && self.dir.read_at(&segment.log, position, &mut header)? == header.len()
            && Batch::parse(&header).is_ok_and(|batch| batch.last_offset() == offset))
    }

    /// The batches of a segment in order, each with its position, from a position on that is known to be right.
    pub(crate) fn batches_from(
        &self,
        segment: &Segment,
        mut position: u64,
    ) -> impl Iterator<Item = Result<(u64, Batch), Error>> {
        let mut window = Window::new(SMALL);
        iter::from_fn(move || {
            if position >= segment.size {
                return None;
            }
            let at = position;
            let header = match window.get(&*self.dir, &segment.log, segment.size, at, Batch::HEADER)
            {
                Ok(bytes) => Batch::parse(bytes),
                Err(error) => Err(error),
            };
            let header = header.and_then(|batch| match at + u64::from(batch.size) {
                end if end <= segment.size => Ok(batch),
                end => {
                    let (expected, got) = (segment.size as i64, end as i64);
                    Err(Error::NotABatch { what: "the batch's end, at most,", expected, got })
                }
            });
            Some(match header {
                Ok(batch) => {
                    position += u64::from(batch.size);
                    Ok((at, batch))
                }
                Err(error) => {
                    position = segment.size; // nothing can be found behind damage
                    Err(match error {
                        Error::NotABatch { .. } => Error::Damaged {
                            file: segment.log.clone(),
                            position: at,
                            problem: error.to_string(),
                        },
                        other => other,
                    })
                }
            })
        })
    }
}

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
        let window = Window::new(LARGE);
        Scan { file: segment.log.clone(), len, base: segment.base, position, window }
    }

    /// The next batch and all its bytes. `None` where the file ends, and where what is left is no whole batch:
    /// too short for its own length field, not Kafka's magic 2, or an offset that does not belong into this segment.
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

/// Index entries have four bytes for an offset, and Kafka's are signed.
pub(crate) const MOST_RELATIVE: u64 = i32::MAX as u64;

/// Headers of small batches come many at a time; more are read at once when the first look was not enough.
const SMALL: usize = 4 << 10;
const LARGE: usize = 1 << 20;

/// A piece of a file in memory, so that not every small batch costs a system call.
struct Window {
    bytes: Vec<u8>,
    position: u64,
    ahead: usize,
}

impl Window {
    fn new(ahead: usize) -> Self {
        Window { bytes: Vec::new(), position: 0, ahead }
    }

    /// The `len` bytes at `position` of a file; fewer if the file, of `file_len` bytes, ends before.
    fn get(
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
                self.ahead = (self.ahead * 4).min(LARGE);
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
