//! step_6_b caught by step_6: accepts an old generation (R4.28)
let _ = generation;
if self.state == State::CompletingRebalance {
    return Err(Error::RebalanceInProgress);
}
Ok(())
