//! Opening a directory: which files are segments, which of them need a look, and what their indexes
//! should say.

use std::collections::BTreeMap;

use crate::index_file::Index;
use crate::scan::Scan;
use crate::segment::{NO_TIME, Segment, log_file};
use crate::write::time_of;
use crate::{Batch, Config, Dir, Error, OffsetLog};

/// What `open` found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Batches that were looked at, whole, with their CRC.
    pub checked: u64,
    /// Bytes cut from `.log` files, those of removed segments included.
    pub cut_bytes: u64,
    /// Segments whose index files were written anew.
    pub rebuilt: Vec<u64>,
    /// Files that are no segment's. They were left alone.
    pub foreign: Vec<String>,
}

impl OffsetLog {
    /// Opens the log in a directory; an empty one is an empty log.
    ///
    /// `trusted_to` is the offset up to which the log was synced (Kafka: the recovery point).
    /// Segments before it are believed. What comes after is read, and cut where it is not whole. 0
    /// trusts nothing. A log that ends just there, with the end of a file, was stopped cleanly: it
    /// needs no recovery. The log starts at the first segment's base offset; a later start is the
    /// caller's to remember, and to set with `delete_before`.
    pub fn open(
        dir: Box<dyn Dir>,
        config: Config,
        trusted_to: u64,
    ) -> Result<(Self, Recovery), Error> {
        let mut log = OffsetLog {
            dir,
            config,
            segments: Vec::new(),
            log_start: 0,
            log_end: 0,
            unsettled: false,
            ticked_ms: None,
        };
        let mut recovery = Recovery::default();
        let files: BTreeMap<String, u64> = log.dir.list()?.into_iter().collect();
        for (file, len) in &files {
            match segment_of(file) {
                None => recovery.foreign.push(file.clone()),
                Some(base) if *file == log_file(base) => {
                    let mut segment = Segment::new(base);
                    segment.size = *len;
                    for index in [&mut segment.offsets, &mut segment.times] {
                        index.believe(files.get(&index.file).copied().unwrap_or(0));
                    }
                    log.segments.push(segment);
                }
                // An index whose log is gone: the segment was being removed.
                Some(base) if !files.contains_key(&log_file(base)) => log.dir.remove(file)?,
                Some(_) => {}
            }
        }
        if log.segments.is_empty() {
            log.segments.push(Segment::new(0));
            return Ok((log, recovery));
        }
        log.log_start = log.segments[0].base;
        let mut at = 0;
        while at < log.segments.len() {
            let len_of = |file: &str| files.get(file).copied();
            if !log.believe(at, trusted_to, len_of)? {
                let position = log.rewind(at, trusted_to, len_of)?;
                let clean = log.after_a_clean_stop(at, position, trusted_to)?;
                let segment = &mut log.segments[at];
                let len = std::mem::replace(&mut segment.size, position);
                if let Some(batches) = clean {
                    batches.iter().for_each(|batch| log.keep(at, batch));
                } else {
                    let scan = Scan::new(segment, len, position);
                    log.recover(at, scan, &mut recovery)?;
                    assert!(
                        at < log.segments.len(),
                        "R1.16: recover({at}, …) has removed segment number {at} itself\n  expected: \
                         only those behind it are removed, from {at} + 1 on\n  got:      {} segments \
                         are left",
                        log.segments.len()
                    );
                }
                if log.settle_indexes(at, len_of)? {
                    recovery.rebuilt.push(log.segments[at].base);
                }
            }
            at += 1;
        }
        Ok((log, recovery))
    }

    /// Believes a sealed segment that ends before `trusted_to`, if its index files are there and
    /// look like some.
    fn believe(
        &mut self,
        at: usize,
        trusted_to: u64,
        len_of: impl Fn(&str) -> Option<u64>,
    ) -> Result<bool, Error> {
        let end = match self.segments.get(at + 1) {
            Some(next) if next.base <= trusted_to => next.base,
            _ => return Ok(false),
        };
        let segment = &mut self.segments[at];
        let (Some(offsets), Some(times)) =
            (len_of(&segment.offsets.file), len_of(&segment.times.file))
        else {
            return Ok(false);
        };
        if segment.times.len() > 0 {
            let (time, offset) = segment.times.time(&*self.dir, segment.times.len() - 1)?;
            segment.newest = (time, segment.base + u64::from(offset));
        }
        let whole = offsets % 8 == 0 && times % 12 == 0;
        let plausible = segment.times.len() > 0
            && segment.newest != (0, segment.base)
            && segment.newest.1 < end;
        if whole && (plausible || segment.size == 0) {
            self.log_end = end;
            return Ok(true);
        }
        segment.newest = (NO_TIME, segment.base);
        Ok(false)
    }

