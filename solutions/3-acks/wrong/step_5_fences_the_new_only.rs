//! step_5_b caught by step_5: lets those pass that know an older leader (R3.16)
let (current, got) = (self.epoch, epoch);
if got > current {
    return Err(Refused::UnknownLeaderEpoch { current, got });
}
Ok(())
