//! step_2_e caught by step_2: one gain between two commits is enough, not only one over the whole window (R5.12)
let lags: Vec<u64> = self.commits().iter().filter_map(|commit| commit.lag).collect();
lags.first() <= lags.last()
