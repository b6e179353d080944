//! step_2 caught by step_2: takes the partitions in turn, one record each: every batch holds one record (R2.5)
let full = self.bytes >= u64::from(self.batch_size);
let partition = match self.current {
    Some(current) if !full => (current + 1) % available.len() as u32,
    _ => {
        self.bytes = 0;
        available[random as usize % available.len()]
    }
};
self.current = Some(partition);
self.bytes += u64::from(bytes);
partition
