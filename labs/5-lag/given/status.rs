//! The words of a verdict, and what is told of a partition and of a group.

use std::fmt::{Display, Formatter, Result};

/// A verdict, from the best to the worst. (Burrow: `StatusConstant`.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Nothing is known of it.
    NotFound,
    Ok,
    /// It commits, but falls behind, or does not catch up.
    Warn,
    /// Only of a group: one of its partitions has one of the verdicts below.
    Err,
    /// It has not committed for too long.
    Stop,
    /// It commits, and always the same offset.
    Stall,
    /// It has gone back, and is not yet where it was.
    Rewind,
}

impl Status {
    pub const ALL: [Status; 7] = {
        use Status::{Err, NotFound, Ok, Rewind, Stall, Stop, Warn};
        [NotFound, Ok, Warn, Err, Stop, Stall, Rewind]
    };

    /// As Burrow writes it.
    pub fn name(self) -> &'static str {
        match self {
            Status::NotFound => "NOTFOUND",
            Status::Ok => "OK",
            Status::Warn => "WARN",
            Status::Err => "ERR",
            Status::Stop => "STOP",
            Status::Stall => "STALL",
            Status::Rewind => "REWIND",
        }
    }
}

impl Display for Status {
    fn fmt(&self, formatter: &mut Formatter) -> Result {
        formatter.pad(self.name())
    }
}

/// What is known of a group in one partition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PartitionStatus {
    pub status: Status,
    /// How many records are left now. Never below zero.
    pub lag: u64,
    /// How full the window is, up to 1.0.
    pub complete: f32,
}

/// What is known of a whole group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupStatus {
    /// `Ok`, `Warn` or `Err`; `NotFound` is for whoever does not find the group at all.
    pub status: Status,
    /// All partitions together.
    pub total_lag: u64,
    /// Which partition has the greatest lag: its place in the list. `None` if there are none.
    pub max_lag: Option<usize>,
    /// The share of partitions whose window is full; 0.0 if there are none.
    pub complete: f32,
}
