//! step_1 caught by step_1: takes the high watermark for the last offset that all have (R3.2)
if acks != Acks::All {
    return Answer::Now;
}
if self.high_watermark < last {
    return Answer::Wait;
}
if self.is_enough(self.in_sync_or_joining()) {
    Answer::Now
} else {
    Answer::NotEnoughReplicasAfterAppend
}
