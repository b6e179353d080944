//! step_4_b caught by step_4: counts those that are joining, which the coordinator may refuse (R3.12)
let (in_sync, min) = (self.in_sync_or_joining(), self.effective_min());
if acks == Acks::All && in_sync < min {
    return Err(Refused::NotEnoughReplicas { in_sync, min });
}
Ok(())
