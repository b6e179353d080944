//! step_2 caught by step_2: takes one batch from the count and keeps the rest (R2.5 R2.6)
let full = self.bytes >= u64::from(self.batch_size);
let partition = match self.current {
    Some(current) if !full => current,
    _ => {
        self.bytes = self.bytes.saturating_sub(u64::from(self.batch_size));
        available[random as usize % available.len()]
    }
};
self.current = Some(partition);
self.bytes += u64::from(bytes);
partition
