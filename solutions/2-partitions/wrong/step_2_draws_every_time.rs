//! step_2 caught by step_2: draws for every record (R2.5)
let full = self.bytes >= u64::from(self.batch_size);
let partition = match self.current {
    Some(_) | None if full || !full => {
        self.bytes = 0;
        available[random as usize % available.len()]
    }
    _ => unreachable!(),
};
self.current = Some(partition);
self.bytes += u64::from(bytes);
partition
