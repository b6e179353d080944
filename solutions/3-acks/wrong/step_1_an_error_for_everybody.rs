//! step_1 caught by step_4: gives the error to acks=0 and acks=1 too (R3.3)
if acks != Acks::All && self.is_enough(self.in_sync_or_joining()) {
    return Answer::Now;
}
if acks == Acks::All && self.high_watermark <= last {
    return Answer::Wait;
}
if self.is_enough(self.in_sync_or_joining()) {
    Answer::Now
} else {
    Answer::NotEnoughReplicasAfterAppend
}
