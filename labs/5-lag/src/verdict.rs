//! Is that lag a problem? The last few commits say, by the rules of Burrow.

use crate::{Status, Window};

impl Window {
    /// What the commits in this window say about the partition. (Burrow: `calculatePartitionStatus`.)
    ///
    /// `ends` are the log's ends as they were seen at the last few looks, the newest last.
    pub fn status(&self, now_ms: u64, ends: &[u64]) -> Status {
        todo!("step 2: the verdict on {:?} at {now_ms}, with ends {ends:?}", self.commits())
    }

    /// Since the last commit more time has passed than between the first and the last one in the window.
    fn is_stopped(&self, now_ms: u64) -> bool {
        todo!("step 2: whether at {now_ms} the last commit of {:?} is too long ago", self.commits())
    }

    /// A commit goes back, and no commit after that comes to where the group was before.
    fn is_rewound(&self) -> bool {
        todo!("step 2: whether {:?} go back", self.commits())
    }

    /// All commits name the same offset.
    fn is_stalled(&self) -> bool {
        todo!("step 2: whether {:?} all name one offset", self.commits())
    }

    /// From commit to commit the lag is never smaller than before. Commits whose lag is not known are left out.
    fn never_gains(&self) -> bool {
        todo!("step 2: whether the lag in {:?} never gets smaller", self.commits())
    }
}
