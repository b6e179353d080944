//! step_1 caught by step_1: lets acks=1 wait as acks=all does (R3.1)
if acks == Acks::None {
    return Answer::Now;
}
if self.high_watermark <= last {
    return Answer::Wait;
}
if self.is_enough(self.in_sync_or_joining()) {
    Answer::Now
} else {
    Answer::NotEnoughReplicasAfterAppend
}
