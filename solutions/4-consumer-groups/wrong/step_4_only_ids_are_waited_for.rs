//! step_4_a caught by step_4: does not wait for the members (R4.12)
self.pending.is_empty()
