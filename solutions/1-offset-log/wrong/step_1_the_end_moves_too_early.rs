//! step_1 caught by step_1: moves the log end before the write, so a full disk leaves a hole (R1.3)
let header = crate::Batch::parse_whole(batch)?;
let first = self.log_end;
let last = first + u64::from(header.last_offset_delta);
batch[0..8].copy_from_slice(&first.to_be_bytes());
batch[12..16].copy_from_slice(&leader_epoch.to_be_bytes());
self.log_end = last + 1;
let sealed = self.write(now_ms, batch)?;
Ok(Appended { first, last, sealed })
