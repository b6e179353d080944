//! step_1 caught by step_1: wants the high watermark one further than the last record (R3.2)
if acks != Acks::All {
    return Answer::Now;
}
if self.high_watermark <= last + 1 {
    return Answer::Wait;
}
if self.is_enough(self.in_sync_or_joining()) {
    Answer::Now
} else {
    Answer::NotEnoughReplicasAfterAppend
}
