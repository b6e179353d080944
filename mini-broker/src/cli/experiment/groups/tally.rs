//! How often a group has done each record.

/// Counts by partition and offset, over all members that a group ever had.
pub struct Tally {
    times: Vec<Vec<u8>>,
    /// All that was done, what was done again included.
    pub done: u64,
    /// What was done again.
    pub doubled: u64,
}

impl Tally {
    pub fn new(partitions: usize) -> Self {
        Self { times: vec![Vec::new(); partitions], done: 0, doubled: 0 }
    }

    /// A member has done the records of a partition from one offset to another.
    pub fn done(&mut self, partition: usize, first: i64, last: i64) {
        let Some(times) = self.times.get_mut(partition) else { return };
        for offset in first.max(0) as usize..=last.max(0) as usize {
            if offset >= times.len() {
                times.resize(offset + 1, 0);
            }
            self.doubled += u64::from(times[offset] > 0);
            times[offset] = times[offset].saturating_add(1);
            self.done += 1;
        }
    }

    /// What nobody has done, though it lies below the partition's committed offset.
    pub fn lost(&self, committed: &[i64]) -> u64 {
        let of = |(times, committed): (&Vec<u8>, &i64)| {
            let done = times.iter().take(*committed as usize).filter(|times| **times > 0);
            (*committed as u64).saturating_sub(done.count() as u64)
        };
        self.times.iter().zip(committed).map(of).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn what_is_done_twice_and_what_is_lost_is_counted() {
        let mut tally = Tally::new(2);
        tally.done(0, 0, 69);
        assert_eq!((tally.done, tally.doubled), (70, 0));
        // Somebody begins again at 60, and skips 80 to 89.
        tally.done(0, 60, 79);
        tally.done(0, 90, 99);
        tally.done(1, 5, 5);
        assert_eq!((tally.done, tally.doubled), (101, 10));
        assert_eq!(tally.lost(&[80, 0]), 0);
        assert_eq!(tally.lost(&[90, 0]), 10);
        assert_eq!(tally.lost(&[100, 6]), 15);
        // Committed, and never seen by anybody.
        assert_eq!(tally.lost(&[110, 8]), 27);
    }
}
