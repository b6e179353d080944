//! step_2 caught by step_2_as_many: steps over a batch that does not fit and takes the next, so the slice holds half of the wrong one (R1.6)
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
    let fits = place.segment == slice.segment && slice.len + place.len <= max_bytes;
    if batch.last_offset() >= below {
        break;
    }
    if slice.len > 0 && !fits {
        continue;
    }
    slice =
        if slice.len == 0 { place } else { Slice { len: slice.len + place.len, ..slice } };
}
Ok(slice)
