//! step_1 caught by step_1: answers everybody at once (R3.2)
if acks != Acks::All {
    return Answer::Now;
}
if self.is_enough(self.in_sync_or_joining()) {
    Answer::Now
} else {
    Answer::NotEnoughReplicasAfterAppend
}
