//! step_2 caught by step_2: does not draw the same partition twice (R2.6)
let full = self.bytes >= u64::from(self.batch_size);
let partition = match self.current {
    Some(current) if !full => current,
    _ => {
        self.bytes = 0;
        let mut at = random as usize % available.len();
        if Some(available[at]) == self.current {
            at = (at + 1) % available.len();
        }
        available[at]
    }
};
self.current = Some(partition);
self.bytes += u64::from(bytes);
partition
