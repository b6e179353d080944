//! Looking up a time: which batch holds the first record that is not older?

use crate::segment::{NO_TIME, Segment};
use crate::{Error, OffsetLog, Slice};

impl OffsetLog {
    /// The first batch whose newest record is not older than `timestamp_ms`; `None` if all are
    /// older.
    ///
    /// The answer is the batch, not the record: its records may be compressed, and the log does not
    /// look into them. A batch of which compaction has left the header has a time, but no record to
    /// find. (Kafka: `LogSegment.findOffsetByTimestamp`.)
    pub fn find_time(&self, timestamp_ms: i64) -> Result<Option<Slice>, Error> {
        let new_enough = |segment: &&Segment| segment.newest.0 >= timestamp_ms && segment.size > 0;
        for segment in self.segments.iter().filter(new_enough) {
            let begin = self.time_hint(segment, timestamp_ms)?.unwrap_or(segment.base);
            for found in self.batches_in(segment, begin)? {
                let (_, position, batch) = found?;
                let deleted = batch.last_offset() < self.log_start;
                if batch.max_timestamp >= timestamp_ms && batch.count > 0 && !deleted {
                    let (first, len) = (batch.base_offset, batch.size);
                    return Ok(Some(Slice { segment: segment.base, position, len, first }));
                }
            }
        }
        Ok(None)
    }

    /// An offset from which on the search may begin, by the last time index entry that is not too
    /// new.
    ///
    /// An entry says: this batch has the newest time so far. So everything before that batch is
    /// older.
    fn time_hint(&self, segment: &Segment, timestamp_ms: i64) -> Result<Option<u64>, Error> {
        let (mut low, mut high) = (0, segment.times.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if segment.times.time(&*self.dir, middle)?.0 <= timestamp_ms {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if low == 0 {
            return Ok(None);
        }
        let (time, offset) = segment.times.time(&*self.dir, low - 1)?;
        let offset = segment.base + u64::from(offset);
        for found in self.batches_in(segment, offset)? {
            let (_, _, batch) = found?;
            if batch.last_offset() >= offset {
                if batch.last_offset() == offset && batch.max_timestamp == time && time > NO_TIME {
                    return Ok(Some(offset));
                }
                break;
            }
        }
        segment.lied.set(true);
        Ok(None)
    }
}
