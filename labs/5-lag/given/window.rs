//! The last commits of a group in one partition.

use std::collections::VecDeque;

/// A commit, and how far behind it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit {
    /// When it was made.
    pub at_ms: u64,
    /// The committed offset: the next one to read.
    pub offset: u64,
    /// How many records were left at that time. `None` if nobody knew the log's end.
    pub lag: Option<u64>,
}

/// The last few commits, the oldest first. It is not a stretch of time: a group that commits once a day has a
/// window of days. (Burrow: the ring in `InMemoryStorage`, its `intervals` and `min-distance`.)
#[derive(Clone, Debug)]
pub struct Window {
    commits: VecDeque<Commit>,
    intervals: usize,
    min_distance_ms: u64,
}

impl Window {
    /// Keeps `intervals` commits (at least 1; Burrow's default is 10). One that comes less than
    /// `min_distance_ms` after the one before takes its place.
    pub fn new(intervals: usize, min_distance_ms: u64) -> Self {
        Self { commits: VecDeque::new(), intervals: intervals.max(1), min_distance_ms }
    }

    /// The group has committed `offset` at `at_ms`. At that time the log's end was `log_end`, as far as is known.
    pub fn committed(&mut self, at_ms: u64, offset: u64, log_end: Option<u64>) {
        let lag = log_end.map(|end| end.saturating_sub(offset));
        let mut commit = Commit { at_ms, offset, lag };
        match self.commits.back() {
            Some(before) if at_ms.saturating_sub(before.at_ms) < self.min_distance_ms => {
                // It keeps the older time. Otherwise one that commits all the time would have one commit for ever.
                commit.at_ms = before.at_ms;
                self.commits.pop_back();
            }
            _ if self.commits.len() == self.intervals => drop(self.commits.pop_front()),
            _ => {}
        }
        self.commits.push_back(commit);
        self.commits.make_contiguous();
    }

    /// The commits, the oldest first.
    pub fn commits(&self) -> &[Commit] {
        self.commits.as_slices().0
    }

    /// The oldest commit. There must be one.
    pub fn first(&self) -> Commit {
        self.commits[0]
    }

    /// The newest commit. There must be one.
    pub fn last(&self) -> Commit {
        self.commits[self.commits.len() - 1]
    }

    /// How many records are left after the last commit: up to the newest end. 0 if there is no commit or no end.
    pub fn lag(&self, ends: &[u64]) -> u64 {
        match (ends.last(), self.commits.back()) {
            (Some(end), Some(commit)) => end.saturating_sub(commit.offset),
            _ => 0,
        }
    }

    /// One of the ends that were seen is not past the last commit: not long ago all was read.
    pub fn was_at_the_end(&self, ends: &[u64]) -> bool {
        ends.iter().any(|end| *end <= self.last().offset)
    }

    /// At one of the commits nothing was left.
    pub fn had_no_lag(&self) -> bool {
        self.commits.iter().any(|commit| commit.lag == Some(0))
    }

    /// How full the window is, up to 1.0.
    pub fn complete(&self) -> f32 {
        self.commits.len() as f32 / self.intervals as f32
    }
}
