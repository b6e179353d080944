//! step_2 caught by step_2: gives nothing if the first batch is larger than max_bytes, so the consumer never gets past it (R1.6)
let (log_start, log_end) = (self.log_start, self.log_end);
if offset < log_start || offset > log_end {
    return Err(Error::OffsetOutOfRange { offset, log_start, log_end });
}
let mut slice = Slice::empty(offset);
for found in self.batches(offset)? {
    let (place, batch) = found?;
    if batch.last_offset() < offset {
        continue;
    }
    let other = slice.len > 0 && place.segment != slice.segment;
    let fits = slice.len + place.len <= max_bytes;
    if batch.last_offset() >= below || other || !fits {
        break;
    }
    slice =
        if slice.len == 0 { place } else { Slice { len: slice.len + place.len, ..slice } };
}
Ok(slice)
