//! step_2 caught by step_2: stays with its first partition for ever (R2.5 R2.6)
let full = self.bytes >= u64::from(self.batch_size);
let partition = match self.current {
    Some(current) if !full || full => current,
    _ => {
        self.bytes = 0;
        available[random as usize % available.len()]
    }
};
self.current = Some(partition);
self.bytes += u64::from(bytes);
partition
