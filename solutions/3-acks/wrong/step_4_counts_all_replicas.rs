//! step_4_b caught by step_4: counts replicas that are not in sync (R3.12)
let (in_sync, min) = (self.replicas.len(), self.effective_min());
if acks == Acks::All && in_sync < min {
    return Err(Refused::NotEnoughReplicas { in_sync, min });
}
Ok(())
