//! step_5_b caught by step_5: takes an older epoch for a newer one (R3.16)
let (current, got) = (self.epoch, epoch);
if got < current {
    return Err(Refused::UnknownLeaderEpoch { current, got });
}
if got > current {
    return Err(Refused::FencedLeaderEpoch { current, got });
}
Ok(())
