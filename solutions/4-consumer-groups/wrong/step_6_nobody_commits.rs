//! step_6_b caught by step_6: lets nobody commit (R4.28)
let (current, got) = (self.generation, generation);
Err(Error::IllegalGeneration { current, got })
