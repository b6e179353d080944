//! step_6_b caught by step_6: lets nobody commit while a round is open (R4.29)
let (current, got) = (self.generation, generation);
if got != current {
    return Err(Error::IllegalGeneration { current, got });
}
if matches!(self.state, State::CompletingRebalance | State::PreparingRebalance) {
    return Err(Error::RebalanceInProgress);
}
Ok(())
