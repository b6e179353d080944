//! step_6_b caught by step_6: accepts the generation before (R4.28)
let (current, got) = (self.generation, generation);
if got != current && got + 1 != current {
    return Err(Error::IllegalGeneration { current, got });
}
if self.state == State::CompletingRebalance {
    return Err(Error::RebalanceInProgress);
}
Ok(())
