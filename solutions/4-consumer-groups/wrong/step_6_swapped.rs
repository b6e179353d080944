//! step_6_b caught by step_6: swaps what it expected and what came (R4.28)
let (got, current) = (self.generation, generation);
if got != current {
    return Err(Error::IllegalGeneration { current, got });
}
if self.state == State::CompletingRebalance {
    return Err(Error::RebalanceInProgress);
}
Ok(())
