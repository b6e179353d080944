//! step_1 caught by step_4: gives the error before the high watermark is past the batch (R3.2)
if acks != Acks::All {
    return Answer::Now;
}
let enough = self.is_enough(self.in_sync_or_joining());
if enough && self.high_watermark <= last {
    return Answer::Wait;
}
if self.is_enough(self.in_sync_or_joining()) {
    Answer::Now
} else {
    Answer::NotEnoughReplicasAfterAppend
}
