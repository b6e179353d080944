//! From header to header over the batches of a log, to find one.

use crate::index_file::{Entry, Index};
use crate::segment::Segment;
use crate::window::Window;
use crate::{Batch, Dir, Error, OffsetLog, Slice, index};

impl OffsetLog {
    /// The batches of the log in order, each with its own place, from somewhere at or before
    /// `offset` on. They go on into the next segments.
    pub(crate) fn batches(
        &self,
        offset: u64,
    ) -> Result<impl Iterator<Item = Result<(Slice, Batch), Error>>, Error> {
        let segments = match offset < self.log_end {
            true => &self.segments[self.find(offset)..],
            false => &[],
        };
        let first = segments.first().map(|segment| self.batches_in(segment, offset)).transpose()?;
        let others = segments.iter().skip(1).map(|segment| self.batches_from(segment, 0));
        Ok(first.into_iter().chain(others).flatten().map(|found| {
            let (segment, position, batch) = found?;
            let (len, first) = (batch.size, batch.base_offset);
            Ok((Slice { segment, position, len, first }, batch))
        }))
    }

    /// The batches of one segment in order, from somewhere at or before `offset` on.
    ///
    /// If the segment's index has entries, it says where to begin. What it says is checked: an
    /// entry that does not lead to its batch is not followed, and the index is written anew at the
    /// next tick.
    pub(crate) fn batches_in<'a>(
        &'a self,
        segment: &'a Segment,
        offset: u64,
    ) -> Result<Batches<'a>, Error> {
        let index = Index { dir: &*self.dir, base: segment.base, file: &segment.offsets };
        if index.is_empty() {
            return Ok(self.batches_from(segment, 0));
        }
        if let Some(Entry { offset, position }) = index::nearest(&index, offset)? {
            let mut batches = self.batches_from(segment, position);
            if batches.begin_with(offset)? {
                return Ok(batches);
            }
            segment.lied.set(true);
        }
        Ok(self.batches_from(segment, 0))
    }

    /// The batches of one segment in order, from a position on that is known to be right.
    pub(crate) fn batches_from<'a>(&'a self, segment: &'a Segment, position: u64) -> Batches<'a> {
        let window = Window::new(AHEAD, MOST_AHEAD);
        Batches { dir: &*self.dir, segment, position, window }
    }
}

/// About what lies between two index entries; and more when batches are small and many are wanted.
const AHEAD: usize = 8 << 10;
const MOST_AHEAD: usize = 32 << 10;

/// Goes over the batches of one segment. Each comes with the segment's base offset and its
/// position.
pub(crate) struct Batches<'a> {
    dir: &'a dyn Dir,
    segment: &'a Segment,
    position: u64,
    window: Window,
}

impl Batches<'_> {
    /// Whether the first batch is there, and ends with `offset`.
    pub(crate) fn begin_with(&mut self, offset: u64) -> Result<bool, Error> {
        match self.here() {
            Ok(batch) => Ok(batch.last_offset() == offset),
            Err(Error::NotABatch { .. }) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// The batch at the position.
    fn here(&mut self) -> Result<Batch, Error> {
        let (file, size) = (&self.segment.log, self.segment.size);
        let header = self.window.get(self.dir, file, size, self.position, Batch::HEADER)?;
        let batch = Batch::parse(header)?;
        let end = self.position + u64::from(batch.size);
        if end > size {
            let (expected, got) = (size as i64, end as i64);
            return Err(Error::NotABatch { what: "the batch's end, at most,", expected, got });
        }
        Ok(batch)
    }
}

impl Iterator for Batches<'_> {
    type Item = Result<(u64, u64, Batch), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let position = self.position;
        if position >= self.segment.size {
            return None;
        }
        let found = self.here();
        // Nothing can be found behind damage: the walk ends there.
        let size = found.as_ref().map_or(self.segment.size, |batch| u64::from(batch.size));
        self.position += size;
        Some(match found {
            Ok(batch) => Ok((self.segment.base, position, batch)),
            Err(error @ Error::NotABatch { .. }) => Err(Error::Damaged {
                file: self.segment.log.clone(),
                position,
                problem: error.to_string(),
            }),
            Err(other) => Err(other),
        })
    }
}
