//! step_2_e caught by step_2: a lag that stays is no gain (R5.12)
let lags: Vec<u64> = self.commits().iter().filter_map(|commit| commit.lag).collect();
lags.windows(2).all(|pair| pair[0] < pair[1])
