//! Is that lag a problem? The last few commits say, by the rules of Burrow.

use crate::{Status, Window};

impl Window {
    /// What the commits in this window say about the partition. (Burrow: `calculatePartitionStatus`.)
    ///
    /// `ends` are the log's ends as they were seen at the last few looks, the newest last.
    pub fn status(&self, now_ms: u64, ends: &[u64]) -> Status {
        // STARTER: todo!("step 2: the verdict on {:?} at {now_ms}, with ends {ends:?}", self.commits())
        // ANCHOR: step_2_a
        if self.lag(ends) == 0 {
            Status::Ok
        } else if self.is_stopped(now_ms) && !self.was_at_the_end(ends) {
            Status::Stop
        } else if self.is_rewound() {
            Status::Rewind
        } else if self.had_no_lag() {
            Status::Ok
        } else if self.is_stalled() {
            Status::Stall
        } else if self.never_gains() {
            Status::Warn
        } else {
            Status::Ok
        }
        // ANCHOR_END: step_2_a
    }

    /// Since the last commit more time has passed than between the first and the last one in the window.
    fn is_stopped(&self, now_ms: u64) -> bool {
        // STARTER: todo!("step 2: whether at {now_ms} the last commit of {:?} is too long ago", self.commits())
        // ANCHOR: step_2_b
        let (first, last) = (self.first(), self.last());
        now_ms.saturating_sub(last.at_ms) > last.at_ms.saturating_sub(first.at_ms)
        // ANCHOR_END: step_2_b
    }

    /// A commit goes back, and no commit after that comes to where the group was before.
    fn is_rewound(&self) -> bool {
        // STARTER: todo!("step 2: whether {:?} go back", self.commits())
        // ANCHOR: step_2_c
        let commits = self.commits();
        let back = (1..commits.len()).find(|&n| commits[n].offset < commits[n - 1].offset);
        let lost = |n: usize| commits[n..].iter().all(|later| later.offset < commits[n - 1].offset);
        back.is_some_and(lost)
        // ANCHOR_END: step_2_c
    }

    /// All commits name the same offset.
    fn is_stalled(&self) -> bool {
        // STARTER: todo!("step 2: whether {:?} all name one offset", self.commits())
        // ANCHOR: step_2_d
        self.commits().iter().all(|commit| commit.offset == self.first().offset)
        // ANCHOR_END: step_2_d
    }

    /// From commit to commit the lag is never smaller than before. Commits whose lag is not known are left out.
    fn never_gains(&self) -> bool {
        // STARTER: todo!("step 2: whether the lag in {:?} never gets smaller", self.commits())
        // ANCHOR: step_2_e
        let lags: Vec<u64> = self.commits().iter().filter_map(|commit| commit.lag).collect();
        lags.is_sorted()
        // ANCHOR_END: step_2_e
    }
}
