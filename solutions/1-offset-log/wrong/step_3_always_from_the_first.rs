//! step_3_b caught by step_3: begins every search in the oldest segment: right, but it reads the whole log (R1.9)
let _ = offset;
0
