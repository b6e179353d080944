//! step_1 caught by step_1: writes the leader epoch over the length (R1.2)
let header = crate::Batch::parse_whole(batch)?;
let first = self.log_end;
let last = first + u64::from(header.last_offset_delta);
batch[0..8].copy_from_slice(&first.to_be_bytes());
batch[8..12].copy_from_slice(&leader_epoch.to_be_bytes());
let sealed = self.write(now_ms, batch)?;
self.log_end = last + 1;
Ok(Appended { first, last, sealed })
