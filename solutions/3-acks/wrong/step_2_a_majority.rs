//! step_2 caught by step_2: waits for a majority, which is Raft's rule and not Kafka's (R3.4)
let mut ends: Vec<Option<u64>> = self.counted().map(|follower| follower.log_end).collect();
ends.push(Some(self.log_end));
ends.sort();
let majority = ends.len() / 2 + 1;
ends[ends.len() - majority].unwrap_or(0).max(self.high_watermark)
