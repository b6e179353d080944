//! step_4_b caught by step_4: never uses the index: every answer is right, and every search reads the segment from its front (R1.11)
let _ = (index.len(), offset);
Ok(None)
