//! step_1 caught by step_1: gives offsets, and writes nothing into the file (R1.1)
let header = crate::Batch::parse_whole(batch)?;
let first = self.log_end;
let last = first + u64::from(header.last_offset_delta);
batch[0..8].copy_from_slice(&first.to_be_bytes());
batch[12..16].copy_from_slice(&leader_epoch.to_be_bytes());
let _ = now_ms;
let sealed = None;
self.log_end = last + 1;
Ok(Appended { first, last, sealed })
