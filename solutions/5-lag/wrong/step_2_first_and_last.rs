//! step_2_c caught by step_2: a commit that goes back may lie between the first and the last (R5.9)
self.last().offset < self.first().offset
