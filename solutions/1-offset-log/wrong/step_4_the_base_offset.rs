//! step_4_a caught by step_4: puts the first offset of the batch into the entry; Kafka puts the last (R1.10)
let mut entry = [0; 8];
let relative = (batch.base_offset - base) as u32;
entry[..4].copy_from_slice(&relative.to_be_bytes());
entry[4..].copy_from_slice(&(position as u32).to_be_bytes());
entry
