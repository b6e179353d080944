//! step_2_b caught by step_2: more time must have passed, not as much (R5.7)
let (first, last) = (self.first(), self.last());
now_ms.saturating_sub(last.at_ms) >= last.at_ms.saturating_sub(first.at_ms)
