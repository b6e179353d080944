//! step_1 caught by step_1: waits for every replica, in sync or not (R3.2)
if acks != Acks::All {
    return Answer::Now;
}
if self.followers.iter().any(|f| f.log_end <= Some(last)) || self.high_watermark <= last {
    return Answer::Wait;
}
if self.is_enough(self.in_sync_or_joining()) {
    Answer::Now
} else {
    Answer::NotEnoughReplicasAfterAppend
}
