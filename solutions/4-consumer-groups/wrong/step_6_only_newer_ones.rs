//! step_6_b caught by step_6: accepts an old generation, and refuses only newer ones (R4.28)
let (current, got) = (self.generation, generation);
if got > current {
    return Err(Error::IllegalGeneration { current, got });
}
if self.state == State::CompletingRebalance {
    return Err(Error::RebalanceInProgress);
}
Ok(())
