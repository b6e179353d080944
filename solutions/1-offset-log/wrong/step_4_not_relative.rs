//! step_4_a caught by step_4: writes the offset itself, which soon needs more than four bytes (R1.10)
let mut entry = [0; 8];
let relative = {
    let _ = base;
    batch.last_offset() as u32
};
entry[..4].copy_from_slice(&relative.to_be_bytes());
entry[4..].copy_from_slice(&(position as u32).to_be_bytes());
entry
