//! step_4_a caught by step_4: takes those in sync for enough, however few they are (R3.12)
(self.config.min_in_sync as usize).min(self.in_sync.len())
