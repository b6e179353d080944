//! step_6_b caught by step_6: lets nobody commit (R4.28 R4.29)
let (current, got) = (self.generation, generation);
Err(Error::IllegalGeneration { current, got })
