//! step_1 caught by step_4: does not count those that are joining when it answers (R3.3)
if acks != Acks::All {
    return Answer::Now;
}
if self.high_watermark <= last {
    return Answer::Wait;
}
if self.is_enough(self.in_sync.len()) {
    Answer::Now
} else {
    Answer::NotEnoughReplicasAfterAppend
}
