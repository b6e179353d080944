//! step_4_b caught by step_4: names the setting in the error and not the effective minimum (R3.11)
let (in_sync, min) = (self.in_sync.len(), self.effective_min());
if acks == Acks::All && in_sync < min {
    return Err(Refused::NotEnoughReplicas { in_sync, min: self.config.min_in_sync as usize });
}
Ok(())
