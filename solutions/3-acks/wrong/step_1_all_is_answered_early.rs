//! step_1 caught by step_1: answers acks=all as soon as the leader has it (R3.2)
if acks != Acks::All {
    return Answer::Now;
}
if self.log_end <= last {
    return Answer::Wait;
}
if self.is_enough(self.in_sync_or_joining()) {
    Answer::Now
} else {
    Answer::NotEnoughReplicasAfterAppend
}
