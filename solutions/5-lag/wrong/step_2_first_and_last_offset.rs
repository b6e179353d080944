//! step_2_d caught by step_2: those in between count, too (R5.11)
self.last().offset == self.first().offset
