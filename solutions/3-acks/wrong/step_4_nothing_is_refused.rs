//! step_4_b caught by step_4: refuses nothing, and lets acks=all wait (R3.12)
let (in_sync, min) = (self.in_sync.len(), self.effective_min());
let _ = (acks, Refused::NotEnoughReplicas { in_sync, min });
Ok(())
