//! Making the log shorter: at its end, when a follower learns that its leader knows better; and at
//! its start, when records have been kept long enough.

use crate::{Error, OffsetLog, segment::Segment};

impl OffsetLog {
    /// Cuts off everything from offset `end` on. A batch that reaches beyond `end` goes as a whole,
    /// so the log may end before `end`; the next append goes on where it ends.
    pub fn truncate(&mut self, end: u64) -> Result<(), Error> {
        self.must_hold(end)?;
        self.settle()?;
        if end == self.log_end {
            return Ok(());
        }
        let keep = self.segments.partition_point(|segment| segment.base < end).max(1);
        self.remove_from(keep)?;
        let at = keep - 1;
        let files = self.dir.list()?;
        let len_of = |file: &str| files.iter().find(|(name, _)| name == file).map(|(_, len)| *len);

        self.log_end = self.segments[at].base;
        let mut position = self.rewind(at, end, len_of)?;
        let mut kept = Vec::new();
        for found in self.batches_from(&self.segments[at], position) {
            let (_, begin, batch) = found?;
            if batch.last_offset() >= end {
                break;
            }
            position = begin + u64::from(batch.size);
            kept.push(batch);
        }
        let segment = &mut self.segments[at];
        segment.size = position - kept.iter().map(|batch| u64::from(batch.size)).sum::<u64>();
        self.dir.truncate(&segment.log, position)?;
        for batch in &kept {
            self.keep(at, batch);
        }
        self.settle_indexes(at, len_of)?;
        if self.log_end < self.log_start {
            self.begin_again()?;
        }
        Ok(())
    }

    /// Nothing is left below the start: the next batch gets the offset at which the log starts.
    fn begin_again(&mut self) -> Result<(), Error> {
        self.remove_from(0)?;
        let segment = Segment::new(self.log_start);
        for file in segment.files() {
            self.dir.append(file, &[])?;
        }
        self.segments.push(segment);
        self.log_end = self.log_start;
        Ok(())
    }

    /// Moves the start: offsets below `offset` can no longer be read, and segments that hold
    /// nothing else are removed. The files remember only the segments' base offsets; the caller
    /// remembers the start itself.
    pub fn delete_before(&mut self, offset: u64) -> Result<(), Error> {
        if offset > self.log_end {
            self.must_hold(offset)?;
        }
        self.log_start = self.log_start.max(offset);
        let start = self.log_start;
        let gone = self.segments[1..].iter().take_while(|next| next.base <= start).count();
        self.remove_oldest(gone)?;
        Ok(())
    }

    /// As `delete_before`, but `offset` may lie past the end: a power loss took the end of the log,
    /// and the start that the caller remembers is beyond what is left. Then all of it goes, and the
    /// next batch gets `offset`: an offset that was given out once is never given to another record.
    /// (Kafka: `UnifiedLog.truncateFullyAndStartAt`.)
    pub fn begin_at(&mut self, offset: u64) -> Result<(), Error> {
        if offset <= self.log_end {
            return self.delete_before(offset);
        }
        self.settle()?;
        let segment = Segment::new(offset);
        for file in segment.files() {
            self.dir.append(file, &[]).inspect_err(|_| self.unsettled = true)?;
        }
        self.segments.push(segment);
        (self.log_start, self.log_end) = (offset, offset);
        self.remove_oldest(self.segments.len() - 1)?;
        Ok(())
    }

    /// Removes the oldest segments and moves the start to the oldest that is left. If none would
    /// be, a new one is begun first, so that the log still knows its end.
    pub(crate) fn remove_oldest(&mut self, count: usize) -> Result<Vec<u64>, Error> {
        if count == self.segments.len() {
            self.settle()?;
            let mark = self.active().mark();
            if let Err(error) = self.roll(self.log_end) {
                self.undo(count, mark);
                return Err(error);
            }
        }
        let mut removed = Vec::new();
        for _ in 0..count {
            self.remove_files(0)?;
            removed.push(self.segments.remove(0).base);
            self.log_start = self.log_start.max(self.segments[0].base);
        }
        Ok(removed)
    }

    /// Removes the segment with number `at` and all behind it, newest first. Returns the bytes of
    /// their batches.
    pub(crate) fn remove_from(&mut self, at: usize) -> Result<u64, Error> {
        let mut bytes = 0;
        while self.segments.len() > at {
            self.remove_files(self.segments.len() - 1)?;
            bytes += self.segments.pop().map_or(0, |segment| segment.size);
        }
        Ok(bytes)
    }

    /// The `.log` file first: an index without a log is found and removed when the directory is
    /// opened.
    fn remove_files(&mut self, at: usize) -> Result<(), Error> {
        for file in self.segments[at].files() {
            self.dir.remove(file)?;
        }
        Ok(())
    }

    /// Writes the indexes anew in which a read has met an entry that is not true.
    pub(crate) fn heal(&mut self) -> Result<(), Error> {
        let log_end = self.log_end;
        for at in 0..self.segments.len() {
            if !self.segments[at].lied.get() {
                continue;
            }
            let size = self.segments[at].size;
            let batches = self
                .batches_from(&self.segments[at], 0)
                .map(|found| found.map(|(_, _, batch)| batch))
                .collect::<Result<Vec<_>, _>>()?;
            let files = self.dir.list()?;
            let len_of =
                |file: &str| files.iter().find(|(name, _)| name == file).map(|(_, len)| *len);
            self.rewind(at, 0, len_of)?;
            self.segments[at].size = 0;
            for batch in &batches {
                self.keep(at, batch);
            }
            debug_assert_eq!(self.segments[at].size, size);
            self.settle_indexes(at, len_of)?;
        }
        self.log_end = log_end;
        Ok(())
    }

    fn must_hold(&self, offset: u64) -> Result<(), Error> {
        let (log_start, log_end) = (self.log_start, self.log_end);
        if offset < log_start || offset > log_end {
            return Err(Error::OffsetOutOfRange { offset, log_start, log_end });
        }
        Ok(())
    }
}
