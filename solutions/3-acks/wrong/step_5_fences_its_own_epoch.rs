//! step_5_b caught by step_5: refuses its own epoch as over (R3.16)
let (current, got) = (self.epoch, epoch);
if got <= current {
    return Err(Refused::FencedLeaderEpoch { current, got });
}
if got > current {
    return Err(Refused::UnknownLeaderEpoch { current, got });
}
Ok(())
