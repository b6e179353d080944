//! step_6_b caught by step_6: lets members commit in a stable group alone (R4.29)
let (current, got) = (self.generation, generation);
if got != current {
    return Err(Error::IllegalGeneration { current, got });
}
if self.state != State::Stable {
    return Err(Error::RebalanceInProgress);
}
Ok(())
