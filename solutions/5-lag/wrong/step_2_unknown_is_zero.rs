//! step_2_e caught by step_2: a lag that is not known is left out (R5.12)
let lags: Vec<u64> = self.commits().iter().map(|commit| commit.lag.unwrap_or(0)).collect();
lags.is_sorted()
