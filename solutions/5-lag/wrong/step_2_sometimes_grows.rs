//! step_2_e caught by step_2: never smaller, not sometimes greater (R5.12)
let lags: Vec<u64> = self.commits().iter().filter_map(|commit| commit.lag).collect();
lags.windows(2).any(|pair| pair[0] <= pair[1])
