//! step_4_a caught by step_4: asks for all replicas, whatever the setting says (R3.11)
self.replicas.len()
