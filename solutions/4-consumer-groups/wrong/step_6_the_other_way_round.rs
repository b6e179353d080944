//! step_6_b caught by step_6: asks for the state first (R4.28)
let (current, got) = (self.generation, generation);
if self.state == State::CompletingRebalance {
    return Err(Error::RebalanceInProgress);
}
if got != current {
    return Err(Error::IllegalGeneration { current, got });
}
Ok(())
