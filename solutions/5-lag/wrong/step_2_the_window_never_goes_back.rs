//! step_2_b caught by step_2: the last commit may be earlier than the first: then no time lies between (R5.7)
let (first, last) = (self.first(), self.last());
now_ms.saturating_sub(last.at_ms) > last.at_ms - first.at_ms
