//! step_1 caught by step_1: counts batches instead of records, so two records share an offset (R1.1)
let header = crate::Batch::parse_whole(batch)?;
let first = self.log_end;
let _ = header;
let last = first;
batch[0..8].copy_from_slice(&first.to_be_bytes());
batch[12..16].copy_from_slice(&leader_epoch.to_be_bytes());
let sealed = self.write(now_ms, batch)?;
self.log_end = last + 1;
Ok(Appended { first, last, sealed })
