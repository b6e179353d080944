//! step_2 caught by step_2: leaves a batch that is not full when its partition has no leader (R2.5)
let full = self.bytes >= u64::from(self.batch_size);
let partition = match self.current {
    Some(current) if !full && available.contains(&current) => current,
    _ => {
        self.bytes = 0;
        available[random as usize % available.len()]
    }
};
self.current = Some(partition);
self.bytes += u64::from(bytes);
partition
