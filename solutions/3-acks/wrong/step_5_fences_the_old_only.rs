//! step_5_b caught by step_5: lets those pass that know a newer leader (R3.16)
let (current, got) = (self.epoch, epoch);
if got < current {
    return Err(Refused::FencedLeaderEpoch { current, got });
}
Ok(())
