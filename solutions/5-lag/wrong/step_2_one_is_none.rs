//! step_2_d caught by step_2: a single commit names one offset (R5.11)
self.commits().len() > 1 && self.commits().iter().all(|commit| commit.offset == self.first().offset)
