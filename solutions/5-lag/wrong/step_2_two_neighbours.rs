//! step_2_d caught by step_2: all commits, not two neighbours (R5.11)
self.commits().windows(2).any(|pair| pair[0].offset == pair[1].offset) || self.commits().len() == 1
