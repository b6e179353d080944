//! Batches to the end of the log: a roll if they do not fit, one write to the `.log` file, and the
//! index entries that are due. Whatever the disk refuses leaves the log as it was.

use crate::segment::{MOST_RELATIVE, Mark, NO_TIME, Segment};
use crate::{Batch, Error, OffsetLog};

impl OffsetLog {
    /// Writes one batch that has its offset already. Returns the base offset of the segment that
    /// was sealed to make room, if one was. `log_end` is the caller's to move.
    pub(crate) fn write(&mut self, now_ms: u64, batch: &[u8]) -> Result<Option<u64>, Error> {
        let header = Batch::parse_whole(batch)?;
        if header.base_offset > self.log_end {
            let (expected, got) = (self.log_end as i64, header.base_offset as i64);
            return Err(Error::NotABatch { what: "the base offset of an append", expected, got });
        }
        self.settle()?;
        self.write_run(now_ms, batch, &[header])
    }

    /// Writes batches that go into one segment. Only the first decides whether that is a new one.
    pub(crate) fn write_run(
        &mut self,
        now_ms: u64,
        bytes: &[u8],
        batches: &[Batch],
    ) -> Result<Option<u64>, Error> {
        let (segments, mark) = (self.segments.len(), self.active().mark());
        let written = self.write_or_leave_a_mess(now_ms, bytes, batches);
        if written.is_err() {
            self.undo(segments, mark);
        } else if let [.., before, _] = &mut self.segments[..]
            && written.as_ref().is_ok_and(Option::is_some)
        {
            before.offsets.unload();
            before.times.unload();
        }
        written
    }

    fn write_or_leave_a_mess(
        &mut self,
        now_ms: u64,
        bytes: &[u8],
        batches: &[Batch],
    ) -> Result<Option<u64>, Error> {
        let sealed = match self.must_roll(now_ms, &batches[0]) {
            true => Some(self.roll(batches[0].base_offset)?),
            false => None,
        };
        self.write_to_active(now_ms, bytes, batches)?;
        Ok(sealed)
    }

    fn write_to_active(
        &mut self,
        now_ms: u64,
        bytes: &[u8],
        batches: &[Batch],
    ) -> Result<(), Error> {
        let first_of_all = self.segments.len() == 1; // all others were made by a roll
        let active = self.segments.last_mut().expect("a log has a segment");
        if active.size == 0 {
            if first_of_all {
                for file in active.files() {
                    self.dir.append(file, &[])?;
                }
            }
            active.begun_ms = Some(time_of(&batches[0], now_ms));
        }
        for batch in batches {
            active.take(batch, &self.config);
        }
        self.dir.append(&active.log, bytes)?;
        active.flush(&mut *self.dir)
    }

    /// Whether a batch needs a new segment. (Kafka: `LogSegment.shouldRoll`.)
    pub(crate) fn must_roll(&self, now_ms: u64, batch: &Batch) -> bool {
        let active = self.active();
        let too_far = batch.last_offset() - active.base > MOST_RELATIVE;
        let limit = self.config.segment_bytes.min(i32::MAX as u64);
        let too_large = active.size + u64::from(batch.size) > limit;
        let begun_ms = active.begun_ms.unwrap_or(i64::MAX);
        let too_long = time_of(batch, now_ms)
            .checked_sub(begun_ms)
            .is_some_and(|span| span > 0 && span as u64 > self.config.segment_ms);
        too_far || (active.size > 0 && (too_large || too_long))
    }

    /// Puts memory back to how it was before a write or a roll, and the files too if they let us.
    pub(crate) fn undo(&mut self, segments: usize, mark: Mark) {
        self.segments.truncate(segments);
        self.active_mut().back_to(mark);
        self.unsettled = true;
        // The first error says more than one met while tidying up, and the next write tries again.
        let _ = self.settle();
    }

    /// Closes the active segment: its time index ends with the newest time in it.
    pub(crate) fn seal(&mut self) -> Result<(), Error> {
        let active = self.segments.last_mut().expect("a log has a segment");
        active.take_time();
        active.flush(&mut *self.dir)
    }

    pub(crate) fn active(&self) -> &Segment {
        self.segments.last().expect("a log has a segment")
    }

    pub(crate) fn active_mut(&mut self) -> &mut Segment {
        self.segments.last_mut().expect("a log has a segment")
    }

    /// After a write that failed: takes from the disk what memory does not know of.
    pub(crate) fn settle(&mut self) -> Result<(), Error> {
        if !self.unsettled {
            return Ok(());
        }
        let active = self.segments.last_mut().expect("a log has a segment");
        for (file, len) in self.dir.list()? {
            let Some(base) = crate::open::segment_of(&file) else { continue };
            let wanted = match base == active.base {
                true if file == active.log => active.size,
                true if file == active.offsets.file => active.offsets.known(),
                true => active.times.known(),
                false if base > active.base => {
                    self.dir.remove(&file)?;
                    continue;
                }
                false => continue,
            };
            if len > wanted {
                self.dir.truncate(&file, wanted)?;
            }
        }
        active.offsets.forget_written();
        active.times.forget_written();
        self.unsettled = false;
        Ok(())
    }
}

/// A batch without times counts as being of now.
pub(crate) fn time_of(batch: &Batch, now_ms: u64) -> i64 {
    if batch.max_timestamp > NO_TIME { batch.max_timestamp } else { now_ms as i64 }
}
