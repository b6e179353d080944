//! step_6_b caught by step_6: lets members commit while the plan is being made (R4.29)
let (current, got) = (self.generation, generation);
if got != current {
    return Err(Error::IllegalGeneration { current, got });
}
Ok(())
