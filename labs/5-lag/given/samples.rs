//! What was seen, look after look.

use std::collections::VecDeque;

/// An offset, and when it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    pub at_ms: u64,
    pub offset: u64,
}

/// The last few looks at one number, the oldest first: a log's end, or what a group has committed.
#[derive(Clone, Debug)]
pub struct Samples {
    samples: VecDeque<Sample>,
    keep: usize,
}

impl Samples {
    /// Keeps the last `keep` looks (at least 1).
    pub fn new(keep: usize) -> Self {
        Self { samples: VecDeque::new(), keep: keep.max(1) }
    }

    /// One more look. If the clock has gone back, what was seen before is forgotten: its times mean nothing any more.
    pub fn seen(&mut self, at_ms: u64, offset: u64) {
        if self.samples.back().is_some_and(|before| before.at_ms > at_ms) {
            self.samples.clear();
        }
        if self.samples.len() == self.keep {
            self.samples.pop_front();
        }
        self.samples.push_back(Sample { at_ms, offset });
        self.samples.make_contiguous();
    }

    /// The looks, the oldest first.
    pub fn all(&self) -> &[Sample] {
        self.samples.as_slices().0
    }

    /// Only the numbers, the oldest first.
    pub fn offsets(&self) -> Vec<u64> {
        self.samples.iter().map(|sample| sample.offset).collect()
    }
}
