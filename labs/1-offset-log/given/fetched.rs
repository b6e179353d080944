//! Batches that another broker has written already: a follower keeps their offsets, whatever they
//! are.

use crate::{Appended, Batch, Error, OffsetLog};

impl OffsetLog {
    /// Appends whole batches that carry their offsets and leader epochs. Offsets must grow and may
    /// have gaps: compaction leaves them. If one batch is refused, none is kept.
    pub fn append_fetched(&mut self, now_ms: u64, batches: &[u8]) -> Result<Appended, Error> {
        self.settle()?;
        let mut rest = batches;
        let mut headers = Vec::new();
        let mut end = self.log_end;
        while headers.is_empty() || !rest.is_empty() {
            let batch = Batch::parse(rest)?;
            if batch.size as usize > rest.len() {
                let (expected, got) = (i64::from(batch.size), rest.len() as i64);
                return Err(Error::NotABatch { what: "the number of bytes", expected, got });
            }
            if batch.base_offset < end {
                return Err(Error::OutOfOrder { expected: end, got: batch.base_offset });
            }
            end = batch.last_offset() + 1;
            rest = &rest[batch.size as usize..];
            headers.push(batch);
        }
        let was = self.log_end;
        self.write_in_runs(now_ms, batches, &headers).inspect_err(|_| {
            // What was written before the refusal goes too; if even that fails, it stays whole.
            let _ = self.truncate(was);
        })
    }

    /// One write for as many batches as fit into the active segment, then the next.
    fn write_in_runs(
        &mut self,
        now_ms: u64,
        mut bytes: &[u8],
        mut batches: &[Batch],
    ) -> Result<Appended, Error> {
        let first = batches[0].base_offset;
        let mut sealed = None;
        let mut last = first;
        while !batches.is_empty() {
            let rolls = self.must_roll(now_ms, &batches[0]);
            let run = if rolls { 1 } else { self.fitting(now_ms, batches) };
            let len = batches[..run].iter().map(|batch| batch.size as usize).sum();
            sealed = self.write_run(now_ms, &bytes[..len], &batches[..run])?.or(sealed);
            last = batches[run - 1].last_offset();
            self.log_end = last + 1;
            (bytes, batches) = (&bytes[len..], &batches[run..]);
        }
        Ok(Appended { first, last, sealed })
    }

    /// How many of the batches the active segment takes before it must roll.
    fn fitting(&self, now_ms: u64, batches: &[Batch]) -> usize {
        let mut size = 0;
        let fits = |batch: &&Batch| {
            let as_if = Batch { size: batch.size + size, ..**batch };
            size += batch.size;
            !self.must_roll(now_ms, &as_if)
        };
        batches.iter().take_while(fits).count().max(1)
    }
}
