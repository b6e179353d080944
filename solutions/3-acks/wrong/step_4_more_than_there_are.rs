//! step_4_a caught by step_4: asks for more replicas than there are (R3.11)
self.config.min_in_sync as usize
