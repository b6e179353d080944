//! step_2 caught by step_2: counts the record before it decides, so the one that fills a batch begins the next (R2.5)
self.bytes += u64::from(bytes);
let full = self.bytes >= u64::from(self.batch_size);
let partition = match self.current {
    Some(current) if !full => current,
    _ => {
        self.bytes = u64::from(bytes);
        available[random as usize % available.len()]
    }
};
self.current = Some(partition);
partition
