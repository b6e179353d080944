//! How many records are left to read.

/// Where a group's committed offset lies in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The group has committed nothing here.
    Nowhere,
    /// Retention was faster: so many records were deleted that the group had not read.
    Overtaken { lost: u64 },
    /// In the log, or just behind its last record.
    Within,
    /// Past the end by so many records. The log was cut, or the topic made anew, or the number was never right.
    Beyond { by: u64 },
}

/// The lag as operators' tools show it: how many offsets the log's end is ahead of what the group has
/// committed. `None`, which tools print as `-`, if it has committed nothing. Below zero if it has committed
/// more than there is. (Kafka: `ConsumerGroupCommand`.)
///
/// `log_end` is the next offset to be read or written: for a consumer, the high watermark.
pub fn lag(log_end: u64, committed: Option<u64>) -> Option<i64> {
    // STARTER: todo!("step 1: the lag of {committed:?} in a log that ends at {log_end}")
    // ANCHOR: step_1_a
    Some(log_end as i64 - committed? as i64)
    // ANCHOR_END: step_1_a
}

/// Where `committed` lies in a log that starts at `log_start` and ends at `log_end`.
pub fn place(log_start: u64, log_end: u64, committed: Option<u64>) -> Place {
    // STARTER: todo!("step 1: where {committed:?} lies in a log from {log_start} to {log_end}")
    // ANCHOR: step_1_b
    match committed {
        None => Place::Nowhere,
        Some(offset) if offset < log_start => Place::Overtaken { lost: log_start - offset },
        Some(offset) if offset > log_end => Place::Beyond { by: offset - log_end },
        Some(_) => Place::Within,
    }
    // ANCHOR_END: step_1_b
}
