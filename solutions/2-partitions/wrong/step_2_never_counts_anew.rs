//! step_2 caught by step_2: does not count anew, so after the first batch each record goes elsewhere (R2.5 R2.6)
let full = self.bytes >= u64::from(self.batch_size);
let partition = match self.current {
    Some(current) if !full => current,
    _ => {
        available[random as usize % available.len()]
    }
};
self.current = Some(partition);
self.bytes += u64::from(bytes);
partition
