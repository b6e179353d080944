//! step_2_b caught by step_2: a clock may go back: then no time has passed (R5.7)
let (first, last) = (self.first(), self.last());
now_ms - last.at_ms > last.at_ms - first.at_ms
