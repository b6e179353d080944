//! step_2_d caught by step_2: the same offset, not the same lag (R5.11)
self.commits().iter().all(|commit| commit.lag == self.first().lag)
