//! step_2_b caught by step_2: it counts from the last commit, not from the first (R5.7)
let (first, last) = (self.first(), self.last());
now_ms.saturating_sub(first.at_ms) > last.at_ms.saturating_sub(first.at_ms)
