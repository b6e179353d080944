//! step_2 caught by step_2: takes the number that was drawn for the partition, available or not (R2.6)
let full = self.bytes >= u64::from(self.batch_size);
let partition = match self.current {
    Some(current) if !full => current,
    _ => {
        self.bytes = 0;
        random % available.len() as u32
    }
};
self.current = Some(partition);
self.bytes += u64::from(bytes);
partition
