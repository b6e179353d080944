//! step_2_b caught by step_2: as long as the whole window, not as one interval of it (R5.7)
let (first, last) = (self.first(), self.last());
let intervals = self.commits().len() as u64 - 1;
now_ms.saturating_sub(last.at_ms) > last.at_ms.saturating_sub(first.at_ms) / intervals.max(1)
