//! step_4_b caught by step_4: refuses acks=0 and acks=1 as well (R3.12)
let (in_sync, min) = (self.in_sync.len(), self.effective_min());
if in_sync < min {
    return Err(Refused::NotEnoughReplicas { in_sync, min });
}
Ok(())