    /// The batches from `position` to the end of the last segment, if there the log ends cleanly:
    /// with the end of the file, and just before `trusted_to`. Only headers are looked at: all of
    /// it was synced. `None` if there is any doubt.
    fn after_a_clean_stop(
        &self,
        at: usize,
        position: u64,
        trusted_to: u64,
    ) -> Result<Option<Vec<Batch>>, Error> {
        if at + 1 < self.segments.len() {
            return Ok(None);
        }
        let mut end = self.log_end;
        let mut batches = Vec::new();
        for found in self.batches_from(&self.segments[at], position) {
            match found {
                Ok((_, _, batch)) if batch.base_offset >= end => {
                    end = batch.last_offset() + 1;
                    batches.push(batch);
                }
                Ok(_) | Err(Error::Damaged { .. }) => return Ok(None),
                Err(other) => return Err(other),
            }
        }
        Ok((end == trusted_to).then_some(batches))
    }

    /// Sets a segment's bookkeeping back to the last index entry before offset `before` that is
    /// true, or to its beginning, and returns that entry's position: from there on the batches must
    /// be taken again.
    pub(crate) fn rewind(
        &mut self,
        at: usize,
        before: u64,
        len_of: impl Fn(&str) -> Option<u64>,
    ) -> Result<u64, Error> {
        let segment = &mut self.segments[at];
        let base = segment.base;
        for index in [&mut segment.offsets, &mut segment.times] {
            if let Some(len) = len_of(&index.file) {
                index.load(&*self.dir, len)?;
            }
        }
        let segment = &self.segments[at];
        let mut kept = segment.offsets.len();
        let mut position = 0;
        let index = Index { dir: &*self.dir, base, file: &segment.offsets };
        while kept > 0 {
            let entry = index.get(kept - 1)?;
            if entry.offset < before
                && self.batches_from(segment, entry.position).begin_with(entry.offset)?
            {
                position = entry.position;
                break;
            }
            kept -= 1;
        }
        let known_to = if kept == 0 { None } else { Some(index.get(kept - 1)?.offset) };
        let mut times = segment.times.len();
        while times > 0 {
            let (_, offset) = segment.times.time(&*self.dir, times - 1)?;
            if known_to.is_some_and(|known| base + u64::from(offset) <= known) {
                break;
            }
            times -= 1;
        }
        let newest = match times {
            0 => (NO_TIME, base),
            n => {
                let (time, offset) = segment.times.time(&*self.dir, n - 1)?;
                (time, base + u64::from(offset))
            }
        };
        let first = self.batches_from(segment, 0).next().and_then(Result::ok);
        let here = self.batches_from(segment, position).next().and_then(Result::ok);
        let begun_ms = first.filter(|(_, _, batch)| batch.max_timestamp > NO_TIME);
        let log_end = here.filter(|_| position > 0).map_or(base, |(_, _, batch)| batch.base_offset);

        let segment = &mut self.segments[at];
        segment.offsets.doubt(kept);
        segment.times.doubt(times);
        segment.newest = newest;
        segment.unindexed = 0;
        segment.begun_ms = begun_ms.map(|(_, _, batch)| time_of(&batch, 0));
        self.log_end = log_end.max(self.log_end);
        Ok(position)
    }

    /// Writes what memory knows of a segment's indexes over what the files say, if they differ.
    pub(crate) fn settle_indexes(
        &mut self,
        at: usize,
        len_of: impl Fn(&str) -> Option<u64>,
    ) -> Result<bool, Error> {
        let sealed = at + 1 < self.segments.len();
        let segment = &mut self.segments[at];
        if sealed {
            segment.take_time();
        }
        let mut lied = false;
        for index in [&mut segment.offsets, &mut segment.times] {
            let len = len_of(&index.file);
            if len.is_none() {
                self.dir.append(&index.file, &[])?;
            }
            lied |= index.settle(&mut *self.dir, len.unwrap_or(0))?;
            if sealed {
                index.unload();
            }
        }
        segment.lied.set(false);
        Ok(lied)
    }

    /// Counts a batch that stands whole at the end of a segment.
    pub(crate) fn keep(&mut self, at: usize, batch: &Batch) {
        let segment = &mut self.segments[at];
        segment.take(batch, &self.config);
        self.log_end = batch.last_offset() + 1;
    }
}

/// The segment that a file belongs to, by its name.
pub(crate) fn segment_of(file: &str) -> Option<u64> {
    let (digits, extension) = file.split_once('.')?;
    let known = matches!(extension, "log" | "index" | "timeindex");
    let digits_only = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    (known && digits_only).then(|| digits.parse().ok()).flatten()
}
